-- One row per attribution model, window and ad: what the ad is credited with, and what it cost in the period.
-- An ad_id of null is what no ad is credited with.
with credited as (
    select
        attribution_rules.model,
        attribution_rules.window_days,
        counted_sales.contact_key,
        counted_sales.is_new_customer,
        coalesce(shares.ad_id, counted_sales.declared_ad_id) as ad_id,
        coalesce(shares.credit_billionths, 1000000000) as credit_billionths,
        coalesce(shares.credited_cents, counted_sales.net_cents) as credited_cents,
        case
            when :basis = 'cohort' and shares.touched_at is not null
                then cast(convert_timezone('UTC', :reporting_timezone, shares.touched_at) as date)
            else counted_sales.sold_day
        end as credited_day
    from counted_sales
    cross join attribution_rules
    left join shares
        on
            attribution_rules.model = shares.model
            and attribution_rules.window_days = shares.window_days
            and counted_sales.sale_id = shares.sale_id
),

measures as (
    select
        credited.model,
        credited.window_days,
        credited.ad_id,
        cast(sum(credited.credit_billionths) as bigint) as sales_billionths,
        cast(
            sum(case when credited.is_new_customer then credited.credit_billionths else 0 end) as bigint
        ) as new_customers_billionths,
        cast(sum(credited.credited_cents) as bigint) as revenue_cents
    from credited
    left join contacts
        on credited.contact_key = contacts.contact_key
    where
        (:since is null or credited.credited_day >= :since)
        and (:until is null or credited.credited_day <= :until)
        and (:platform is null or contacts.platform = :platform)
        and (:account is null or contacts.account_id = :account)
    group by credited.model, credited.window_days, credited.ad_id
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
        and (credited_ads.ad_id = measures.ad_id or (credited_ads.ad_id is null and measures.ad_id is null))
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
