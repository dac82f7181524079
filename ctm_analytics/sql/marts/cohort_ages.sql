-- One row per group (:by), platform and age: how many engaged conversations of ads are so old, and when the last came.
-- From the end of the attribution window on all are ripe alike.
with aged as (
    select
        contacts.platform,
        contacts.account_id,
        conversation_timelines.ad_id,
        ads.ad_name,
        ads.adset_id,
        ads.adset_name,
        ads.campaign_id,
        ads.campaign_name,
        cast(convert_timezone('UTC', :reporting_timezone, conversation_timelines.opened_at) as date) as day,
        least(
            unix_micros(:as_of) - unix_micros(conversation_timelines.opened_at), :window_days * 86400000000
        ) as age_micros
    from conversation_timelines
    inner join contacts
        on conversation_timelines.contact_key = contacts.contact_key
    left join ads
        on conversation_timelines.ad_id = ads.ad_id
    where conversation_timelines.ad_id is not null and conversation_timelines.first_inbound_at is not null
)

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
    age_micros / 86400e6 as age_days,
    count(*) as conversations,
    max(day) as last_day
from aged
where
    (:since is null or day >= :since)
    and (:until is null or day <= :until)
    and (:platform is null or platform = :platform)
    and (:account is null or account_id = :account)
    and (:campaign is null or campaign_id = :campaign or campaign_name = :campaign)
    and (:ad is null or ad_id = :ad or ad_name = :ad)
group by
    platform,
    case when :by = 'day' then day end,
    case when :by = 'week' then cast(date_trunc('week', day) as date) end,
    case when :by = 'ad' then ad_id end,
    case when :by = 'ad' then ad_name end,
    case when :by in ('ad', 'adset') then adset_id end,
    case when :by in ('ad', 'adset') then adset_name end,
    case when :by in ('ad', 'adset', 'campaign') then campaign_id end,
    case when :by in ('ad', 'adset', 'campaign') then campaign_name end,
    age_micros
order by platform, day, week, ad_id, adset_id, campaign_id, age_days
