-- One row per day and currency: what one unit was worth in the reporting currency; the latest import wins.
select
    day,
    currency,
    max_by(rate, imported_at) as rate
from raw_rates
where imported_at <= :as_of
group by day, currency
