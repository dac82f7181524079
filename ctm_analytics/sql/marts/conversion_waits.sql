-- One row per group (:by), time from the touch and outcome: how many engaged conversations of ads bought after so long.
-- Who has not bought is censored, at the conversation's age or at the end of the attribution window.
with grouped as (
    select
        case when :by = 'platform' then asked_conversations.platform end as platform,
        case when :by = 'day' then asked_conversations.day end as day,
        case when :by = 'week' then cast(date_trunc('week', asked_conversations.day) as date) end as week,
        case when :by = 'ad' then asked_conversations.ad_id end as ad_id,
        case when :by = 'ad' then asked_conversations.ad_name end as ad_name,
        case when :by in ('ad', 'adset') then asked_conversations.adset_id end as adset_id,
        case when :by in ('ad', 'adset') then asked_conversations.adset_name end as adset_name,
        case when :by in ('ad', 'adset', 'campaign') then asked_conversations.campaign_id end as campaign_id,
        case when :by in ('ad', 'adset', 'campaign') then asked_conversations.campaign_name end as campaign_name,
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
)

select
    platform,
    day,
    week,
    ad_id,
    ad_name,
    adset_id,
    adset_name,
    campaign_id,
    campaign_name,
    waited_micros / 86400e6 as waited_days,
    is_converted,
    count(*) as conversations
from grouped
group by
    platform, day, week, ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name, waited_micros, is_converted
