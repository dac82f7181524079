-- One row per event that had happened and was known by :as_of; contact_key is the person's, whatever id was captured.
select
    raw_events.event_id,
    raw_events.platform,
    raw_events.account_id,
    raw_events.contact_id,
    coalesce(contact_aliases.contact_key, raw_events.contact_key) as contact_key,
    raw_events.event_type,
    raw_events.direction,
    raw_events.occurred_at,
    raw_events.received_at,
    raw_events.message_id,
    raw_events.message_type,
    raw_events.referral_source,
    raw_events.referral_type,
    raw_events.ad_id,
    raw_events.ref,
    raw_events.post_id,
    raw_events.product_id,
    raw_events.flow_id,
    raw_events.ad_title,
    raw_events.ctwa_clid,
    raw_events.app_id,
    raw_events.responder,
    raw_events.standby,
    raw_events.status,
    raw_events.pricing_category,
    raw_events.text_length,
    raw_events.payload,
    raw_events.delivery_id
from raw_events
left join contact_aliases
    on raw_events.contact_key = contact_aliases.alias_key
where raw_events.received_at <= :as_of and raw_events.occurred_at <= :as_of
