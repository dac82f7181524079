-- One row per event that says who a touched contact is; what was known before stands for the events before.
with whole as (
    select contact_key
    from tied_otherwise
)

select
    contact_key,
    platform,
    account_id,
    contact_id,
    event_type
from redo_events
where contact_key in (select contact_key from whole)
union all
select
    coalesce(contact_aliases.contact_key, arrived.contact_key) as contact_key,
    arrived.platform,
    arrived.account_id,
    arrived.contact_id,
    arrived.event_type
from arrived
left join contact_aliases
    on arrived.contact_key = contact_aliases.alias_key
union all
select
    contact_key,
    platform,
    account_id,
    contact_id,
    'message' as event_type
from last_contacts
where
    contact_key in (select contact_key from redone)
    and contact_key not in (select contact_key from whole)
