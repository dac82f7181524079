-- One row per event, in files that are looked at for nobody else, of a contact whose ids are tied otherwise.
with ids as (
    select contact_key
    from tied_otherwise
    union
    select alias_key as contact_key
    from contact_aliases
    where contact_key in (select contact_key from tied_otherwise)
)

select looked_at.* exclude (event_id, message_id, ad_title, ctwa_clid, payload, delivery_id)
from looked_at
inner join ids
    on looked_at.contact_key = ids.contact_key
