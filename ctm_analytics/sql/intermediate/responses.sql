-- One row per turn: a run of inbound messages up to the next outbound one, with its answer.
with messages as (
    select
        contact_key,
        opened_at,
        occurred_at,
        is_outbound,
        is_human,
        is_bot,
        lag(is_outbound) over contact_order as previous_is_outbound,
        lag(opened_at) over contact_order as previous_opened_at
    from conversation_events
    where is_outbound or is_inbound_message
    window contact_order as (partition by contact_key order by occurred_at, is_outbound)
),

started as (
    select
        *,
        case
            when not is_outbound and (coalesce(previous_is_outbound, true) or previous_opened_at <> opened_at)
                then occurred_at
        end as turn_start_at
    from messages
),

numbered as (
    select
        *,
        max(turn_start_at) over (partition by contact_key order by occurred_at, is_outbound) as turn_started_at
    from started
),

turns as (
    select
        contact_key,
        opened_at,
        turn_started_at,
        min(case when is_outbound then occurred_at end) as responded_at,
        min(case when is_human then occurred_at end) as human_responded_at,
        min(case when is_outbound and not is_bot then occurred_at end) as manual_responded_at,
        cast(count_if(not is_outbound) as bigint) as messages_in,
        cast(count_if(is_outbound) as bigint) as messages_out
    from numbered
    where turn_started_at >= opened_at
    group by contact_key, opened_at, turn_started_at
)

select
    contacts.platform,
    contacts.account_id,
    contacts.contact_id,
    turns.contact_key,
    turns.opened_at,
    turns.turn_started_at,
    turns.responded_at,
    turns.human_responded_at,
    case
        when turns.responded_at is null then null
        when turns.human_responded_at = turns.responded_at then 'human'
        when turns.manual_responded_at = turns.responded_at then 'unknown'
        else 'bot'
    end as responder,
    turns.messages_in,
    turns.messages_out,
    turns.turn_started_at = conversation_timelines.first_inbound_at as is_first,
    (unix_micros(turns.responded_at) - unix_micros(turns.turn_started_at)) / 1e6 as response_seconds,
    (unix_micros(turns.human_responded_at) - unix_micros(turns.turn_started_at)) / 1e6 as human_response_seconds
from turns
inner join contacts
    on turns.contact_key = contacts.contact_key
inner join conversation_timelines
    on turns.contact_key = conversation_timelines.contact_key and turns.opened_at = conversation_timelines.opened_at
