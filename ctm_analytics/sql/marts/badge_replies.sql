-- One row per new message of the last 7 days: the first after 24 hours of silence by both, and its first reply by hand.
-- As Meta counts for its badge: what a bot or an instant reply answered is not answered.
with spoken as (
    select
        contact_key,
        opened_at,
        first_inbound_at,
        first_manual_response_at,
        opened_by,
        lag(last_event_at) over (partition by contact_key order by opened_at) as silent_since
    from conversation_timelines
)

select
    contacts.platform,
    contacts.account_id,
    (unix_micros(spoken.first_manual_response_at) - unix_micros(spoken.first_inbound_at)) / 1e6 as reply_seconds
from spoken
inner join contacts
    on spoken.contact_key = contacts.contact_key
where
    spoken.first_inbound_at > :as_of - interval '7 days'
    and spoken.opened_by <> 'business'
    and (spoken.silent_since is null or spoken.first_inbound_at >= spoken.silent_since + interval '24 hours')
order by contacts.platform asc, contacts.account_id asc, reply_seconds asc nulls last
