-- One row per WhatsApp contact and user id that its payloads name with it (told_as), as the first of them has it.
-- Reading payloads is dear, so they are read only where ids can be tied together at all, once per contact and id.
with told as (
    select
        raw_events.contact_id,
        split_part(split_part(raw_events.payload, 'user_id"', 2), ',', 1) as told_as,
        min(cast(unix_micros(raw_events.received_at) as string) || ' ' || raw_events.event_id) as told_first,
        min_by(
            raw_events.payload, cast(unix_micros(raw_events.received_at) as string) || ' ' || raw_events.event_id
        ) as payload
    from raw_events
    inner join id_ties
        on raw_events.platform = id_ties.platform
    where
        raw_events.platform = 'whatsapp'
        and raw_events.contact_key is not null
        and raw_events.event_type <> 'test'
        and raw_events.received_at <= :as_of
        and raw_events.occurred_at <= :as_of
        and raw_events.payload like '%user_id"%'
        and (raw_events.contact_id not like '%.%' or raw_events.payload like '%"wa_id"%')
    group by
        raw_events.contact_id,
        split_part(split_part(raw_events.payload, 'user_id"', 2), ',', 1)
)

select
    contact_id,
    told_as,
    told_first,
    coalesce(
        get_json_object(payload, '$.messages[0].from_user_id'),
        get_json_object(payload, '$.message_echoes[0].to_user_id'),
        get_json_object(payload, '$.statuses[0].recipient_participant_user_id'),
        get_json_object(payload, '$.statuses[0].recipient_user_id'),
        get_json_object(payload, '$.contacts[0].user_id')
    ) as user_id,
    get_json_object(payload, '$.contacts[0].wa_id') as phone
from told
