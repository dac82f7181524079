-- One row per group (:by), time from the touch and outcome: how many engaged conversations of ads bought after so long.
-- Who has not bought is censored, at the conversation's age or at the end of the attribution window.
-- A time may stand once per ad of a group: add them up.
with waited as (
    select
        case when :by = 'platform' then asked_conversations.platform end as platform,
        case when :by = 'day' then asked_conversations.day end as day,
        case when :by = 'week' then cast(date_trunc('week', asked_conversations.day) as date) end as week,
        -- Whether an ad is asked about is known with its names: they are joined to counts, not to conversations.
        case
            when :by in ('ad', 'adset', 'campaign') or :campaign is not null or :ad is not null
                then asked_conversations.ad_id
        end as ad_id,
        first_sales.sold_at is not null as is_converted,
        least(
            unix_micros(coalesce(first_sales.sold_at, :as_of)) - unix_micros(asked_conversations.opened_at),
            :window_days * 86400000000
        ) as waited_micros
    from asked_conversations
    left join first_sales
        on
            asked_conversations.contact_key = first_sales.contact_key
            and asked_conversations.opened_at = first_sales.touched_at
),

counted as (
    select
        platform,
        day,
        week,
        ad_id,
        is_converted,
        waited_micros,
        count(*) as conversations
    from waited
    group by platform, day, week, ad_id, is_converted, waited_micros
)

select
    counted.platform,
    counted.day,
    counted.week,
    case when :by = 'ad' then counted.ad_id end as ad_id,
    case when :by = 'ad' then ads.ad_name end as ad_name,
    case when :by in ('ad', 'adset') then ads.adset_id end as adset_id,
    case when :by in ('ad', 'adset') then ads.adset_name end as adset_name,
    case when :by in ('ad', 'adset', 'campaign') then ads.campaign_id end as campaign_id,
    case when :by in ('ad', 'adset', 'campaign') then ads.campaign_name end as campaign_name,
    counted.waited_micros / 86400e6 as waited_days,
    counted.is_converted,
    counted.conversations
from counted
left join ads
    on counted.ad_id = ads.ad_id
where
    (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or counted.ad_id = :ad or ads.ad_name = :ad)
