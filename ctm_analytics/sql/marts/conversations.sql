-- One row per conversation, with its person, its opener, its instants and what it sold.
with credited as (
    select
        contact_key,
        touched_at,
        cast(sum(credit_billionths) as bigint) as credit_billionths,
        cast(sum(credited_cents) as bigint) as credited_cents
    from credits
    where touched_at is not null
    group by contact_key, touched_at
)

select
    md5(
        contacts.platform || '|' || contacts.account_id || '|'
        || coalesce(opening_ids.contact_id, contacts.contact_id) || '|'
        || cast(unix_micros(conversation_timelines.opened_at) as string)
    ) as conversation_id,
    contacts.platform,
    contacts.account_id,
    contacts.contact_id,
    conversation_timelines.opened_at,
    conversation_timelines.opened_by,
    conversation_timelines.ad_id,
    conversation_timelines.ref,
    conversation_timelines.first_inbound_at,
    conversation_timelines.first_response_at,
    (
        unix_micros(conversation_timelines.first_response_at) - unix_micros(conversation_timelines.first_inbound_at)
    ) / 1e6 as first_response_seconds,
    conversation_timelines.first_human_response_at,
    (
        unix_micros(conversation_timelines.first_human_response_at)
        - unix_micros(conversation_timelines.first_inbound_at)
    ) / 1e6 as first_human_response_seconds,
    conversation_timelines.last_inbound_at,
    conversation_timelines.last_event_at,
    conversation_timelines.messages_in,
    conversation_timelines.messages_out,
    conversation_timelines.first_inbound_at is not null as engaged,
    conversation_timelines.first_response_at is not null as answered,
    conversation_timelines.last_inbound_at + case contacts.platform
        when 'whatsapp' then :whatsapp_window
        when 'instagram' then :instagram_window
        else :messenger_window
    end as window_closes_at,
    -- The window's length, in microseconds, is what it adds to any instant.
    coalesce(
        conversation_timelines.latest_reply_micros
        > unix_micros(
            conversation_timelines.opened_at + case contacts.platform
                when 'whatsapp' then :whatsapp_window
                when 'instagram' then :instagram_window
                else :messenger_window
            end
        ) - unix_micros(conversation_timelines.opened_at),
        false
    ) as outside_window,
    coalesce(credited.credit_billionths, 0) / 1e9 as sales,
    cast(coalesce(credited.credited_cents, 0) * :minor_unit as decimal(18, :decimals)) as revenue
from conversation_timelines
inner join contacts
    on conversation_timelines.contact_key = contacts.contact_key
left join opening_ids
    on
        conversation_timelines.contact_key = opening_ids.contact_key
        and conversation_timelines.opened_at = opening_ids.occurred_at
left join credited
    on
        conversation_timelines.contact_key = credited.contact_key
        and conversation_timelines.opened_at = credited.touched_at
