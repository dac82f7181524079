-- One row: how much of what was read, and from when to when.
with event_span as (
    select
        count(*) as events,
        cast(convert_timezone('UTC', :reporting_timezone, min(occurred_at)) as date) as first_day,
        cast(convert_timezone('UTC', :reporting_timezone, max(occurred_at)) as date) as last_day,
        max(received_at) as last_received_at
    from events
    where event_type in ('message', 'postback', 'referral', 'lead', 'echo')
),

spend_span as (
    select
        count(distinct ad_id) as ads,
        min(day) as first_spend_day,
        max(day) as last_spend_day
    from spend
),

sale_span as (
    select
        count(*) as sales,
        max(sold_day) as last_sale_day
    from sales
)

select
    event_span.events,
    event_span.first_day,
    event_span.last_day,
    event_span.last_received_at,
    spend_span.ads,
    spend_span.first_spend_day,
    spend_span.last_spend_day,
    sale_span.sales,
    sale_span.last_sale_day
from event_span
cross join spend_span
cross join sale_span
