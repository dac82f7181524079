-- One row per ref: the first and the last, by key, of the contacts who used it; where they are one, nobody else has.
select
    ref_contacts.ref,
    min(coalesce(contact_aliases.contact_key, ref_contacts.contact_key)) as contact_key,
    max(coalesce(contact_aliases.contact_key, ref_contacts.contact_key)) as other_contact_key
from ref_contacts
left join contact_aliases
    on ref_contacts.contact_key = contact_aliases.alias_key
group by ref_contacts.ref
