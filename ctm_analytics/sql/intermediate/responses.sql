-- One row per turn: a run of inbound messages up to the next outbound one, with its person and its answer.
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
