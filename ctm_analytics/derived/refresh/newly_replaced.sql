-- One row per touched contact: since when its rows are replaced by those that are worked out now.
select
    contact_key,
    redo_from,
    coalesce(last_opened_at, redo_from) as timelines_from
from redone
