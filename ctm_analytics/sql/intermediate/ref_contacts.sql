-- One row per ref and id of a contact who used it, as it was captured.
select
    ref,
    contact_key
from raw_events
where
    ref is not null
    and contact_key is not null
    and event_type <> 'test'
    and received_at <= :as_of
    and occurred_at <= :as_of
group by ref, contact_key
