-- One row per ad (or ad set, campaign, platform, day or week, by :by): what it cost, what it brought, and the ratios.
with filtered as (
    select
        case when :by = 'platform' then platform end as platform,
        case when :by = 'day' then day end as day,
        case when :by = 'week' then cast(date_trunc('week', day) as date) end as week,
        ad_id,
        day as ad_day,
        spend_cents,
        impressions,
        link_clicks,
        reported_conversations,
        conversations,
        opened_silently,
        engaged,
        answered,
        conversions,
        immature,
        sales_billionths,
        new_customers_billionths,
        revenue_cents
    from ad_days
    where
        (not :ads_only or ad_id is not null)
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
        and (:platform is null or platform = :platform)
        and (:account is null or account_id = :account)
),

-- Costs are of ads whose spend is known: one without would make customers look cheaper than they were.
-- One ad has one spend on all its platforms, so no cost can be told per platform.
paid as (
    select ad_id
    from filtered
    where spend_cents is not null and :by <> 'platform'
    group by ad_id
),

reported as (
    select
        ad_id,
        ad_day
    from filtered
    where reported_conversations is not null and :by <> 'platform'
    group by ad_id, ad_day
),

marked as (
    select
        filtered.*,
        paid.ad_id is not null as is_paid,
        reported.ad_id is not null as is_reported
    from filtered
    left join paid
        on filtered.ad_id = paid.ad_id
    left join reported
        on filtered.ad_id = reported.ad_id and filtered.ad_day = reported.ad_day
),

-- Each ad by itself first: its names are joined to one row, not to each of its days.
ad_sums as (
    select
        platform,
        day,
        week,
        ad_id,
        cast(sum(spend_cents) as bigint) as spend_cents,
        cast(sum(case when is_paid then spend_cents end) as bigint) as paid_cents,
        cast(sum(case when is_reported then reported_conversations end) as bigint) as covered_reports,
        cast(sum(case when is_reported then engaged end) as bigint) as covered_engaged,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(link_clicks) as bigint) as link_clicks,
        cast(sum(reported_conversations) as bigint) as reported_conversations,
        cast(sum(conversations) as bigint) as conversations,
        cast(sum(opened_silently) as bigint) as opened_silently,
        cast(sum(engaged) as bigint) as engaged,
        cast(sum(answered) as bigint) as answered,
        -- A rate per ad needs the ad's own conversations; what no ad brought cannot be credited with a sale.
        cast(sum(case when ad_id is not null then engaged end) as bigint) as ad_engaged,
        cast(sum(case when ad_id is not null then conversions end) as bigint) as conversions,
        cast(sum(immature) as bigint) as immature,
        cast(sum(sales_billionths) as bigint) as sales_billionths,
        cast(sum(new_customers_billionths) as bigint) as new_customers_billionths,
        cast(sum(case when is_paid then conversations end) as bigint) as paid_conversations,
        cast(sum(case when is_paid then sales_billionths end) as bigint) as paid_sales_billionths,
        cast(sum(case when is_paid then new_customers_billionths end) as bigint) as paid_new_customers_billionths,
        cast(sum(case when is_paid then revenue_cents end) as bigint) as paid_revenue_cents,
        cast(sum(revenue_cents) as bigint) as revenue_cents
    from marked
    group by platform, day, week, ad_id
),

named as (
    select
        ad_sums.*,
        case when :by = 'ad' then ad_sums.ad_id end as key_ad_id,
        case when :by = 'ad' then ads.ad_name end as ad_name,
        case when :by in ('ad', 'adset') then ads.adset_id end as adset_id,
        case when :by in ('ad', 'adset') then ads.adset_name end as adset_name,
        case when :by in ('ad', 'adset', 'campaign') then ads.campaign_id end as campaign_id,
        case when :by in ('ad', 'adset', 'campaign') then ads.campaign_name end as campaign_name
    from ad_sums
    left join ads
        on ad_sums.ad_id = ads.ad_id
    where
        (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
        and (:ad is null or ad_sums.ad_id = :ad or ads.ad_name = :ad)
),

totals as (
    select
        platform,
        day,
        week,
        key_ad_id as ad_id,
        ad_name,
        adset_id,
        adset_name,
        campaign_id,
        campaign_name,
        cast(sum(spend_cents) as bigint) as spend_cents,
        cast(sum(paid_cents) as bigint) as paid_cents,
        cast(sum(covered_reports) as bigint) as covered_reports,
        cast(sum(covered_engaged) as bigint) as covered_engaged,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(link_clicks) as bigint) as link_clicks,
        cast(sum(reported_conversations) as bigint) as reported_conversations,
        cast(sum(conversations) as bigint) as conversations,
        cast(sum(opened_silently) as bigint) as opened_silently,
        cast(sum(engaged) as bigint) as engaged,
        cast(sum(answered) as bigint) as answered,
        cast(sum(ad_engaged) as bigint) as ad_engaged,
        cast(sum(conversions) as bigint) as conversions,
        cast(sum(immature) as bigint) as immature,
        cast(sum(sales_billionths) as bigint) as sales_billionths,
        cast(sum(new_customers_billionths) as bigint) as new_customers_billionths,
        cast(sum(paid_conversations) as bigint) as paid_conversations,
        cast(sum(paid_sales_billionths) as bigint) as paid_sales_billionths,
        cast(sum(paid_new_customers_billionths) as bigint) as paid_new_customers_billionths,
        cast(sum(paid_revenue_cents) as bigint) as paid_revenue_cents,
        cast(sum(revenue_cents) as bigint) as revenue_cents
    from named
    group by platform, day, week, key_ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name
)

select
    platform,
    day,
    week,
    ad_id,
    ad_name,
    adset_id,
    adset_name,
    campaign_id,
    campaign_name,
    cast(spend_cents * :minor_unit as decimal(18, :decimals)) as spend,
    paid_cents / :minor_units as paid_spend,
    cast(:reporting_currency as string) as currency,
    impressions,
    link_clicks,
    reported_conversations,
    conversations,
    opened_silently,
    engaged,
    answered,
    ad_engaged,
    conversions,
    conversions / cast(nullif(ad_engaged, 0) as double) as conversion_rate,
    immature,
    sales_billionths / 1e9 as sales,
    new_customers_billionths / 1e9 as new_customers,
    paid_new_customers_billionths / 1e9 as paid_new_customers,
    cast(revenue_cents * :minor_unit as decimal(18, :decimals)) as revenue,
    revenue_cents / :minor_units / nullif(sales_billionths / 1e9, 0) as average_sale,
    paid_cents / :minor_units / nullif(paid_conversations, 0) as cost_per_conversation,
    paid_cents / :minor_units / nullif(paid_sales_billionths / 1e9, 0) as cost_per_sale,
    paid_cents / :minor_units / nullif(paid_new_customers_billionths / 1e9, 0) as cac,
    paid_revenue_cents / :minor_units / nullif(paid_cents / :minor_units, 0) as roas,
    covered_engaged / cast(nullif(covered_reports, 0) as double) as coverage
from totals
order by
    case when :by in ('day', 'week') then null else spend_cents end desc nulls last,
    platform asc nulls last,
    day asc nulls last,
    week asc nulls last,
    ad_id asc nulls last,
    adset_id asc nulls last,
    campaign_id asc nulls last,
    adset_name asc nulls last,
    campaign_name asc nulls last
