-- One row per window, journey and ad touch, in the journey's order; a journey either led to a counted sale or to none.
-- The eligible touches of each sale are one; the ad touches of a contact that earned no sale's credit are another.
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

steps as (
    select
        window_days,
        'sale|' || sale_id as journey,
        touched_at,
        ad_id,
        true as is_converted
    from eligible_touches
    where is_counted
    union all
    select
        windows.window_days,
        'contact|' || cast(touches.contact_key as string) as journey,
        touches.touched_at,
        touches.ad_id,
        false as is_converted
    from touches
    cross join windows
    left join used
        on
            windows.window_days = used.window_days
            and touches.contact_key = used.contact_key
            and touches.touched_at = used.touched_at
            and touches.ad_id = used.ad_id
    where touches.touch_type = 'ad' and used.ad_id is null
)

select
    window_days,
    journey,
    ad_id,
    is_converted
from steps
order by window_days asc, journey asc, touched_at asc, ad_id asc
