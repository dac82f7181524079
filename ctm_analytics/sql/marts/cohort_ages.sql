-- One row per group (:by), platform and age: how many engaged conversations of ads are so old, and when the last came.
-- From the end of the attribution window on all are ripe alike. An age may stand once per ad of a group: add them up.
with aged as (
    select
        platform,
        case when :by = 'day' then day end as day,
        case when :by = 'week' then cast(date_trunc('week', day) as date) end as week,
        -- Whether an ad is asked about is known with its names: they are joined to counts, not to conversations.
        case
            when :by in ('ad', 'adset', 'campaign') or :campaign is not null or :ad is not null then ad_id
        end as ad_id,
        day as opened_day,
        least(unix_micros(:as_of) - unix_micros(opened_at), :window_days * 86400000000) as age_micros
    from asked_conversations
),

counted as (
    select
        platform,
        day,
        week,
        ad_id,
        age_micros,
        count(*) as conversations,
        max(opened_day) as last_day
    from aged
    group by platform, day, week, ad_id, age_micros
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
    counted.age_micros / 86400e6 as age_days,
    counted.conversations,
    counted.last_day
from counted
left join ads
    on counted.ad_id = ads.ad_id
where
    (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or counted.ad_id = :ad or ads.ad_name = :ad)
