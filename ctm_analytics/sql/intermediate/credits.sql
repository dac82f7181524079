-- One row per sale and credited touch; a sale that no touch is credited with has one row without a touch.
-- Each counted sale hands out exactly one credit (10^9 billionths) and its net amount to the cent.
with asked_shares as (
    select
        sale_id,
        touched_at,
        ad_id,
        credit_billionths,
        credited_cents
    from shares
    where model = :model
)

select
    counted_sales.sale_id,
    counted_sales.sold_at,
    counted_sales.contact_key,
    counted_sales.matched_by,
    counted_sales.is_new_customer,
    asked_shares.touched_at,
    coalesce(asked_shares.ad_id, counted_sales.declared_ad_id) as ad_id,
    coalesce(asked_shares.credit_billionths, 1000000000) as credit_billionths,
    cast(coalesce(asked_shares.credited_cents, counted_sales.net_cents) as bigint) as credited_cents,
    case
        when :basis = 'cohort' and asked_shares.touched_at is not null
            then cast(convert_timezone('UTC', :reporting_timezone, asked_shares.touched_at) as date)
        else counted_sales.sold_day
    end as credited_day
from counted_sales
left join asked_shares
    on counted_sales.sale_id = asked_shares.sale_id
