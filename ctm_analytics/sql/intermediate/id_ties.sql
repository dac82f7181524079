-- One row: whatsapp where an event can tie two ids of one contact together, null where none can.
select max(platform) as platform
from raw_events
where
    platform = 'whatsapp'
    and (
        contact_id like '%.%'
        or status in ('user_changed_user_id', 'user_changed_number', 'customer_changed_number')
        or message_type = 'user_id_update'
    )
    and received_at <= :as_of
    and occurred_at <= :as_of
