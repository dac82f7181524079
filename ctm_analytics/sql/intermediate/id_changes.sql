-- One row per change of a WhatsApp contact's id: told by the contact itself, or (contact_id null) about it.
with told as (
    -- A changed user id names the old one only in this sentence.
    select
        contact_id,
        cast(null as string) as phone,
        split_part(
            split_part(get_json_object(payload, '$.messages[0].system.body'), 'changed from ', 2), ' to ', 1
        ) as old_id,
        coalesce(
            get_json_object(payload, '$.messages[0].system.user_id'),
            get_json_object(payload, '$.messages[0].system.wa_id'),
            get_json_object(payload, '$.messages[0].system.new_wa_id')
        ) as new_id
    from raw_events
    where
        platform = 'whatsapp'
        and status in ('user_changed_user_id', 'user_changed_number', 'customer_changed_number')
        and contact_key is not null
        and received_at <= :as_of
        and occurred_at <= :as_of
    union all
    select
        cast(null as string) as contact_id,
        get_json_object(payload, '$.value.user_id_update[0].wa_id') as phone,
        get_json_object(payload, '$.value.user_id_update[0].user_id.previous') as old_id,
        get_json_object(payload, '$.value.user_id_update[0].user_id.current') as new_id
    from raw_events
    where
        platform = 'whatsapp'
        and message_type = 'user_id_update'
        and received_at <= :as_of
        and occurred_at <= :as_of
)

select distinct
    contact_id,
    phone,
    old_id,
    new_id
from told
