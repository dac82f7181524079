-- One row per engaged conversation of an ad, in the period and the filters that are asked about, with names and day.
with placed as (
    select
        conversation_timelines.contact_key,
        conversation_timelines.opened_at,
        conversation_timelines.first_inbound_at,
        conversation_timelines.first_response_at,
        conversation_timelines.first_human_response_at,
        contacts.platform,
        contacts.account_id,
        conversation_timelines.ad_id,
        ads.ad_name,
        ads.adset_id,
        ads.adset_name,
        ads.campaign_id,
        ads.campaign_name,
        cast(convert_timezone('UTC', :reporting_timezone, conversation_timelines.opened_at) as date) as day
    from conversation_timelines
    inner join contacts
        on conversation_timelines.contact_key = contacts.contact_key
    left join ads
        on conversation_timelines.ad_id = ads.ad_id
    where conversation_timelines.ad_id is not null and conversation_timelines.first_inbound_at is not null
)

select *
from placed
where
    (:since is null or day >= :since)
    and (:until is null or day <= :until)
    and (:platform is null or platform = :platform)
    and (:account is null or account_id = :account)
    and (:campaign is null or campaign_id = :campaign or campaign_name = :campaign)
    and (:ad is null or ad_id = :ad or ad_name = :ad)
