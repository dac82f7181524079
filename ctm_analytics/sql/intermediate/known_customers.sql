-- One row per statement that a captured contact is a customer; of an id's statements those of the latest import count.
with stated as (
    select
        contact_ids.contact_key,
        customer_contacts.customer_id,
        customer_contacts.email,
        phone_numbers.phone_digits,
        customer_contacts.imported_at,
        max(customer_contacts.imported_at) over (
            partition by contact_ids.platform, contact_ids.account_id, contact_ids.contact_id
        ) as latest_imported_at
    from customer_contacts
    inner join contact_ids
        on
            customer_contacts.contact_id = contact_ids.contact_id
            and coalesce(customer_contacts.platform, contact_ids.platform) = contact_ids.platform
            and coalesce(customer_contacts.account_id, contact_ids.account_id) = contact_ids.account_id
    left join phone_numbers
        on customer_contacts.phone = phone_numbers.phone
)

select
    contact_key,
    customer_id,
    email,
    phone_digits
from stated
where imported_at = latest_imported_at
