-- One row per ad and day: from the conversations that Meta reports to those with a sale that was kept.
-- All stages count conversations by the day they opened, so that each loss is a difference.
with last_touches as (
    select
        contact_key,
        touched_at,
        count_if(is_counted) > 0 as is_kept
    from eligible_touches
    where position = touch_count
    group by contact_key, touched_at
),

conversation_facts as (
    select
        conversation_timelines.ad_id,
        cast(convert_timezone('UTC', :reporting_timezone, conversation_timelines.opened_at) as date) as day,
        conversation_timelines.first_inbound_at is not null as is_engaged,
        last_touches.touched_at is not null as is_sold,
        coalesce(last_touches.is_kept, false) as is_kept
    from conversation_timelines
    left join last_touches
        on
            conversation_timelines.contact_key = last_touches.contact_key
            and conversation_timelines.opened_at = last_touches.touched_at
    where
        conversation_timelines.ad_id is not null
        and (:platform is null or conversation_timelines.platform = :platform)
        and (:account is null or conversation_timelines.account_id = :account)
),

captured as (
    select
        ad_id,
        day,
        cast(count(*) as bigint) as conversations,
        cast(count_if(is_engaged) as bigint) as engaged,
        cast(count_if(is_engaged and is_sold) as bigint) as with_matched_sale,
        cast(count_if(is_engaged and is_kept) as bigint) as with_kept_sale
    from conversation_facts
    group by ad_id, day
),

-- Meta reports an ad's conversations on all platforms and accounts together.
reported as (
    select
        ad_id,
        day,
        cast(sum(reported_conversations) as bigint) as reported_conversations
    from spend
    where :platform is null and :account is null
    group by ad_id, day
),

days as (
    select
        ad_id,
        day
    from captured
    union
    select
        ad_id,
        day
    from reported
)

select
    days.ad_id,
    ads.ad_name,
    ads.campaign_id,
    ads.campaign_name,
    days.day,
    reported.reported_conversations,
    coalesce(captured.conversations, 0) as conversations,
    coalesce(captured.engaged, 0) as engaged,
    coalesce(captured.with_matched_sale, 0) as with_matched_sale,
    coalesce(captured.with_kept_sale, 0) as with_kept_sale,
    reported.reported_conversations - coalesce(captured.conversations, 0) as not_captured,
    coalesce(captured.conversations - captured.engaged, 0) as opened_silently,
    coalesce(captured.engaged - captured.with_matched_sale, 0) as without_sale,
    coalesce(captured.with_matched_sale - captured.with_kept_sale, 0) as sale_not_kept
from days
left join captured
    on days.ad_id = captured.ad_id and days.day = captured.day
left join reported
    on days.ad_id = reported.ad_id and days.day = reported.day
left join ads
    on days.ad_id = ads.ad_id
where
    (:since is null or days.day >= :since)
    and (:until is null or days.day <= :until)
    and (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or days.ad_id = :ad or ads.ad_name = :ad)
order by days.day asc, days.ad_id asc
