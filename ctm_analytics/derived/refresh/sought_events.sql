-- One row per event among which those of touched contacts are sought.
select *
from looked_at
union all by name
select *
from tied_events
