-- One row per engaged conversation of an ad, in the period, platform and account that are asked about, with its day.
-- Which ads are asked about is left to those who read it: they know the names, and count before they join them.
with placed as (
    select
        contact_key,
        opened_at,
        next_opened_at,
        first_inbound_at,
        first_response_at,
        first_human_response_at,
        platform,
        account_id,
        ad_id,
        cast(convert_timezone('UTC', :reporting_timezone, opened_at) as date) as day
    from conversation_timelines
    where ad_id is not null and first_inbound_at is not null
)

select *
from placed
where
    (:since is null or day >= :since)
    and (:until is null or day <= :until)
    and (:platform is null or platform = :platform)
    and (:account is null or account_id = :account)
