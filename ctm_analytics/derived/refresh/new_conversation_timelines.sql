-- One row per conversation since its contact's redo_from; and the one before, if there is one, with its next opening.
with since as (
    select redone_conversations.*
    from redone_conversations
    inner join redone
        on redone_conversations.contact_key = redone.contact_key and redone_conversations.opened_at >= redone.redo_from
),

openings as (
    select
        contact_key,
        min(opened_at) as opened_at
    from since
    group by contact_key
)

select *
from since
union all by name
select histories.* replace (openings.opened_at as next_opened_at)
from histories
inner join redone
    on histories.contact_key = redone.contact_key and histories.opened_at = redone.last_opened_at
inner join openings
    on histories.contact_key = openings.contact_key
