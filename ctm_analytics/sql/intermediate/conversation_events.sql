-- One row per activity of a contact (message, postback, referral, lead, echo), with the opening of its conversation.
-- Narrow on purpose: what the two windows carry decides their time and memory, so text stays outside.
with activities as (
    select
        contact_key,
        occurred_at,
        direction = 'outbound' as is_outbound,
        event_type in ('message', 'postback') and direction = 'inbound' as is_inbound_message,
        direction = 'outbound' and (responder = 'human' or app_id in (:human_app_ids)) as is_known_human,
        direction = 'outbound' and (responder = 'bot' or app_id in (:bot_app_ids)) as is_known_bot
    from events
    where event_type in ('message', 'postback', 'referral', 'lead', 'echo') and contact_key is not null
),

touch_instants as (
    select
        contact_key,
        touched_at
    from touches
    group by contact_key, touched_at
),

marked as (
    select
        activities.contact_key,
        activities.occurred_at,
        activities.is_outbound,
        activities.is_inbound_message,
        coalesce(activities.is_known_human, false) as is_known_human,
        coalesce(activities.is_known_bot, false) as is_known_bot,
        touch_instants.touched_at is not null and not activities.is_outbound as is_touch
    from activities
    left join touch_instants
        on
            activities.contact_key = touch_instants.contact_key
            and activities.occurred_at = touch_instants.touched_at
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
