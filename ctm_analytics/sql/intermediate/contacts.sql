-- One row per contact: a person as seen by one account.
select
    contact_key,
    max(platform) as platform,
    max(account_id) as account_id,
    max(contact_id) as contact_id
from events
where contact_key is not null and event_type <> 'test'
group by contact_key
