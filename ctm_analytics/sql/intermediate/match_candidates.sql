-- One row per sale, kind of evidence and contact that it points to; evidence_rank says which kind comes first.
-- Time alone never matches. Of the contacts that used one ref the first and the last stand here: two are too many.
with sale_phones as (
    select
        sales.sale_id,
        phone_numbers.phone_digits
    from sales
    inner join phone_numbers
        on sales.phone = phone_numbers.phone
),

contact_phones as (
    select
        contact_ids.contact_key,
        phone_numbers.phone_digits
    from contact_ids
    inner join phone_numbers
        on '+' || contact_ids.contact_id = phone_numbers.phone
    where contact_ids.platform = 'whatsapp'
),

pointers as (
    select
        sales.sale_id,
        1 as evidence_rank,
        contact_ids.contact_key
    from sales
    inner join contact_ids
        on
            sales.contact_id = contact_ids.contact_id
            and coalesce(sales.platform, contact_ids.platform) = contact_ids.platform
            and coalesce(sales.account_id, contact_ids.account_id) = contact_ids.account_id
    union all
    select
        sales.sale_id,
        2 as evidence_rank,
        known_customers.contact_key
    from sales
    inner join known_customers
        on sales.customer_id = known_customers.customer_id
    union all
    select
        sales.sale_id,
        2 as evidence_rank,
        known_customers.contact_key
    from sales
    inner join known_customers
        on sales.email = known_customers.email
    union all
    select
        sale_phones.sale_id,
        2 as evidence_rank,
        known_customers.contact_key
    from sale_phones
    inner join known_customers
        on sale_phones.phone_digits = known_customers.phone_digits
    union all
    select
        sale_phones.sale_id,
        3 as evidence_rank,
        contact_phones.contact_key
    from sale_phones
    inner join contact_phones
        on sale_phones.phone_digits = contact_phones.phone_digits
    union all
    -- A ref that several contacts used, as an ad's is, says nothing: a declared ad (rank 5) comes before it.
    select
        sales.sale_id,
        case when used_refs.contact_key = used_refs.other_contact_key then 4 else 6 end as evidence_rank,
        used_refs.contact_key
    from sales
    inner join used_refs
        on sales.ref = used_refs.ref
    union all
    select
        sales.sale_id,
        6 as evidence_rank,
        used_refs.other_contact_key as contact_key
    from sales
    inner join used_refs
        on sales.ref = used_refs.ref
    where used_refs.contact_key <> used_refs.other_contact_key
)

select
    sale_id,
    evidence_rank,
    case evidence_rank
        when 1 then 'contact_id'
        when 2 then 'identity'
        when 3 then 'phone'
        else 'ref'
    end as evidence,
    contact_key
from pointers
group by sale_id, evidence_rank, contact_key
