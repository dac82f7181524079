-- One row per window, sale, and ad touch of its contact within the window before it, both ends included.
with windows as (
    select distinct cast(window_days as bigint) as window_days
    from attribution_rules
)

select
    windows.window_days,
    sales.sale_id,
    sales.net_cents,
    sales.is_counted,
    touches.contact_key,
    touches.touched_at,
    touches.ad_id,
    cast(
        row_number() over (
            partition by windows.window_days, sales.sale_id
            order by touches.touched_at, touches.ad_id
        ) as bigint
    ) as position,
    count(*) over (partition by windows.window_days, sales.sale_id) as touch_count,
    count(*) over (partition by windows.window_days, sales.sale_id, touches.ad_id) as touches_of_ad,
    max(touches.touched_at) over (partition by windows.window_days, sales.sale_id) as last_touched_at
from sales
inner join sale_matches
    on sales.sale_id = sale_matches.sale_id
inner join touches
    on sale_matches.contact_key = touches.contact_key and sales.sold_at >= touches.touched_at
inner join windows
    on unix_micros(sales.sold_at) - unix_micros(touches.touched_at) <= windows.window_days * 86400000000
where touches.touch_type = 'ad'
