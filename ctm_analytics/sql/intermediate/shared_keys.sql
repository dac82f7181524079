-- One row per contact_key that two contacts share: they are mixed up, in every period.
select contact_key
from raw_events
where contact_key is not null and received_at <= :as_of
group by contact_key
having min(platform) <> max(platform) or min(account_id) <> max(account_id) or min(contact_id) <> max(contact_id)
