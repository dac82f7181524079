-- One row per engaged conversation: how long it waited for its first response, and whether that was seen.
-- Unanswered is censored, not dropped and not zero: at :as_of, the contact's next conversation, or a gap in capture.
with responded as (
    select
        contact_key,
        opened_at,
        ad_id,
        first_inbound_at,
        next_opened_at,
        case when :responder = 'human' then first_human_response_at else first_response_at end as responded_at
    from conversation_timelines
    where first_inbound_at is not null
),

blinded as (
    select
        responded.contact_key,
        responded.opened_at,
        min(greatest(capture_gaps.gap_started_at, responded.first_inbound_at)) as blind_at
    from responded
    inner join capture_gaps
        on responded.first_inbound_at < capture_gaps.gap_ended_at
    where responded.responded_at is null
    group by responded.contact_key, responded.opened_at
)

select
    responded.contact_key,
    responded.opened_at,
    responded.ad_id,
    responded.first_inbound_at,
    responded.responded_at is not null as is_answered,
    unix_micros(
        coalesce(
            responded.responded_at,
            least(
                :as_of,
                coalesce(responded.next_opened_at, :as_of),
                coalesce(blinded.blind_at, :as_of)
            )
        )
    ) - unix_micros(responded.first_inbound_at) as waited_micros
from responded
left join blinded
    on responded.contact_key = blinded.contact_key and responded.opened_at = blinded.opened_at
