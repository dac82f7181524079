-- One row per id under which a WhatsApp contact was captured on an account: a phone number, or a user id.
select
    contact_key,
    account_id,
    contact_id
from raw_events
where
    platform = 'whatsapp'
    and contact_key is not null
    and event_type <> 'test'
    and received_at <= :as_of
    and occurred_at <= :as_of
group by contact_key, account_id, contact_id
