-- One row per new message of the last 7 days: the first after 24 hours of silence by both, and its first reply by hand.
-- As Meta counts for its badge: what a bot or an instant reply answered is not answered.
with words as (
    select
        contact_key,
        occurred_at,
        is_outbound,
        lag(occurred_at) over (partition by contact_key order by occurred_at, is_outbound) as silent_since,
        min(case when is_outbound and not is_bot then occurred_at end) over (
            partition by contact_key, opened_at
            order by occurred_at, is_outbound
            range between current row and unbounded following
        ) as replied_at
    from conversation_events
    where is_outbound or is_inbound_message
)

select
    contacts.platform,
    contacts.account_id,
    (unix_micros(words.replied_at) - unix_micros(words.occurred_at)) / 1e6 as reply_seconds
from words
inner join contacts
    on words.contact_key = contacts.contact_key
where
    not words.is_outbound
    and words.occurred_at > :as_of - interval '7 days'
    and (words.silent_since is null or words.occurred_at >= words.silent_since + interval '24 hours')
order by contacts.platform asc, contacts.account_id asc, reply_seconds asc nulls last
