-- One row per activity of a contact (message, postback, referral, lead, echo) or touch, with its conversation.
-- Narrow on purpose: what the two windows carry decides their time and memory, so text stays outside.
-- A touch stands among them as one more, at the instant of the event that it came with: no join has to mark that one.
with marked as (
    select
        contact_key,
        occurred_at,
        is_outbound,
        is_inbound_message,
        is_known_human,
        is_known_bot,
        false as is_touch
    from activities
    union all
    select
        contact_key,
        touched_at as occurred_at,
        false as is_outbound,
        false as is_inbound_message,
        false as is_known_human,
        false as is_known_bot,
        true as is_touch
    from touches
),

-- At one instant inbound comes before outbound; beyond that no order matters, because the frames are RANGE.
ordered as (
    select
        *,
        lag(occurred_at) over contact_order as previous_at,
        max(case when is_inbound_message then occurred_at end) over contact_order as last_inbound_at
    from marked
    window contact_order as (partition by contact_key order by occurred_at, is_outbound)
),

opened as (
    select
        *,
        case
            when previous_at is null or is_touch or occurred_at >= previous_at + :conversation_gap then occurred_at
        end as opening_at
    from ordered
),

numbered as (
    select
        *,
        max(opening_at) over (partition by contact_key order by occurred_at, is_outbound) as opened_at
    from opened
)

select
    contact_key,
    opened_at,
    occurred_at,
    is_outbound,
    is_inbound_message,
    last_inbound_at,
    is_outbound and is_known_human as is_human,
    -- Not known to be a person, and faster than one could type.
    is_outbound and not is_known_human
    and (is_known_bot or coalesce(occurred_at < last_inbound_at + :instant_reply, false)) as is_bot
from numbered
