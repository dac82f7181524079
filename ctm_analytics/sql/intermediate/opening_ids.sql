-- One row per instant of activity of a contact who is known by several ids: the id that it came from.
-- A conversation has the id that opened it: no later alias changes that.
select
    events.contact_key,
    events.occurred_at,
    min(events.contact_id) as contact_id
from events
inner join contact_aliases
    on events.contact_key = contact_aliases.alias_key
where events.event_type in ('message', 'postback', 'referral', 'lead', 'echo')
group by events.contact_key, events.occurred_at
