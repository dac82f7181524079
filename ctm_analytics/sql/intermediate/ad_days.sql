-- One row per day, ad, platform and account: everything about it that can be added up.
-- An ad_id of null is what no ad is credited with.
with young as (
    select
        platform,
        account_id,
        ad_id,
        cast(convert_timezone('UTC', :reporting_timezone, opened_at) as date) as day,
        count(*) as immature
    from conversation_timelines
    where opened_at > :as_of - :window
    group by platform, account_id, ad_id, cast(convert_timezone('UTC', :reporting_timezone, opened_at) as date)
)

select
    ad_day_measures.day,
    ad_day_measures.ad_id,
    ad_day_measures.platform,
    ad_day_measures.account_id,
    ad_day_measures.spend_cents,
    ad_day_measures.impressions,
    ad_day_measures.link_clicks,
    ad_day_measures.reported_conversations,
    ad_day_measures.conversations,
    ad_day_measures.opened_silently,
    ad_day_measures.engaged,
    ad_day_measures.answered,
    ad_day_measures.conversions,
    coalesce(young.immature, 0) as immature,
    ad_day_measures.sales_billionths,
    ad_day_measures.new_customers_billionths,
    ad_day_measures.revenue_cents
from ad_day_measures
left join young
    on
        ad_day_measures.day = young.day
        and ad_day_measures.ad_id is not distinct from young.ad_id
        and ad_day_measures.platform is not distinct from young.platform
        and ad_day_measures.account_id is not distinct from young.account_id
