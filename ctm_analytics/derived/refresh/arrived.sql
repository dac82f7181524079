-- One row per event that was recorded, or came due, since :last_as_of.
with found as (
    select * exclude (file, row_hash)
    from appeared
    where
        row_hash not in (select row_hash from last_known_rows)
        or received_at > :last_as_of
        or occurred_at > :last_as_of
    union all by name
    select
        event_id,
        platform,
        account_id,
        contact_id,
        contact_key,
        event_type,
        occurred_at,
        received_at,
        message_type,
        ref,
        status,
        case when platform = 'whatsapp' then payload end as payload
    from held
    where received_at > :last_as_of or occurred_at > :last_as_of
)

select *
from found
where received_at <= :as_of and occurred_at <= :as_of
