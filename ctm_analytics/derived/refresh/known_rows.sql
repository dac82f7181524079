-- One row per event of a file that may yet be compacted: what stood there can be looked for in what came instead.
select
    file,
    row_hash
from appeared
where file in (:young)
union all
select
    file,
    row_hash
from last_known_rows
where file in (:young) and file not in (:came)
