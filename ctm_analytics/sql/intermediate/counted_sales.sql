-- One row per sale that counts: neither cancelled nor refunded in full, with its match and whether its buyer is new.
select
    sales.sale_id,
    sales.sold_at,
    sales.sold_day,
    sales.net_cents,
    sale_matches.contact_key,
    sale_matches.declared_ad_id,
    sale_matches.matched_by,
    customers.is_new_customer
from sales
inner join sale_matches
    on sales.sale_id = sale_matches.sale_id
inner join customers
    on sales.sale_id = customers.sale_id
where sales.is_counted
