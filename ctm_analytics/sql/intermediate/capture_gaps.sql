-- One row per gap in capture: a stretch between two runs of a receiver, over :heartbeat_patience, that no run covers.
with ordered as (
    select
        started_at,
        max(beat_at) over (
            order by started_at
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from uptimes
)

select
    covered_until as gap_started_at,
    started_at as gap_ended_at
from ordered
where started_at > covered_until + :heartbeat_patience
