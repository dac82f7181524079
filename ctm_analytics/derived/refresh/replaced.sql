-- One row per contact of whom rows of the base are replaced: since when, and of contacts its row.
with replacements as (
    select *
    from newly_replaced
    union all by name
    select *
    from last_replaced
)

select
    contact_key,
    min(redo_from) as redo_from,
    min(timelines_from) as timelines_from
from replacements
group by contact_key
