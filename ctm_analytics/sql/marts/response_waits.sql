-- One row per group (:by), waiting time and outcome: how many engaged conversations waited that long for a response.
-- On the business clock (:clock) equal waits are not alike: there each keeps its instants.
-- A wait may stand once per ad of a group: add them up.
with placed as (
    select
        platform,
        account_id,
        ad_id,
        waited_micros,
        is_answered,
        responder,
        started_at,
        ended_at,
        cast(convert_timezone('UTC', :reporting_timezone, opened_at) as date) as day,
        convert_timezone('UTC', :reporting_timezone, started_at) as local_at
    from waits
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
        -- Whether an ad is asked about is known with its names: they are joined to counts, not to waits.
        case
            when :by in ('ad', 'adset', 'campaign') or :campaign is not null or :ad is not null then ad_id
        end as ad_id,
        waited_micros,
        is_answered
    from placed
    where
        (not :ads_only or ad_id is not null)
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
        and (:platform is null or platform = :platform)
        and (:account is null or account_id = :account)
),

counted as (
    select
        platform,
        day,
        week,
        weekday,
        hour,
        is_business_time,
        ad_id,
        responder,
        hour_band,
        started_at,
        ended_at,
        waited_micros,
        is_answered,
        count(*) as conversations
    from grouped
    group by
        platform, day, week, weekday, hour, is_business_time, ad_id, responder, hour_band, started_at, ended_at,
        waited_micros, is_answered
)

select
    counted.platform,
    counted.day,
    counted.week,
    counted.weekday,
    counted.hour,
    counted.is_business_time,
    case when :by = 'ad' then counted.ad_id end as ad_id,
    case when :by = 'ad' then ads.ad_name end as ad_name,
    case when :by in ('ad', 'adset') then ads.adset_id end as adset_id,
    case when :by in ('ad', 'adset') then ads.adset_name end as adset_name,
    case when :by in ('ad', 'adset', 'campaign') then ads.campaign_id end as campaign_id,
    case when :by in ('ad', 'adset', 'campaign') then ads.campaign_name end as campaign_name,
    counted.responder,
    counted.hour_band,
    counted.started_at,
    counted.ended_at,
    counted.waited_micros / 1e6 as waited_seconds,
    counted.is_answered,
    counted.conversations
from counted
left join ads
    on counted.ad_id = ads.ad_id
where
    (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or counted.ad_id = :ad or ads.ad_name = :ad)
