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

-- Before the join: what a window carries decides its time.
followed as (
    select
        *,
        lead(opened_at) over (
            partition by contact_key
            order by opened_at
        ) as next_opened_at
    from timelines
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
    followed.contact_key,
    contacts.platform,
    contacts.account_id,
    followed.opened_at,
    followed.first_inbound_at,
    followed.last_inbound_at,
    followed.last_event_at,
    followed.first_response_at,
    followed.first_human_response_at,
    followed.first_manual_response_at,
    followed.messages_in,
    followed.messages_out,
    followed.latest_reply_micros,
    openers.ad_id,
    openers.ref,
    case
        when openers.ad_id is not null then 'ad'
        when openers.touched_at is not null then 'link'
        when followed.is_opened_by_contact then 'contact'
        else 'business'
    end as opened_by,
    followed.next_opened_at
from followed
inner join contacts
    on followed.contact_key = contacts.contact_key
left join openers
    on followed.contact_key = openers.contact_key and followed.opened_at = openers.touched_at
