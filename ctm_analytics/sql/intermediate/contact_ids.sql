-- One row per id of a contact, as Meta writes it; only in WhatsApp does one contact have several.
with known as (
    select
        contact_key,
        platform,
        account_id,
        contact_id
    from contacts
    union all
    select
        contact_key,
        'whatsapp' as platform,
        account_id,
        contact_id
    from contact_aliases
)

select
    contact_key,
    platform,
    account_id,
    contact_id
from known
group by contact_key, platform, account_id, contact_id
