-- One row per event with a ref; of those before, the first and the last contact who used it.
select
    coalesce(contact_aliases.contact_key, arrived.contact_key) as contact_key,
    arrived.ref,
    arrived.event_type
from arrived
left join contact_aliases
    on arrived.contact_key = contact_aliases.alias_key
union all
select
    contact_key,
    ref,
    'message' as event_type
from last_used_refs
union all
select
    other_contact_key as contact_key,
    ref,
    'message' as event_type
from last_used_refs
