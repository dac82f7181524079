-- One row per data-quality check: how many there are of what should not be, out of how many.
with sales_in_period as (
    select
        sale_matches.matched_by,
        customers.customer_key,
        sales.is_counted
    from sales
    inner join sale_matches
        on sales.sale_id = sale_matches.sale_id
    inner join customers
        on sales.sale_id = customers.sale_id
    where (:since is null or sales.sold_day >= :since) and (:until is null or sales.sold_day <= :until)
),

spend_in_period as (
    select
        day,
        ad_id,
        spend_cents,
        is_estimated
    from spend
    where (:since is null or day >= :since) and (:until is null or day <= :until)
),

ads_in_period as (
    select
        ad_id,
        sum(spend_cents) as spend_cents,
        sum(conversations) as conversations
    from ad_days
    where
        ad_id is not null
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
    group by ad_id
),

-- Only days of an ad for which Meta reports: elsewhere nothing can be missed. Ad by ad: no surplus hides a loss.
reported_days as (
    select
        ad_id,
        day,
        sum(engaged) as engaged,
        sum(reported_conversations) as reported_conversations
    from ad_days
    where
        ad_id is not null
        and (:since is null or day >= :since)
        and (:until is null or day <= :until)
    group by ad_id, day
),

reported_ads as (
    select
        ad_id,
        cast(sum(engaged) as bigint) as engaged,
        cast(sum(reported_conversations) as bigint) as reported_conversations
    from reported_days
    where reported_conversations is not null
    group by ad_id
),

restated_days as (
    select
        day,
        ad_id
    from restatements
    where (:since is null or day >= :since) and (:until is null or day <= :until)
    group by day, ad_id
),

spent_days as (
    select day
    from spend_in_period
    group by day
    having sum(spend_cents) > 0
),

-- On a blind day something was spent and nobody was heard of.
spend_days as (
    select
        spent_days.day,
        heard_days.day is null as is_blind
    from spent_days
    left join heard_days
        on spent_days.day = heard_days.day
),

-- Of all time: a wrong date takes a sale out of the period that it belongs to.
future_sales as (
    select sale_id
    from raw_sales
    where imported_at <= :as_of
    group by sale_id
    having max_by(sold_at, imported_at) > :as_of
),

counts as (
    select
        'duplicate_events' as quality_check,
        repeated as found,
        events as out_of
    from event_counts
    union all
    select
        'shared_contact_keys' as quality_check,
        count(*) as found,
        cast(null as bigint) as out_of
    from shared_keys
    union all
    select
        'unknown_events' as quality_check,
        unknown_events as found,
        events as out_of
    from event_counts
    union all
    select
        'test_events' as quality_check,
        test_events as found,
        events as out_of
    from event_counts
    union all
    select
        'capture_gaps' as quality_check,
        count(*) as found,
        cast(null as bigint) as out_of
    from capture_gaps
    where
        (:since is null or cast(convert_timezone('UTC', :reporting_timezone, gap_ended_at) as date) >= :since)
        and (:until is null or cast(convert_timezone('UTC', :reporting_timezone, gap_started_at) as date) <= :until)
    union all
    select
        'blind_days' as quality_check,
        count_if(is_blind) as found,
        count(*) as out_of
    from spend_days
    union all
    select
        'future_sales' as quality_check,
        count(*) as found,
        cast(null as bigint) as out_of
    from future_sales
    union all
    select
        'unmatched_sales' as quality_check,
        count_if(matched_by = 'unmatched') as found,
        count(*) as out_of
    from sales_in_period
    union all
    select
        'ambiguous_sales' as quality_check,
        count_if(matched_by = 'ambiguous') as found,
        count(*) as out_of
    from sales_in_period
    union all
    select
        'sales_without_customer' as quality_check,
        count_if(customer_key is null) as found,
        count(*) as out_of
    from sales_in_period
    union all
    select
        'refunded_sales' as quality_check,
        count_if(not is_counted) as found,
        count(*) as out_of
    from sales_in_period
    union all
    select
        'ads_without_conversation' as quality_check,
        count_if(spend_cents > 0 and conversations = 0) as found,
        count(*) as out_of
    from ads_in_period
    union all
    select
        'ads_without_spend' as quality_check,
        count_if(spend_cents is null and conversations > 0) as found,
        count(*) as out_of
    from ads_in_period
    union all
    select
        'missed_conversations' as quality_check,
        sum(greatest(reported_conversations - engaged, 0)) as found,
        sum(reported_conversations) as out_of
    from reported_ads
    union all
    select
        'restated_spend' as quality_check,
        count(*) as found,
        (select count(*) from spend_in_period) as out_of
    from restated_days
    union all
    select
        'estimated_spend' as quality_check,
        count_if(is_estimated) as found,
        count(*) as out_of
    from spend_in_period
)

select
    quality_check,
    cast(found as bigint) as found,
    cast(out_of as bigint) as out_of
from counts
