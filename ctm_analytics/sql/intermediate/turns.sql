-- One row per turn: a run of inbound messages up to the next outbound one, with the instants of its answers.
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
)

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
