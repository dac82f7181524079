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
    count(day_rates.rate) > 0 as has_rate
from amounts_in
left join day_rates
    on amounts_in.day = day_rates.day and amounts_in.currency = day_rates.currency
group by amounts_in.currency, amounts_in.day
