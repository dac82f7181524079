-- One row: what became of the people whom ads brought, stage by stage, in the order of the columns.
select
    cast(sum(ad_days.spend_cents) as bigint) / :minor_units as paid_spend,
    cast(sum(ad_days.link_clicks) as bigint) as link_clicks,
    cast(sum(ad_days.reported_conversations) as bigint) as reported_conversations,
    cast(sum(ad_days.conversations) as bigint) as conversations,
    cast(sum(ad_days.engaged) as bigint) as engaged,
    cast(sum(ad_days.answered) as bigint) as answered,
    cast(sum(ad_days.conversions) as bigint) as conversions
from ad_days
left join ads
    on ad_days.ad_id = ads.ad_id
where
    ad_days.ad_id is not null
    and (:since is null or ad_days.day >= :since)
    and (:until is null or ad_days.day <= :until)
    and (:platform is null or ad_days.platform = :platform)
    and (:account is null or ad_days.account_id = :account)
    and (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or ad_days.ad_id = :ad or ads.ad_name = :ad)
