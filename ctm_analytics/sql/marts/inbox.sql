-- One row per person who waits for an answer now: their last message has none, and the messaging window is open.
with unanswered as (
    select
        contact_key,
        opened_at,
        turn_started_at,
        messages_in
    from turns
    where case when :responder = 'human' then human_responded_at else responded_at end is null
),

-- Only the last turn of a contact can still be answered.
latest as (
    select
        contact_key,
        max(turn_started_at) as turn_started_at
    from turns
    group by contact_key
),

waiting as (
    select
        contacts.platform,
        contacts.account_id,
        contacts.contact_id,
        unanswered.opened_at,
        unanswered.turn_started_at as waiting_since,
        unanswered.messages_in as messages_waiting
    from unanswered
    inner join latest
        on unanswered.contact_key = latest.contact_key and unanswered.turn_started_at = latest.turn_started_at
    inner join contacts
        on unanswered.contact_key = contacts.contact_key
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
    waiting.waiting_since = conversations.first_inbound_at as is_first
from waiting
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
