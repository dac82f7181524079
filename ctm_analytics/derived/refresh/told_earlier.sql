-- One row: how many contacts' ids, among those that came, were told before the first that was known to tell them.
select count(*) as ids
from came_told_ids
inner join last_told_ids
    on came_told_ids.contact_id = last_told_ids.contact_id and came_told_ids.told_as = last_told_ids.told_as
where came_told_ids.told_first < last_told_ids.told_first
