-- One row per sale: an order or deal that was won, in smallest units of the reporting currency; the latest import wins.
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
        cast(convert_timezone('UTC', :reporting_timezone, sold_at) as date) as sold_day,
        coalesce(refunded_amount, 0) as refund
    from known
    where imported_at = latest_imported_at and sold_at <= :as_of
),

-- A refund goes by the rate of the sale's own day, so that a full one leaves nothing.
priced as (
    select
        latest.*,
        case when latest.currency = :reporting_currency then 1 else day_rates.rate end as rate
    from latest
    left join day_rates
        on latest.sold_day = day_rates.day and latest.currency = day_rates.currency
),

valued as (
    select
        *,
        cast(round(cast(gross_amount as decimal(20, 3)) * rate * :minor_units) as bigint) as gross_cents,
        cast(round(cast(refund as decimal(20, 3)) * rate * :minor_units) as bigint) as refunded_cents
    from priced
)

select
    sale_id,
    sold_at,
    sold_day,
    currency,
    customer_id,
    email,
    phone,
    platform,
    account_id,
    contact_id,
    ref,
    ad_id,
    status,
    is_new_customer,
    gross_cents,
    refunded_cents,
    cast(case when status = 'cancelled' then 0 else gross_cents - refunded_cents end as bigint) as net_cents,
    -- A cancelled or fully refunded sale stays a sale, but counts in no conversion.
    status <> 'cancelled' and (refund = 0 or refund < gross_amount) as is_counted
from valued
