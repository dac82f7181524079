-- One row per day on which anything was heard.
-- To convert an instant is dear, and no zone's midnight falls within a quarter of an hour.
with heard_quarters as (
    select min(occurred_at) as occurred_at
    from events
    group by floor(unix_micros(occurred_at) / 900e6)
)

select distinct cast(convert_timezone('UTC', :reporting_timezone, occurred_at) as date) as day
from heard_quarters
