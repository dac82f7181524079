-- One row: whatsapp where an event can tie two ids of one contact together, null where none can.
-- Every row found is the same, so it does not matter which comes first, and the first ends the reading.
with found as (
    select platform
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
    limit 1  -- noqa: AM09
)

select max(platform) as platform
from found
