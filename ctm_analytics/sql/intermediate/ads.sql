-- One row per ad that was ever paid for: its latest known names and where it belongs.
-- An ad set and a campaign have one name on all their ads: the latest, of two on one day the greater.
with known as (
    select
        ad_id,
        max_by(ad_name, case when ad_name is not null then day end) as ad_name,
        max_by(adset_id, case when adset_id is not null then day end) as adset_id,
        max_by(adset_name, case when adset_name is not null then day end) as adset_name,
        max_by(campaign_id, case when campaign_id is not null then day end) as campaign_id,
        max_by(campaign_name, case when campaign_name is not null then day end) as campaign_name
    from spend
    group by ad_id
),

adsets as (
    select
        adset_id,
        max_by(adset_name, cast(day as string) || '|' || adset_name) as adset_name
    from spend
    group by adset_id
),

campaigns as (
    select
        campaign_id,
        max_by(campaign_name, cast(day as string) || '|' || campaign_name) as campaign_name
    from spend
    group by campaign_id
)

select
    known.ad_id,
    known.ad_name,
    known.adset_id,
    coalesce(adsets.adset_name, known.adset_name) as adset_name,
    known.campaign_id,
    coalesce(campaigns.campaign_name, known.campaign_name) as campaign_name
from known
left join adsets
    on known.adset_id = adsets.adset_id
left join campaigns
    on known.campaign_id = campaigns.campaign_id
