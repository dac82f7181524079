-- One row per imported statement that a contact is a customer; the latest import of a contact wins.
with known as (
    select
        *,
        max(imported_at) over (partition by contact_id, platform, account_id) as latest_imported_at
    from raw_contacts
    where imported_at <= :as_of
)

select
    contact_id,
    platform,
    account_id,
    customer_id,
    email,
    phone
from known
where imported_at = latest_imported_at
