-- One row: since when events of touched contacts are sought in all files; those of ids that are tied otherwise apart.
select min(redo_from) as redo_from
from redone
where contact_key not in (select contact_key from tied_otherwise)
