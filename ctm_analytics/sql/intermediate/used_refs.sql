-- One row per ref: the first and the last, by key, of the contacts who used it; where they are one, nobody else has.
select
    ref,
    min(contact_key) as contact_key,
    max(contact_key) as other_contact_key
from events
where ref is not null and contact_key is not null and event_type <> 'test'
group by ref
