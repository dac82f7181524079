-- One row per ad that was ever paid for: its latest known names and where it belongs.
select
    ad_id,
    max_by(ad_name, case when ad_name is not null then day end) as ad_name,
    max_by(adset_id, case when adset_id is not null then day end) as adset_id,
    max_by(adset_name, case when adset_name is not null then day end) as adset_name,
    max_by(campaign_id, case when campaign_id is not null then day end) as campaign_id,
    max_by(campaign_name, case when campaign_name is not null then day end) as campaign_name
from spend
group by ad_id
