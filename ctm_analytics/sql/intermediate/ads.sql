-- One row per ad that was ever paid for: its latest names and where it belongs.
select
    ad_id,
    max_by(ad_name, day) as ad_name,
    max_by(adset_id, day) as adset_id,
    max_by(adset_name, day) as adset_name,
    max_by(campaign_id, day) as campaign_id,
    max_by(campaign_name, day) as campaign_name
from spend
group by ad_id
