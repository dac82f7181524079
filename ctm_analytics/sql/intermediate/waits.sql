-- One row per wait: an engaged conversation's for its first response (or a later turn's for its own, by :turns).
-- Unanswered is censored, not dropped and not zero: at :as_of, the contact's next conversation, or a gap in capture.
with first_waits as (
    select
        contact_key,
        platform,
        account_id,
        opened_at,
        ad_id,
        first_inbound_at as started_at,
        next_opened_at as over_at,
        case when :responder = 'human' then first_human_response_at else first_response_at end as responded_at,
        case
            when first_response_at = first_human_response_at then 'human'
            when first_response_at = first_manual_response_at then 'unknown'
            when first_response_at is not null then 'bot'
        end as responder
    from conversation_timelines
    where first_inbound_at is not null and :turns <> 'next'
),

each_turn as (
    select
        contact_key,
        opened_at,
        turn_started_at,
        responded_at,
        human_responded_at,
        responder,
        is_first,
        lead(turn_started_at) over (partition by contact_key order by turn_started_at) as next_turn_started_at
    from responses
),

-- Whom only a bot has answered, a person can still answer until the next turn begins.
next_waits as (
    select
        each_turn.contact_key,
        conversation_timelines.platform,
        conversation_timelines.account_id,
        each_turn.opened_at,
        conversation_timelines.ad_id,
        each_turn.turn_started_at as started_at,
        least(
            coalesce(each_turn.next_turn_started_at, conversation_timelines.next_opened_at),
            coalesce(conversation_timelines.next_opened_at, each_turn.next_turn_started_at)
        ) as over_at,
        case
            when :responder = 'human' then each_turn.human_responded_at else each_turn.responded_at
        end as responded_at,
        each_turn.responder
    from each_turn
    inner join conversation_timelines
        on
            each_turn.contact_key = conversation_timelines.contact_key
            and each_turn.opened_at = conversation_timelines.opened_at
    where not each_turn.is_first and :turns <> 'first'
),

started as (
    select * from first_waits
    union all
    select * from next_waits
),

blinded as (
    select
        started.contact_key,
        started.started_at,
        min(greatest(capture_gaps.gap_started_at, started.started_at)) as blind_at
    from started
    inner join capture_gaps
        on started.started_at < capture_gaps.gap_ended_at
    where started.responded_at is null
    group by started.contact_key, started.started_at
),

ended as (
    select
        started.contact_key,
        started.platform,
        started.account_id,
        started.opened_at,
        started.ad_id,
        started.started_at,
        started.responder,
        started.responded_at is not null as is_answered,
        coalesce(
            started.responded_at,
            least(:as_of, coalesce(started.over_at, :as_of), coalesce(blinded.blind_at, :as_of))
        ) as ended_at
    from started
    left join blinded
        on started.contact_key = blinded.contact_key and started.started_at = blinded.started_at
)

select
    contact_key,
    platform,
    account_id,
    opened_at,
    ad_id,
    started_at,
    ended_at,
    is_answered,
    responder,
    unix_micros(ended_at) - unix_micros(started_at) as waited_micros
from ended
