-- One row per sale and credited touch; a sale that no touch is credited with has one row without a touch.
-- Each counted sale hands out exactly one credit (10^9 billionths) and its net amount to the cent (largest remainder).
with counted_sales as (
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
),

eligible as (
    select
        counted_sales.sale_id,
        counted_sales.net_cents,
        touches.touched_at,
        touches.ad_id,
        row_number() over (
            partition by counted_sales.sale_id
            order by touches.touched_at, touches.ad_id
        ) as position,
        count(*) over (partition by counted_sales.sale_id) as touch_count
    from counted_sales
    inner join touches
        on
            counted_sales.contact_key = touches.contact_key
            and counted_sales.sold_at >= touches.touched_at
            and counted_sales.sold_at - :window <= touches.touched_at
    where touches.touch_type = 'ad'
),

chosen as (
    select
        sale_id,
        net_cents,
        touched_at,
        ad_id,
        case when :model = 'linear' then position else 1 end as share_position,
        case when :model = 'linear' then touch_count else 1 end as share_count
    from eligible
    where
        :model = 'linear'
        or (:model = 'first_touch' and position = 1)
        or (:model = 'last_touch' and position = touch_count)
),

-- Equal shares have equal remainders, so the first touches take what is left over, one unit each.
shared as (
    select
        sale_id,
        touched_at,
        ad_id,
        cast((1000000000 - 1000000000 % share_count) / share_count as bigint)
        + case when share_position <= 1000000000 % share_count then 1 else 0 end as credit_billionths,
        cast((net_cents - net_cents % share_count) / share_count as bigint)
        + case when share_position <= abs(net_cents % share_count) then sign(net_cents) else 0 end as credited_cents
    from chosen
)

select
    counted_sales.sale_id,
    counted_sales.sold_at,
    counted_sales.contact_key,
    counted_sales.matched_by,
    counted_sales.is_new_customer,
    shared.touched_at,
    coalesce(shared.ad_id, counted_sales.declared_ad_id) as ad_id,
    coalesce(shared.credit_billionths, 1000000000) as credit_billionths,
    cast(coalesce(shared.credited_cents, counted_sales.net_cents) as bigint) as credited_cents,
    case
        when :basis = 'cohort' and shared.touched_at is not null
            then cast(convert_timezone('UTC', :reporting_timezone, shared.touched_at) as date)
        else counted_sales.sold_day
    end as credited_day
from counted_sales
left join shared
    on counted_sales.sale_id = shared.sale_id
