-- One row per day, ad, platform and account: everything about it that can be added up, and stays so as time goes by.
-- An ad_id of null is what no ad is credited with.
with conversation_facts as (
    select
        platform,
        account_id,
        ad_id,
        contact_key,
        opened_at,
        cast(convert_timezone('UTC', :reporting_timezone, opened_at) as date) as day,
        first_inbound_at is not null as is_engaged,
        first_response_at is not null as is_answered
    from conversation_timelines
),

converted as (
    select
        contact_key,
        touched_at
    from credits
    where touched_at is not null
    group by contact_key, touched_at
),

conversation_measures as (
    select
        conversation_facts.day,
        conversation_facts.ad_id,
        conversation_facts.platform,
        conversation_facts.account_id,
        count(*) as conversations,
        count_if(not conversation_facts.is_engaged) as opened_silently,
        count_if(conversation_facts.is_engaged) as engaged,
        count_if(conversation_facts.is_answered) as answered,
        count_if(conversation_facts.is_engaged and converted.touched_at is not null) as conversions
    from conversation_facts
    left join converted
        on
            conversation_facts.contact_key = converted.contact_key
            and conversation_facts.opened_at = converted.touched_at
    group by
        conversation_facts.day, conversation_facts.ad_id, conversation_facts.platform, conversation_facts.account_id
),

credit_measures as (
    select
        credits.credited_day as day,
        credits.ad_id,
        contacts.platform,
        contacts.account_id,
        sum(credits.credit_billionths) as sales_billionths,
        sum(case when credits.is_new_customer then credits.credit_billionths else 0 end) as new_customers_billionths,
        sum(credits.credited_cents) as revenue_cents
    from credits
    left join contacts
        on credits.contact_key = contacts.contact_key
    group by credits.credited_day, credits.ad_id, contacts.platform, contacts.account_id
),

measures as (
    select
        day,
        ad_id,
        cast(null as string) as platform,
        cast(null as string) as account_id,
        spend_cents,
        impressions,
        link_clicks,
        reported_conversations,
        0 as conversations,
        0 as opened_silently,
        0 as engaged,
        0 as answered,
        0 as conversions,
        0 as sales_billionths,
        0 as new_customers_billionths,
        0 as revenue_cents
    from spend
    union all
    select
        day,
        ad_id,
        platform,
        account_id,
        null as spend_cents,
        null as impressions,
        null as link_clicks,
        null as reported_conversations,
        conversations,
        opened_silently,
        engaged,
        answered,
        conversions,
        0 as sales_billionths,
        0 as new_customers_billionths,
        0 as revenue_cents
    from conversation_measures
    union all
    select
        day,
        ad_id,
        platform,
        account_id,
        null as spend_cents,
        null as impressions,
        null as link_clicks,
        null as reported_conversations,
        0 as conversations,
        0 as opened_silently,
        0 as engaged,
        0 as answered,
        0 as conversions,
        sales_billionths,
        new_customers_billionths,
        revenue_cents
    from credit_measures
)

select
    day,
    ad_id,
    platform,
    account_id,
    cast(sum(spend_cents) as bigint) as spend_cents,
    cast(sum(impressions) as bigint) as impressions,
    cast(sum(link_clicks) as bigint) as link_clicks,
    cast(sum(reported_conversations) as bigint) as reported_conversations,
    cast(sum(conversations) as bigint) as conversations,
    cast(sum(opened_silently) as bigint) as opened_silently,
    cast(sum(engaged) as bigint) as engaged,
    cast(sum(answered) as bigint) as answered,
    cast(sum(conversions) as bigint) as conversions,
    cast(sum(sales_billionths) as bigint) as sales_billionths,
    cast(sum(new_customers_billionths) as bigint) as new_customers_billionths,
    cast(sum(revenue_cents) as bigint) as revenue_cents
from measures
group by day, ad_id, platform, account_id
