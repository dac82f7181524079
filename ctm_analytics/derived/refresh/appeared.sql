-- One row per event of the files that came since the last refresh: what a refresh reads of it, and a hash of all that
-- the models read of it, by which it is known again in another file.
select
    event_id,
    platform,
    account_id,
    contact_id,
    contact_key,
    event_type,
    occurred_at,
    received_at,
    message_type,
    ref,
    status,
    case when platform = 'whatsapp' then payload end as payload,
    file,
    hash(
        event_id,
        platform,
        account_id,
        contact_id,
        contact_key,
        event_type,
        direction,
        occurred_at,
        received_at,
        message_type,
        referral_source,
        ad_id,
        ref,
        post_id,
        product_id,
        app_id,
        responder,
        status,
        -- Read of WhatsApp alone; elsewhere it changes when a message is taken back.
        case when platform = 'whatsapp' then payload end
    ) as row_hash
from looked_at
