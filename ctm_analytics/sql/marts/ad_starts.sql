-- One row per ad that began to spend after the first day for which any spend is known: before that nobody can tell.
with spans as (
    select
        ad_id,
        min(day) as first_spend_day
    from spend
    where spend_cents > 0
    group by ad_id
),

known as (
    select min(first_spend_day) as first_spend_day
    from spans
)

select
    spans.ad_id,
    coalesce(ads.ad_name, spans.ad_id) as ad_name,
    spans.first_spend_day
from spans
inner join known
    on spans.first_spend_day > known.first_spend_day
left join ads
    on spans.ad_id = ads.ad_id
where
    (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or spans.ad_id = :ad or ads.ad_name = :ad)
order by spans.first_spend_day, ad_name, spans.ad_id
