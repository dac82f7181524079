-- One row per conversation: a contact's activity until :conversation_gap of silence or the next touch.
-- Here its instants and counts; the mart `conversations` adds the person and what was sold.
with timelines as (
    select
        contact_key,
        opened_at,
        min(case when is_inbound_message then occurred_at end) as first_inbound_at,
        max(case when is_inbound_message then occurred_at end) as last_inbound_at,
        max(occurred_at) as last_event_at,
        -- An outbound event answers if an inbound one of this conversation came at or before it.
        min(case when is_outbound and last_inbound_at >= opened_at then occurred_at end) as first_response_at,
        min(case when is_human and last_inbound_at >= opened_at then occurred_at end) as first_human_response_at,
        min(
            case when is_outbound and not is_bot and last_inbound_at >= opened_at then occurred_at end
        ) as first_manual_response_at,
        cast(count_if(is_inbound_message) as bigint) as messages_in,
        cast(count_if(is_outbound) as bigint) as messages_out,
        count_if(not is_outbound and occurred_at = opened_at) > 0 as is_opened_by_contact,
        max(
            case when is_outbound then unix_micros(occurred_at) - unix_micros(last_inbound_at) end
        ) as latest_reply_micros
    from conversation_events
    group by contact_key, opened_at
),

-- Two clicks at one instant open one conversation: an ad comes before a link, then the greater id.
openers as (
    select
        contact_key,
        touched_at,
        max(ad_id) as ad_id,
        nullif(max_by(coalesce(ref, ''), coalesce('2' || ad_id, '1') || ' ' || coalesce(ref, '')), '') as ref
    from touches
    group by contact_key, touched_at
)

select
    timelines.contact_key,
    timelines.opened_at,
    timelines.first_inbound_at,
    timelines.last_inbound_at,
    timelines.last_event_at,
    timelines.first_response_at,
    timelines.first_human_response_at,
    timelines.first_manual_response_at,
    timelines.messages_in,
    timelines.messages_out,
    timelines.latest_reply_micros,
    openers.ad_id,
    openers.ref,
    case
        when openers.ad_id is not null then 'ad'
        when openers.touched_at is not null then 'link'
        when timelines.is_opened_by_contact then 'contact'
        else 'business'
    end as opened_by,
    lead(timelines.opened_at) over (
        partition by timelines.contact_key
        order by timelines.opened_at
    ) as next_opened_at
from timelines
left join openers
    on timelines.contact_key = openers.contact_key and timelines.opened_at = openers.touched_at
