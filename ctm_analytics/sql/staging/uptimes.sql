-- One row per run of a receiver process: it was up from started_at to beat_at, as far as was known by :as_of.
select
    receiver_id,
    started_at,
    least(beat_at, :as_of) as beat_at
from raw_heartbeats
where started_at <= :as_of
