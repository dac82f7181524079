-- One row per person who waits for an answer now: their last message has none, and the messaging window is open.
with waiting as (
    select
        responses.platform,
        responses.account_id,
        responses.contact_id,
        responses.contact_key,
        responses.opened_at,
        responses.turn_started_at as waiting_since,
        responses.messages_in as messages_waiting,
        responses.is_first
    from responses
    where
        case when :responder = 'human' then responses.human_responded_at else responses.responded_at end is null
),

-- Only the last turn of a contact can still be answered.
latest as (
    select
        contact_key,
        max(turn_started_at) as turn_started_at
    from responses
    group by contact_key
)

select
    conversations.conversation_id,
    waiting.platform,
    waiting.account_id,
    waiting.contact_id,
    conversations.opened_by,
    conversations.ad_id,
    ads.ad_name,
    waiting.waiting_since,
    (unix_micros(:as_of) - unix_micros(waiting.waiting_since)) / 1e6 as waited_seconds,
    conversations.last_inbound_at,
    conversations.window_closes_at,
    (unix_micros(conversations.window_closes_at) - unix_micros(:as_of)) / 1e6 as seconds_left,
    waiting.messages_waiting,
    waiting.is_first
from waiting
inner join latest
    on waiting.contact_key = latest.contact_key and waiting.waiting_since = latest.turn_started_at
inner join conversations
    on
        waiting.platform = conversations.platform
        and waiting.account_id = conversations.account_id
        and waiting.contact_id = conversations.contact_id
        and waiting.opened_at = conversations.opened_at
left join ads
    on conversations.ad_id = ads.ad_id
where
    conversations.window_closes_at > :as_of
    and (:platform is null or waiting.platform = :platform)
    and (:account is null or waiting.account_id = :account)
    and (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or conversations.ad_id = :ad or ads.ad_name = :ad)
order by conversations.window_closes_at asc, waiting.waiting_since asc, conversations.conversation_id asc
