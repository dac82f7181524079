-- One row: how many events the period holds, and how many are stored again, of unknown shape, or test deliveries.
select
    count(*) as events,
    count(*) - count(distinct event_id) as repeated,
    cast(count_if(event_type = 'unknown') as bigint) as unknown_events,
    cast(count_if(event_type = 'test') as bigint) as test_events
from events
where
    (:since is null or cast(convert_timezone('UTC', :reporting_timezone, occurred_at) as date) >= :since)
    and (:until is null or cast(convert_timezone('UTC', :reporting_timezone, occurred_at) as date) <= :until)
