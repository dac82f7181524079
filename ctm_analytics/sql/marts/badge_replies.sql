-- One row per new message of the last 7 days: the first after 24 hours of silence by both, and its first reply by hand.
-- As Meta counts for its badge: what a bot or an instant reply answered is not answered.
-- Days before the eighth say nothing about these: of who was silent since then, no more has to be known.
with recent as (
    select
        contact_key,
        occurred_at,
        is_outbound,
        is_known_human,
        is_known_bot,
        max(case when is_inbound_message then occurred_at end) over (
            partition by contact_key
            order by occurred_at, is_outbound
        ) as last_inbound_at
    from activities
    where (is_outbound or is_inbound_message) and occurred_at > :as_of - interval '8 days' - :instant_reply
),

-- As in conversation_events: a bot is known to be one, or is faster than a person, not known to be one, could type.
judged as (
    select
        contact_key,
        occurred_at,
        is_outbound,
        is_outbound
        and (
            is_known_human
            or not (is_known_bot or coalesce(occurred_at < last_inbound_at + :instant_reply, false))
        ) as is_by_hand
    from recent
),

words as (
    select
        judged.contact_key,
        conversation_timelines.platform,
        conversation_timelines.account_id,
        judged.occurred_at,
        judged.is_outbound,
        lag(judged.occurred_at) over (
            partition by judged.contact_key
            order by judged.occurred_at, judged.is_outbound
        ) as silent_since,
        min(case when judged.is_by_hand then judged.occurred_at end) over (
            partition by judged.contact_key, conversation_timelines.opened_at
            order by judged.occurred_at, judged.is_outbound
            range between current row and unbounded following
        ) as replied_at
    from judged
    inner join conversation_timelines
        on
            judged.contact_key = conversation_timelines.contact_key
            and judged.occurred_at >= conversation_timelines.opened_at
            and judged.occurred_at < coalesce(conversation_timelines.next_opened_at, :as_of + interval '1 day')
)

select
    platform,
    account_id,
    (unix_micros(replied_at) - unix_micros(occurred_at)) / 1e6 as reply_seconds
from words
where
    not is_outbound
    and occurred_at > :as_of - interval '7 days'
    and (silent_since is null or occurred_at >= silent_since + interval '24 hours')
order by platform asc, account_id asc, reply_seconds asc nulls last
