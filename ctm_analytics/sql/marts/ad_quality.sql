-- One row per ad (or all, by :by): how its spend was restated, and its CAC if none or all unmatched sales were its own.
with changes as (
    select
        ad_id,
        cast(sum(restated_cents - previous_cents) as bigint) as change_cents,
        count(distinct day) as restated_days,
        max(restated_at) as restated_at
    from restatements
    where (:since is null or day >= :since) and (:until is null or day <= :until)
    group by ad_id
),

credited as (
    select
        ad_id,
        cast(sum(spend_cents) as bigint) as spend_cents,
        cast(sum(sales_billionths) as bigint) as sales_billionths,
        cast(sum(new_customers_billionths) as bigint) as new_customers_billionths
    from ad_days
    where
        ad_id is not null
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
    group by ad_id
),

-- Each may be any ad's; who may be new counts as new.
unmatched as (
    select
        count(*) as unmatched_sales,
        count(case when coalesce(is_new_customer, true) then 1 end) as unmatched_new_customers
    from counted_sales
    where
        matched_by in ('unmatched', 'ambiguous')
        and (:since is null or sold_day >= :since)
        and (:until is null or sold_day <= :until)
),

totals as (
    select
        case when :by = 'ad' then credited.ad_id end as ad_id,
        case when :by = 'ad' then max(ads.ad_name) end as ad_name,
        cast(sum(credited.spend_cents) as bigint) as spend_cents,
        cast(sum(credited.spend_cents - coalesce(changes.change_cents, 0)) as bigint) as first_spend_cents,
        cast(sum(coalesce(changes.restated_days, 0)) as bigint) as restated_days,
        max(changes.restated_at) as restated_at,
        cast(sum(credited.sales_billionths) as bigint) as sales_billionths,
        -- Customers of an ad without spend would make the others look cheap.
        cast(
            sum(case when credited.spend_cents is not null then credited.new_customers_billionths end) as bigint
        ) as new_customers_billionths
    from credited
    left join changes
        on credited.ad_id = changes.ad_id
    left join ads
        on credited.ad_id = ads.ad_id
    group by case when :by = 'ad' then credited.ad_id end
)

select
    totals.ad_id,
    totals.ad_name,
    cast(totals.first_spend_cents * :minor_unit as decimal(18, :decimals)) as first_spend,
    cast(totals.spend_cents * :minor_unit as decimal(18, :decimals)) as spend,
    cast((totals.spend_cents - totals.first_spend_cents) * :minor_unit as decimal(18, :decimals)) as spend_change,
    cast(:reporting_currency as string) as currency,
    totals.restated_days,
    totals.restated_at,
    totals.sales_billionths / 1e9 as sales,
    unmatched.unmatched_sales,
    totals.sales_billionths / 1e9
    / nullif(totals.sales_billionths / 1e9 + unmatched.unmatched_sales, 0) as match_rate_low,
    totals.new_customers_billionths / 1e9 as paid_new_customers,
    unmatched.unmatched_new_customers,
    totals.spend_cents / :minor_units / nullif(totals.new_customers_billionths / 1e9, 0) as cac,
    totals.spend_cents / :minor_units
    / nullif(totals.new_customers_billionths / 1e9 + unmatched.unmatched_new_customers, 0) as cac_if_all
from totals
cross join unmatched
order by totals.spend_cents desc nulls last, totals.ad_id asc nulls last
