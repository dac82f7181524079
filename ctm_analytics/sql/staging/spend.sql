-- One row per day and ad: what it cost, in smallest units of the reporting currency; the latest import wins.
with known as (
    select
        *,
        max(imported_at) over (partition by day, ad_id) as latest_imported_at
    from raw_spend
    where imported_at <= :as_of
),

latest as (
    select
        day,
        ad_id,
        spend,
        currency,
        ad_name,
        adset_id,
        adset_name,
        campaign_id,
        campaign_name,
        impressions,
        link_clicks,
        reported_conversations,
        is_estimated
    from known
    where imported_at = latest_imported_at
)

select
    latest.day,
    latest.ad_id,
    cast(
        round(
            cast(latest.spend as decimal(20, 3))
            * case when latest.currency = :reporting_currency then 1 else day_rates.rate end
            * :minor_units
        ) as bigint
    ) as spend_cents,
    latest.currency,
    latest.ad_name,
    latest.adset_id,
    latest.adset_name,
    latest.campaign_id,
    latest.campaign_name,
    latest.impressions,
    latest.link_clicks,
    latest.reported_conversations,
    latest.is_estimated
from latest
left join day_rates
    on latest.day = day_rates.day and latest.currency = day_rates.currency
