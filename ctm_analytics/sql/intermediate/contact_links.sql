-- One row per pair of ids that an event says are one WhatsApp contact's: phone numbers and user ids, one way.
-- Reading payloads is dear, so they are read only where somebody is known by a user id at all, once per contact and id.
with changes as (
    select
        contact_id,
        coalesce(
            get_json_object(payload, '$.messages[0].system.user_id'),
            get_json_object(payload, '$.messages[0].system.wa_id'),
            get_json_object(payload, '$.messages[0].system.new_wa_id')
        ) as new_id,
        -- A changed user id names the old one only in this sentence.
        split_part(
            split_part(get_json_object(payload, '$.messages[0].system.body'), 'changed from ', 2), ' to ', 1
        ) as old_id
    from raw_events
    where
        platform = 'whatsapp'
        and status in ('user_changed_user_id', 'user_changed_number', 'customer_changed_number')
        and contact_key is not null
        and received_at <= :as_of
        and occurred_at <= :as_of
),

updates as (
    select
        get_json_object(payload, '$.value.user_id_update[0].wa_id') as phone,
        get_json_object(payload, '$.value.user_id_update[0].user_id.previous') as old_id,
        get_json_object(payload, '$.value.user_id_update[0].user_id.current') as new_id
    from raw_events
    where
        platform = 'whatsapp'
        and message_type = 'user_id_update'
        and received_at <= :as_of
        and occurred_at <= :as_of
),

-- A number and a user id of one delivery are one person where somebody is known by that user id.
user_ids as (
    select contact_id as user_id
    from whatsapp_ids
    where contact_id like '%.%'
    union all
    select old_id as user_id
    from changes
    where old_id like '%.%'
    union all
    select old_id as user_id
    from updates
    union all
    select new_id as user_id
    from updates
),

-- Null, and so without a match, where nobody is.
hidden_numbers as (
    select max(case when user_id is not null then 'whatsapp' end) as platform
    from user_ids
),

told as (
    select
        raw_events.contact_id,
        min(raw_events.payload) as payload
    from raw_events
    inner join hidden_numbers
        on raw_events.platform = hidden_numbers.platform
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
),

told_ids as (
    select
        contact_id,
        coalesce(
            get_json_object(payload, '$.messages[0].from_user_id'),
            get_json_object(payload, '$.message_echoes[0].to_user_id'),
            get_json_object(payload, '$.statuses[0].recipient_participant_user_id'),
            get_json_object(payload, '$.statuses[0].recipient_user_id'),
            get_json_object(payload, '$.contacts[0].user_id')
        ) as user_id,
        get_json_object(payload, '$.contacts[0].wa_id') as phone
    from told
)

select
    told_ids.contact_id as one_id,
    told_ids.user_id as other_id
from told_ids
inner join user_ids
    on told_ids.user_id = user_ids.user_id
group by told_ids.contact_id, told_ids.user_id
union all
select
    contact_id as one_id,
    phone as other_id
from told_ids
where contact_id like '%.%'
union all
select
    contact_id as one_id,
    new_id as other_id
from changes
union all
select
    contact_id as one_id,
    old_id as other_id
from changes
union all
select
    old_id as one_id,
    new_id as other_id
from updates
union all
select
    phone as one_id,
    new_id as other_id
from updates
