-- One row per pair of ids that an event says are one WhatsApp contact's: phone numbers and user ids, one way.
-- A number and a user id of one delivery are one person where somebody is known by that user id.
with user_ids as (
    select contact_id as user_id
    from whatsapp_ids
    where contact_id like '%.%'
    union all
    select old_id as user_id
    from id_changes
    where contact_id is null or old_id like '%.%'
    union all
    select new_id as user_id
    from id_changes
    where contact_id is null
)

select
    told_ids.contact_id as one_id,
    told_ids.user_id as other_id
from told_ids
inner join user_ids
    on told_ids.user_id = user_ids.user_id
group by told_ids.contact_id, told_ids.user_id
union all
select
    contact_id as one_id,
    phone as other_id
from told_ids
where contact_id like '%.%'
union all
select
    coalesce(contact_id, old_id) as one_id,
    new_id as other_id
from id_changes
union all
select
    coalesce(contact_id, phone) as one_id,
    case when contact_id is null then new_id else old_id end as other_id
from id_changes
