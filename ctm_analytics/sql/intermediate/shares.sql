-- One row per attribution model, window, counted sale and credited touch: its part of the sale.
-- A touch that is alone has the whole sale, whatever the model.
select
    model,
    window_days,
    sale_id,
    touched_at,
    ad_id,
    credit_billionths,
    credited_cents
from divided_shares
union all
select
    attribution_rules.model,
    attribution_rules.window_days,
    eligible_touches.sale_id,
    eligible_touches.touched_at,
    eligible_touches.ad_id,
    cast(1000000000 as bigint) as credit_billionths,
    eligible_touches.net_cents as credited_cents
from eligible_touches
inner join attribution_rules
    on eligible_touches.window_days = attribution_rules.window_days
where eligible_touches.is_counted and eligible_touches.touch_count = 1
