-- One row per group (:by), time from the touch and outcome: how many engaged conversations of ads bought after so long.
-- Who has not bought is censored, at the conversation's age or at the end of the attribution window.
with first_sales as (
    select
        contact_key,
        touched_at,
        min(sold_at) as sold_at
    from credits
    where touched_at is not null
    group by contact_key, touched_at
),

aged as (
    select
        contacts.platform,
        contacts.account_id,
        conversation_timelines.ad_id,
        ads.ad_name,
        ads.adset_id,
        ads.adset_name,
        ads.campaign_id,
        ads.campaign_name,
        cast(convert_timezone('UTC', :reporting_timezone, conversation_timelines.opened_at) as date) as day,
        first_sales.sold_at is not null as is_converted,
        least(
            unix_micros(coalesce(first_sales.sold_at, :as_of)) - unix_micros(conversation_timelines.opened_at),
            :window_days * 86400000000
        ) as waited_micros
    from conversation_timelines
    inner join contacts
        on conversation_timelines.contact_key = contacts.contact_key
    left join ads
        on conversation_timelines.ad_id = ads.ad_id
    left join first_sales
        on
            conversation_timelines.contact_key = first_sales.contact_key
            and conversation_timelines.opened_at = first_sales.touched_at
    where conversation_timelines.ad_id is not null and conversation_timelines.first_inbound_at is not null
),

grouped as (
    select
        case when :by = 'platform' then platform end as platform,
        case when :by = 'day' then day end as day,
        case when :by = 'week' then cast(date_trunc('week', day) as date) end as week,
        case when :by = 'ad' then ad_id end as ad_id,
        case when :by = 'ad' then ad_name end as ad_name,
        case when :by in ('ad', 'adset') then adset_id end as adset_id,
        case when :by in ('ad', 'adset') then adset_name end as adset_name,
        case when :by in ('ad', 'adset', 'campaign') then campaign_id end as campaign_id,
        case when :by in ('ad', 'adset', 'campaign') then campaign_name end as campaign_name,
        waited_micros,
        is_converted
    from aged
    where
        (:since is null or day >= :since)
        and (:until is null or day <= :until)
        and (:platform is null or platform = :platform)
        and (:account is null or account_id = :account)
        and (:campaign is null or campaign_id = :campaign or campaign_name = :campaign)
        and (:ad is null or ad_id = :ad or ad_name = :ad)
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
    waited_micros / 86400e6 as waited_days,
    is_converted,
    count(*) as conversations
from grouped
group by
    platform, day, week, ad_id, ad_name, adset_id, adset_name, campaign_id, campaign_name, waited_micros, is_converted
order by platform, day, week, ad_id, adset_id, campaign_id, waited_days, is_converted
