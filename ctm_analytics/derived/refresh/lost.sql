-- One row: how many events stand in the files that came in other numbers than in those that are gone, of those known.
-- Fewer: one is lost, or a second copy of it; more: a second copy came. Neither can be mended.
with copies as (
    select
        row_hash,
        1 as came,
        0 as gone
    from appeared
    union all
    select
        row_hash,
        0 as came,
        1 as gone
    from last_known_rows
    where file in (:gone)
),

counted as (
    select
        row_hash,
        sum(came) as came,
        sum(gone) as gone
    from copies
    group by row_hash
)

select count(*) as events
from counted
where came <> gone and row_hash in (select row_hash from last_known_rows)
