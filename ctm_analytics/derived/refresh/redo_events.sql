-- One row per event of a touched contact since its redo_from, and one for the last inbound message before.
select events.* exclude (event_id, message_id, ad_title, ctwa_clid, payload, delivery_id)
from events
inner join redone
    on events.contact_key = redone.contact_key and events.occurred_at >= redone.redo_from
union all by name
select
    contact_key,
    last_inbound_at as occurred_at,
    'message' as event_type,
    'inbound' as direction
from redone
where last_inbound_at is not null
