-- One row per restatement: an import that changed what a day of an ad had cost, and from what to what.
with ordered as (
    select
        day,
        ad_id,
        spend,
        currency,
        imported_at,
        import_id,
        lag(spend) over (partition by day, ad_id order by imported_at) as previous_spend,
        lag(currency) over (partition by day, ad_id order by imported_at) as previous_currency
    from raw_spend
    where imported_at <= :as_of
)

select
    ordered.day,
    ordered.ad_id,
    ordered.imported_at as restated_at,
    ordered.import_id,
    cast(
        round(
            cast(ordered.previous_spend as decimal(20, 3))
            * case when ordered.previous_currency = :reporting_currency then 1 else previous_rates.rate end
            * :minor_units
        ) as bigint
    ) as previous_cents,
    cast(
        round(
            cast(ordered.spend as decimal(20, 3))
            * case when ordered.currency = :reporting_currency then 1 else day_rates.rate end
            * :minor_units
        ) as bigint
    ) as restated_cents
from ordered
left join day_rates
    on ordered.day = day_rates.day and ordered.currency = day_rates.currency
left join day_rates as previous_rates
    on ordered.day = previous_rates.day and ordered.previous_currency = previous_rates.currency
where ordered.previous_spend <> ordered.spend or ordered.previous_currency <> ordered.currency
