-- One row per sale: an order or deal that was won, in reporting cents; the latest import of a sale wins.
with known as (
    select
        *,
        max(imported_at) over (partition by sale_id) as latest_imported_at
    from raw_sales
    where imported_at <= :as_of
),

latest as (
    select
        *,
        cast(convert_timezone('UTC', :reporting_timezone, sold_at) as date) as sold_day
    from known
    where imported_at = latest_imported_at and sold_at <= :as_of
),

valued as (
    select
        latest.sale_id,
        latest.sold_at,
        latest.sold_day,
        latest.currency,
        latest.customer_id,
        latest.email,
        latest.phone,
        latest.platform,
        latest.account_id,
        latest.contact_id,
        latest.ref,
        latest.ad_id,
        latest.status,
        latest.is_new_customer,
        cast(
            round(
                case
                    when latest.currency = :reporting_currency then latest.gross_amount
                    else latest.gross_amount * rates.rate
                end * 100
            ) as bigint
        ) as gross_cents,
        cast(
            round(
                case
                    when latest.currency = :reporting_currency then coalesce(latest.refunded_amount, 0)
                    else coalesce(latest.refunded_amount, 0) * rates.rate
                end * 100
            ) as bigint
        ) as refunded_cents
    from latest
    left join rates
        on latest.sold_day = rates.day and latest.currency = rates.currency
)

select
    *,
    case when status = 'cancelled' then 0 else gross_cents - refunded_cents end as net_cents,
    -- A cancelled or fully refunded sale stays a sale, but counts in no conversion.
    status <> 'cancelled' and (refunded_cents = 0 or refunded_cents < gross_cents) as is_counted
from valued
