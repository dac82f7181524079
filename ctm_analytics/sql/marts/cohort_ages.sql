-- One row per group (:by), platform and age: how many engaged conversations of ads are so old, and when the last came.
-- From the end of the attribution window on all are ripe alike.
with grouped as (
    select
        platform,
        case when :by = 'day' then day end as day,
        case when :by = 'week' then cast(date_trunc('week', day) as date) end as week,
        case when :by = 'ad' then ad_id end as ad_id,
        case when :by = 'ad' then ad_name end as ad_name,
        case when :by in ('ad', 'adset') then adset_id end as adset_id,
        case when :by in ('ad', 'adset') then adset_name end as adset_name,
        case when :by in ('ad', 'adset', 'campaign') then campaign_id end as campaign_id,
        case when :by in ('ad', 'adset', 'campaign') then campaign_name end as campaign_name,
        day as opened_day,
        least(unix_micros(:as_of) - unix_micros(opened_at), :window_days * 86400000000) as age_micros
    from asked_conversations
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
    age_micros / 86400e6 as age_days,
    count(*) as conversations,
    max(opened_day) as last_day
from grouped
group by platform, day, week, ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name, age_micros
