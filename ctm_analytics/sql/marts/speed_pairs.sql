-- One row per engaged conversation of an ad: when it was answered, when it bought, and what it is to be compared with.
with first_sales as (
    select
        contact_key,
        touched_at,
        min(sold_at) as sold_at
    from credits
    where touched_at is not null
    group by contact_key, touched_at
),

placed as (
    select
        conversation_timelines.ad_id,
        ads.ad_name,
        ads.campaign_id,
        ads.campaign_name,
        contacts.platform,
        contacts.account_id,
        conversation_timelines.first_inbound_at,
        conversation_timelines.first_response_at,
        conversation_timelines.first_human_response_at,
        first_sales.sold_at,
        cast(convert_timezone('UTC', :reporting_timezone, conversation_timelines.opened_at) as date) as day,
        convert_timezone('UTC', :reporting_timezone, conversation_timelines.first_inbound_at) as local_at
    from conversation_timelines
    inner join contacts
        on conversation_timelines.contact_key = contacts.contact_key
    left join ads
        on conversation_timelines.ad_id = ads.ad_id
    left join first_sales
        on
            conversation_timelines.contact_key = first_sales.contact_key
            and conversation_timelines.opened_at = first_sales.touched_at
    where conversation_timelines.ad_id is not null and conversation_timelines.first_inbound_at is not null
)

select
    ad_id,
    cast((floor(unix_micros(local_at) / 86400e6) + 3) % 7 as bigint) + 1 as weekday,
    cast(extract(hour from local_at) as bigint) as hour,
    (
        unix_micros(case when :responder = 'human' then first_human_response_at else first_response_at end)
        - unix_micros(first_inbound_at)
    ) / 1e6 as response_seconds,
    (unix_micros(sold_at) - unix_micros(first_inbound_at)) / 1e6 as sold_seconds,
    (unix_micros(:as_of) - unix_micros(first_inbound_at)) / 1e6 as watched_seconds
from placed
where
    (:since is null or day >= :since)
    and (:until is null or day <= :until)
    and (:platform is null or platform = :platform)
    and (:account is null or account_id = :account)
    and (:campaign is null or campaign_id = :campaign or campaign_name = :campaign)
    and (:ad is null or ad_id = :ad or ad_name = :ad)
order by ad_id, weekday, hour, response_seconds, sold_seconds, watched_seconds
