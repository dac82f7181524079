-- One row per touched contact: redo_from is since when its conversations are worked out anew: the last opening before the
-- change that no later event can move and no click before it can reach. What the new ones need to know of those before:
-- the last inbound message; and last_opened_at, the conversation whose next one may open earlier now.
with known as (
    select
        touched.contact_key,
        touched.changed_from,
        histories.opened_at,
        histories.last_event_at,
        histories.last_inbound_at,
        lag(histories.last_event_at) over (
            partition by touched.contact_key
            order by histories.opened_at
        ) as previous_event_at
    from touched
    left join histories
        on touched.contact_key = histories.contact_key
),

boundaries as (
    select
        contact_key,
        changed_from,
        max(
            case
                when
                    opened_at <= changed_from
                    and (previous_event_at is null or opened_at > previous_event_at + :touch_gap)
                    then opened_at
            end
        ) as boundary_at,
        max(case when opened_at <= changed_from then last_event_at end) as silent_since
    from known
    group by contact_key, changed_from
),

restarts as (
    select
        contact_key,
        case
            when silent_since is null then changed_from
            when
                changed_from >= silent_since + :conversation_gap and changed_from > silent_since + :touch_gap
                then changed_from
            else boundary_at
        end as redo_from
    from boundaries
)

select
    restarts.contact_key,
    restarts.redo_from,
    max(case when known.opened_at < restarts.redo_from then known.opened_at end) as last_opened_at,
    max(case when known.opened_at < restarts.redo_from then known.last_inbound_at end) as last_inbound_at
from restarts
left join known
    on restarts.contact_key = known.contact_key
group by restarts.contact_key, restarts.redo_from
