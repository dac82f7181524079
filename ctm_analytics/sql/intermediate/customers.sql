-- One row per sale: its buyer (customer id, else e-mail, else phone, else contact), and whether it is their first.
with named as (
    select
        sales.sale_id,
        sales.sold_at,
        sales.is_new_customer,
        coalesce(
            'customer|' || sales.customer_id,
            'email|' || sales.email,
            'phone|' || phone_numbers.phone_digits,
            'contact|' || coalesce(cast(sale_matches.contact_key as string), sales.contact_id)
        ) as customer_key
    from sales
    left join sale_matches
        on sales.sale_id = sale_matches.sale_id
    left join phone_numbers
        on sales.phone = phone_numbers.phone
),

numbered as (
    select
        sale_id,
        customer_key,
        is_new_customer,
        row_number() over (partition by customer_key order by sold_at, sale_id) = 1 as is_first_sale
    from named
)

select
    sale_id,
    customer_key,
    -- The file's own word wins; a sale without a known buyer is neither new nor old.
    coalesce(is_new_customer, case when customer_key is not null then is_first_sale end) as is_new_customer
from numbered
