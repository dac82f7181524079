-- One row: how many events of files that are gone stand in none of those that came.
select count(*) as events
from last_known_rows
where file in (:gone) and row_hash not in (select row_hash from appeared)
