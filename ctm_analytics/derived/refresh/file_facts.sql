-- One row per file: how many events are in it, and until when; known_at is the last instant until :as_of.
select
    file,
    count(*) as events,
    max(received_at) as received_until,
    max(occurred_at) as occurred_until,
    greatest(
        max(case when received_at <= :as_of then received_at end),
        max(case when occurred_at <= :as_of then occurred_at end)
    ) as known_at
from looked_at
group by file
