-- One row per window and step of a journey: from an ad (null: its start) to the next (null: its end), and how often.
-- A sale's eligible touches are a journey; a contact's ad touches that earned no sale's credit are another.
-- Touches of one ad in a row are one.
with windows as (
    select distinct cast(window_days as bigint) as window_days
    from attribution_rules
),

used as (
    select distinct
        window_days,
        contact_key,
        touched_at,
        ad_id
    from eligible_touches
    where is_counted
),

buyers as (
    select distinct contact_key
    from used
),

-- Who bought has a journey without a sale for each window: of the touches that earned nothing within it.
unused as (
    select
        windows.window_days,
        touches.contact_key,
        touches.touched_at,
        touches.ad_id
    from touches
    inner join buyers
        on touches.contact_key = buyers.contact_key
    cross join windows
    left join used
        on
            windows.window_days = used.window_days
            and touches.contact_key = used.contact_key
            and touches.touched_at = used.touched_at
            and touches.ad_id = used.ad_id
    where touches.touch_type = 'ad' and used.ad_id is null
),

-- All others have one, whatever the window.
idle as (
    select
        touches.contact_key,
        touches.touched_at,
        touches.ad_id
    from touches
    left join buyers
        on touches.contact_key = buyers.contact_key
    where touches.touch_type = 'ad' and buyers.contact_key is null
),

-- A sale's touches stand in the order of their positions.
sold as (
    select
        window_days,
        ad_id,
        lag(ad_id) over (partition by window_days, sale_id order by position) as previous_ad_id,
        lead(ad_id) over (partition by window_days, sale_id order by position) as next_ad_id,
        true as is_converted
    from eligible_touches
    where is_counted
),

unsold as (
    select
        window_days,
        ad_id,
        lag(ad_id) over (partition by window_days, contact_key order by touched_at, ad_id) as previous_ad_id,
        lead(ad_id) over (partition by window_days, contact_key order by touched_at, ad_id) as next_ad_id,
        false as is_converted
    from unused
    union all
    select
        cast(null as bigint) as window_days,
        ad_id,
        lag(ad_id) over (partition by contact_key order by touched_at, ad_id) as previous_ad_id,
        lead(ad_id) over (partition by contact_key order by touched_at, ad_id) as next_ad_id,
        false as is_converted
    from idle
),

ordered as (
    select * from sold
    union all
    select * from unsold
),

-- Each touch is the end of a step, and the last of a journey the start of one as well.
steps as (
    select
        window_days,
        previous_ad_id as ad_id,
        ad_id as next_ad_id,
        is_converted
    from ordered
    where previous_ad_id is distinct from ad_id
    union all
    select
        window_days,
        ad_id,
        next_ad_id,
        is_converted
    from ordered
    where next_ad_id is null
),

counted as (
    select
        window_days,
        ad_id,
        next_ad_id,
        count(*) as journeys,
        count_if(is_converted) as converted_journeys
    from steps
    group by window_days, ad_id, next_ad_id
),

placed as (
    select * from counted
    where window_days is not null
    union all
    select
        windows.window_days,
        counted.ad_id,
        counted.next_ad_id,
        counted.journeys,
        counted.converted_journeys
    from counted
    cross join windows
    where counted.window_days is null
)

select
    window_days,
    ad_id,
    next_ad_id,
    cast(sum(journeys) as bigint) as journeys,
    cast(sum(converted_journeys) as bigint) as converted_journeys
from placed
group by window_days, ad_id, next_ad_id
order by
    window_days asc,
    ad_id asc nulls first,
    next_ad_id asc nulls last
