-- One row per engaged conversation of an ad: when it was answered, when it bought, and what it is to be compared with.
-- seen_seconds is until when an answer would have been seen: whoever has none by then may have had one since.
with blinded as (
    select
        asked_conversations.contact_key,
        asked_conversations.opened_at,
        min(greatest(capture_gaps.gap_started_at, asked_conversations.first_inbound_at)) as blind_at
    from asked_conversations
    inner join capture_gaps
        on
            asked_conversations.first_inbound_at < capture_gaps.gap_ended_at
            and asked_conversations.first_inbound_at + :window >= capture_gaps.gap_started_at
    group by asked_conversations.contact_key, asked_conversations.opened_at
),

placed as (
    select
        asked_conversations.ad_id,
        asked_conversations.first_inbound_at,
        case
            when :responder = 'human' then asked_conversations.first_human_response_at
            else asked_conversations.first_response_at
        end as responded_at,
        least(
            :as_of,
            coalesce(asked_conversations.next_opened_at, :as_of),
            coalesce(blinded.blind_at, :as_of)
        ) as seen_until,
        first_sales.sold_at,
        convert_timezone('UTC', :reporting_timezone, asked_conversations.first_inbound_at) as local_at
    from asked_conversations
    left join first_sales
        on
            asked_conversations.contact_key = first_sales.contact_key
            and asked_conversations.opened_at = first_sales.touched_at
    left join blinded
        on
            asked_conversations.contact_key = blinded.contact_key
            and asked_conversations.opened_at = blinded.opened_at
    left join ads
        on asked_conversations.ad_id = ads.ad_id
    where
        (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
        and (:ad is null or asked_conversations.ad_id = :ad or ads.ad_name = :ad)
)

select
    ad_id,
    cast((floor(unix_micros(local_at) / 86400e6) + 3) % 7 as bigint) + 1 as weekday,
    cast(extract(hour from local_at) as bigint) as hour,
    (unix_micros(responded_at) - unix_micros(first_inbound_at)) / 1e6 as response_seconds,
    (unix_micros(seen_until) - unix_micros(first_inbound_at)) / 1e6 as seen_seconds,
    (unix_micros(sold_at) - unix_micros(first_inbound_at)) / 1e6 as sold_seconds,
    (unix_micros(:as_of) - unix_micros(first_inbound_at)) / 1e6 as watched_seconds
from placed
