-- One row per conversation of the period and the filters, newest first; the mart `conversations` names the columns.
select conversations.*  -- noqa: AM04
from conversations
left join ads
    on conversations.ad_id = ads.ad_id
where
    (:since is null or cast(convert_timezone('UTC', :reporting_timezone, conversations.opened_at) as date) >= :since)
    and (
        :until is null or cast(convert_timezone('UTC', :reporting_timezone, conversations.opened_at) as date) <= :until
    )
    and (:platform is null or conversations.platform = :platform)
    and (:account is null or conversations.account_id = :account)
    and (:campaign is null or ads.campaign_id = :campaign or ads.campaign_name = :campaign)
    and (:ad is null or conversations.ad_id = :ad or ads.ad_name = :ad)
order by conversations.opened_at desc, conversations.conversation_id asc
