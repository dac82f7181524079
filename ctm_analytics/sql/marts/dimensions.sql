-- One row per ad and account that a filter can name.
select
    ads.ad_id,
    ads.ad_name,
    ads.campaign_id,
    ads.campaign_name,
    cast(null as string) as account_id
from ads
union all
select
    touches.ad_id,
    cast(null as string) as ad_name,
    cast(null as string) as campaign_id,
    cast(null as string) as campaign_name,
    contacts.account_id
from touches
inner join contacts
    on touches.contact_key = contacts.contact_key
group by touches.ad_id, contacts.account_id
union all
select
    cast(null as string) as ad_id,
    cast(null as string) as ad_name,
    cast(null as string) as campaign_id,
    cast(null as string) as campaign_name,
    account_id
from contacts
group by account_id
