-- One row per conversation, as it was last known, of a contact of whom something arrived.
select last_conversation_timelines.*
from last_conversation_timelines
where last_conversation_timelines.contact_key in (select contact_key from touched)
