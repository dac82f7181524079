-- One row per attribution model, window and ad: what the ad is credited with, and what it cost in the period.
-- An ad_id of null is what no ad is credited with.
with windows as (
    select distinct cast(window_days as bigint) as window_days
    from attribution_rules
),

reached as (
    select
        window_days,
        sale_id,
        max(touched_at) as touched_at
    from eligible_touches
    where is_counted
    group by window_days, sale_id
),

-- Models differ only over sales of several touches; what is alike in all of them is added up once, without a model.
parts as (
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
        cast(null as string) as model,
        window_days,
        sale_id,
        touched_at,
        ad_id,
        1000000000 as credit_billionths,
        net_cents as credited_cents
    from eligible_touches
    where is_counted and touch_count = 1
    union all
    select
        cast(null as string) as model,
        windows.window_days,
        counted_sales.sale_id,
        reached.touched_at,
        counted_sales.declared_ad_id as ad_id,
        1000000000 as credit_billionths,
        counted_sales.net_cents as credited_cents
    from counted_sales
    cross join windows
    left join reached
        on windows.window_days = reached.window_days and counted_sales.sale_id = reached.sale_id
    where reached.sale_id is null
),

sold as (
    select
        counted_sales.sale_id,
        counted_sales.sold_day,
        counted_sales.is_new_customer
    from counted_sales
    left join contacts
        on counted_sales.contact_key = contacts.contact_key
    where
        (:platform is null or contacts.platform = :platform)
        and (:account is null or contacts.account_id = :account)
),

credited as (
    select
        parts.model,
        parts.window_days,
        parts.ad_id,
        parts.credit_billionths,
        parts.credited_cents,
        sold.is_new_customer,
        case
            when :basis = 'cohort' and parts.touched_at is not null
                then cast(convert_timezone('UTC', :reporting_timezone, parts.touched_at) as date)
            else sold.sold_day
        end as credited_day
    from parts
    inner join sold
        on parts.sale_id = sold.sale_id
),

sums as (
    select
        model,
        window_days,
        ad_id,
        sum(credit_billionths) as sales_billionths,
        sum(case when is_new_customer then credit_billionths else 0 end) as new_customers_billionths,
        sum(credited_cents) as revenue_cents
    from credited
    where
        (:since is null or credited_day >= :since)
        and (:until is null or credited_day <= :until)
    group by model, window_days, ad_id
),

measures as (
    select
        attribution_rules.model,
        attribution_rules.window_days,
        sums.ad_id,
        cast(sum(sums.sales_billionths) as bigint) as sales_billionths,
        cast(sum(sums.new_customers_billionths) as bigint) as new_customers_billionths,
        cast(sum(sums.revenue_cents) as bigint) as revenue_cents
    from attribution_rules
    inner join sums
        on attribution_rules.window_days = sums.window_days
    where sums.model is null or sums.model = attribution_rules.model
    group by attribution_rules.model, attribution_rules.window_days, sums.ad_id
),

-- An ad has one spend on all its platforms and accounts: there no cost can be told.
costs as (
    select
        ad_id,
        cast(sum(spend_cents) as bigint) as spend_cents
    from spend
    where
        (:since is null or day >= :since)
        and (:until is null or day <= :until)
        and :platform is null
        and :account is null
    group by ad_id
),

-- An ad that one model gives nothing stands there with nothing.
credited_ads as (
    select ad_id from costs
    union
    select ad_id from measures
)

select
    attribution_rules.model,
    attribution_rules.window_days,
    credited_ads.ad_id,
    ads.ad_name,
    ads.campaign_id,
    ads.campaign_name,
    cast(costs.spend_cents * :minor_unit as decimal(18, :decimals)) as spend,
    cast(:reporting_currency as string) as currency,
    coalesce(measures.sales_billionths, 0) / 1e9 as sales,
    coalesce(measures.new_customers_billionths, 0) / 1e9 as new_customers,
    cast(coalesce(measures.revenue_cents, 0) * :minor_unit as decimal(18, :decimals)) as revenue,
    costs.spend_cents / :minor_units / nullif(measures.new_customers_billionths / 1e9, 0) as cac,
    coalesce(measures.revenue_cents, 0) / :minor_units / nullif(costs.spend_cents / :minor_units, 0) as roas
from credited_ads
cross join attribution_rules
left join costs
    on credited_ads.ad_id = costs.ad_id
left join measures
    on
        attribution_rules.model = measures.model
        and attribution_rules.window_days = measures.window_days
        and credited_ads.ad_id is not distinct from measures.ad_id
left join ads
    on credited_ads.ad_id = ads.ad_id
where
    (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or credited_ads.ad_id = :ad or ads.ad_name = :ad)
order by
    costs.spend_cents desc nulls last,
    credited_ads.ad_id asc nulls last,
    attribution_rules.window_days asc,
    attribution_rules.model asc
