-- One row per contact some of whose ids were tied to another contact at the last refresh.
with moved as (
    select
        coalesce(contact_aliases.alias_key, last_contact_aliases.alias_key) as alias_key,
        coalesce(contact_aliases.contact_key, last_contact_aliases.alias_key) as contact_key,
        coalesce(last_contact_aliases.contact_key, contact_aliases.alias_key) as last_contact_key
    from contact_aliases
    full join last_contact_aliases
        on contact_aliases.alias_key = last_contact_aliases.alias_key
    where contact_aliases.contact_key is distinct from last_contact_aliases.contact_key
)

select contact_key
from moved
union
select last_contact_key as contact_key
from moved
