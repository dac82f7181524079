-- One row per activity of a contact: a message, postback, referral, lead or echo.
-- Narrow on purpose: windows over it are decided by what they carry, so text stays outside.
select
    contact_key,
    occurred_at,
    direction = 'outbound' as is_outbound,
    event_type in ('message', 'postback') and direction = 'inbound' as is_inbound_message,
    coalesce(
        direction = 'outbound' and (responder = 'human' or app_id in (:human_app_ids)), false
    ) as is_known_human,
    coalesce(direction = 'outbound' and (responder = 'bot' or app_id in (:bot_app_ids)), false) as is_known_bot
from events
where event_type in ('message', 'postback', 'referral', 'lead', 'echo') and contact_key is not null
