-- One row per imported statement that a contact is a customer, as far as was known by :as_of.
select
    contact_id,
    platform,
    account_id,
    customer_id,
    email,
    phone,
    imported_at
from raw_contacts
where imported_at <= :as_of
