-- One row per engaged conversation of an ad: its first wait (:turns), when it bought, and what it is compared with.
with placed as (
    select
        waits.ad_id,
        waits.started_at,
        waits.waited_micros,
        waits.is_answered,
        first_sales.sold_at,
        convert_timezone('UTC', :reporting_timezone, waits.started_at) as local_at
    from asked_conversations
    inner join waits
        on asked_conversations.contact_key = waits.contact_key and asked_conversations.opened_at = waits.opened_at
    left join first_sales
        on
            asked_conversations.contact_key = first_sales.contact_key
            and asked_conversations.opened_at = first_sales.touched_at
    left join ads
        on waits.ad_id = ads.ad_id
    where
        (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
        and (:ad is null or waits.ad_id = :ad or ads.ad_name = :ad)
)

select
    ad_id,
    cast((floor(unix_micros(local_at) / 86400e6) + 3) % 7 as bigint) + 1 as weekday,
    cast(extract(hour from local_at) as bigint) as hour,
    waited_micros / 1e6 as waited_seconds,
    is_answered,
    (unix_micros(sold_at) - unix_micros(started_at)) / 1e6 as sold_seconds,
    (unix_micros(:as_of) - unix_micros(started_at)) / 1e6 as watched_seconds
from placed
order by
    ad_id nulls last,
    weekday nulls last,
    hour nulls last,
    waited_seconds nulls last,
    is_answered nulls last,
    sold_seconds nulls last,
    watched_seconds nulls last
