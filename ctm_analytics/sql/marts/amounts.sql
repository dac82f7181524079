-- One row per currency and day on which something was spent or sold, and whether its rate is known.
with amounts_in as (
    select
        day,
        currency
    from spend
    union all
    select
        sold_day as day,
        currency
    from sales
)

select
    amounts_in.currency,
    amounts_in.day,
    count(rates.rate) > 0 as has_rate
from amounts_in
left join rates
    on amounts_in.day = rates.day and amounts_in.currency = rates.currency
group by amounts_in.currency, amounts_in.day
