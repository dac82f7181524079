-- One row per contact of whom something arrived; changed_from is its first activity that did, and of a contact whose ids
-- are tied otherwise the beginning of time.
with arrivals as (
    select
        coalesce(contact_aliases.contact_key, arrived.contact_key) as contact_key,
        case
            when arrived.event_type in ('message', 'postback', 'referral', 'lead', 'echo') then arrived.occurred_at
        end as occurred_at
    from arrived
    left join contact_aliases
        on arrived.contact_key = contact_aliases.alias_key
    where arrived.contact_key is not null
    union all
    select
        contact_key,
        timestamp '0001-01-01' as occurred_at
    from tied_otherwise
)

select
    contact_key,
    min(occurred_at) as changed_from
from arrivals
group by contact_key
