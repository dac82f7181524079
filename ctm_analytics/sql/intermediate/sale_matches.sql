-- One row per sale: the contact who bought, by the best evidence there is, or the ad that the sale itself declares.
-- Evidence: 1 the contact itself, 2 the contacts file, 3 the phone, 4 a ref that one contact used, 5 a declared ad.
-- Two contacts for one key are ambiguous: no credit. Time alone never matches.
with by_contact as (
    select
        sales.sale_id,
        1 as evidence,
        contact_ids.contact_key
    from sales
    inner join contact_ids
        on
            sales.contact_id = contact_ids.contact_id
            and coalesce(sales.platform, contact_ids.platform) = contact_ids.platform
            and coalesce(sales.account_id, contact_ids.account_id) = contact_ids.account_id
),

known_customers as (
    select
        customer_contacts.customer_id,
        customer_contacts.email,
        customer_contacts.phone,
        contact_ids.contact_key
    from customer_contacts
    inner join contact_ids
        on
            customer_contacts.contact_id = contact_ids.contact_id
            and coalesce(customer_contacts.platform, contact_ids.platform) = contact_ids.platform
            and coalesce(customer_contacts.account_id, contact_ids.account_id) = contact_ids.account_id
),

by_identity as (
    select
        sales.sale_id,
        2 as evidence,
        known_customers.contact_key
    from sales
    inner join known_customers
        on sales.customer_id = known_customers.customer_id
    union all
    select
        sales.sale_id,
        2 as evidence,
        known_customers.contact_key
    from sales
    inner join known_customers
        on sales.email = known_customers.email
    union all
    select
        sales.sale_id,
        2 as evidence,
        known_customers.contact_key
    from sales
    inner join known_customers
        on sales.phone = known_customers.phone
),

-- One person, two spellings: Brazil's mobile numbers with and without the ninth digit, Mexico's with and without the 1.
sale_phones as (
    select
        sale_id,
        case
            when phone like '+55%' and length(phone) = 14 and substr(phone, 6, 1) = '9'
                then substr(phone, 2, 4) || substr(phone, 7)
            when phone like '+521%' and length(phone) = 14 then '52' || substr(phone, 5)
            else substr(phone, 2)
        end as phone_digits
    from sales
    where phone like '+%'
),

contact_phones as (
    select
        contact_key,
        case
            when contact_id like '55%' and length(contact_id) = 13 and substr(contact_id, 5, 1) = '9'
                then substr(contact_id, 1, 4) || substr(contact_id, 6)
            when contact_id like '521%' and length(contact_id) = 13 then '52' || substr(contact_id, 4)
            else contact_id
        end as phone_digits
    from contact_ids
    where platform = 'whatsapp'
),

by_phone as (
    select
        sale_phones.sale_id,
        3 as evidence,
        contact_phones.contact_key
    from sale_phones
    inner join contact_phones
        on sale_phones.phone_digits = contact_phones.phone_digits
),

used_refs as (
    select
        ref,
        min(contact_key) as contact_key,
        max(contact_key) as other_contact_key
    from events
    where ref is not null and contact_key is not null and event_type <> 'test'
    group by ref
),

by_ref as (
    select
        sales.sale_id,
        4 as evidence,
        used_refs.contact_key
    from sales
    inner join used_refs
        on sales.ref = used_refs.ref
    where used_refs.contact_key = used_refs.other_contact_key
),

candidates as (
    select * from by_contact
    union all
    select * from by_identity
    union all
    select * from by_phone
    union all
    select * from by_ref
),

counted as (
    select
        sale_id,
        evidence,
        min(contact_key) as contact_key,
        max(contact_key) as other_contact_key
    from candidates
    group by sale_id, evidence
),

best as (
    select
        sale_id,
        min(evidence) as evidence,
        min_by(contact_key, evidence) as contact_key,
        min_by(other_contact_key, evidence) as other_contact_key
    from counted
    group by sale_id
)

select
    sales.sale_id,
    case when best.contact_key = best.other_contact_key then best.contact_key end as contact_key,
    case when best.sale_id is null then sales.ad_id end as declared_ad_id,
    case
        when best.contact_key <> best.other_contact_key then 'ambiguous'
        when best.evidence = 1 then 'contact_id'
        when best.evidence = 2 then 'identity'
        when best.evidence = 3 then 'phone'
        when best.evidence = 4 then 'ref'
        when sales.ad_id is not null then 'ad_id'
        -- A ref that several contacts used, as an ad's is, says nothing: a declared ad comes before it.
        when used_refs.ref is not null then 'ambiguous'
        else 'unmatched'
    end as matched_by
from sales
left join best
    on sales.sale_id = best.sale_id
left join used_refs
    on sales.ref = used_refs.ref
