-- One row per day and currency in which something was spent or sold: the last rate known, at most :max_rate_age old.
with needed as (
    select
        day,
        currency
    from raw_spend
    where imported_at <= :as_of
    union all
    select
        cast(convert_timezone('UTC', :reporting_timezone, sold_at) as date) as day,
        currency
    from raw_sales
    where imported_at <= :as_of and sold_at <= :as_of
),

amount_days as (
    select
        day,
        currency
    from needed
    group by day, currency
)

select
    amount_days.day,
    amount_days.currency,
    max(rates.day) as rate_day,
    max_by(rates.rate, rates.day) as rate
from amount_days
inner join rates
    on
        amount_days.currency = rates.currency
        and amount_days.day >= rates.day
        and amount_days.day - :max_rate_age <= rates.day
group by amount_days.day, amount_days.currency
