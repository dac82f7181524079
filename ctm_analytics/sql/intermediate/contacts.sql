-- One row per contact: a person as seen by one account; of several ids the least stands here, so a number comes first.
select
    contact_key,
    max(platform) as platform,
    max(account_id) as account_id,
    min(contact_id) as contact_id
from events
where contact_key is not null and event_type <> 'test'
group by contact_key
