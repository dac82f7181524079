-- One row per group (:by), waiting time and outcome: how many engaged conversations waited that long for a response.
-- On the business clock (:clock) equal waits are not alike: there each keeps its instants.
with placed as (
    select
        contacts.platform,
        contacts.account_id,
        waits.ad_id,
        ads.ad_name,
        ads.adset_id,
        ads.adset_name,
        ads.campaign_id,
        ads.campaign_name,
        waits.waited_micros,
        waits.is_answered,
        waits.responder,
        waits.started_at,
        waits.ended_at,
        cast(convert_timezone('UTC', :reporting_timezone, waits.opened_at) as date) as day,
        convert_timezone('UTC', :reporting_timezone, waits.started_at) as local_at
    from waits
    inner join contacts
        on waits.contact_key = contacts.contact_key
    left join ads
        on waits.ad_id = ads.ad_id
),

grouped as (
    select
        case when :by = 'platform' then platform end as platform,
        case when :by = 'responder' then responder end as responder,
        case when :by_hour_band then cast(floor(extract(hour from local_at) / 6) as bigint) end as hour_band,
        case when :clock = 'business' then started_at end as started_at,
        case when :clock = 'business' then ended_at end as ended_at,
        case when :by = 'day' then day end as day,
        case when :by = 'week' then cast(date_trunc('week', day) as date) end as week,
        -- 1970-01-01 was a Thursday, the fourth day of its week.
        case
            when :by in ('weekday', 'weekday_hour')
                then cast((floor(unix_micros(local_at) / 86400e6) + 3) % 7 as bigint) + 1
        end as weekday,
        case when :by in ('hour', 'weekday_hour') then cast(extract(hour from local_at) as bigint) end as hour,
        case
            when :by = 'business_time'
                then
                    (floor(unix_micros(local_at) / 86400e6) + 3) % 7 < 5
                    and extract(hour from local_at) >= 8
                    and extract(hour from local_at) < 18
        end as is_business_time,
        case when :by = 'ad' then ad_id end as ad_id,
        case when :by = 'ad' then ad_name end as ad_name,
        case when :by in ('ad', 'adset') then adset_id end as adset_id,
        case when :by in ('ad', 'adset') then adset_name end as adset_name,
        case when :by in ('ad', 'adset', 'campaign') then campaign_id end as campaign_id,
        case when :by in ('ad', 'adset', 'campaign') then campaign_name end as campaign_name,
        waited_micros,
        is_answered
    from placed
    where
        (not :ads_only or ad_id is not null)
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
        and (:platform is null or platform = :platform)
        and (:account is null or account_id = :account)
        and (:campaign is null or campaign_id = :campaign or campaign_name = :campaign)
        and (:ad is null or ad_id = :ad or ad_name = :ad)
)

select
    platform,
    day,
    week,
    weekday,
    hour,
    is_business_time,
    ad_id,
    ad_name,
    adset_id,
    adset_name,
    campaign_id,
    campaign_name,
    responder,
    hour_band,
    started_at,
    ended_at,
    waited_micros / 1e6 as waited_seconds,
    is_answered,
    count(*) as conversations
from grouped
group by
    platform, day, week, weekday, hour, is_business_time, ad_id, ad_name, adset_id, adset_name,
    campaign_id, campaign_name, responder, hour_band, started_at, ended_at, waited_micros, is_answered
