-- One row per attribution model and window that is asked for; :model null asks for all of them side by side.
with models as (
    select 'last_touch' as model
    union all
    select 'first_touch' as model
    union all
    select 'linear' as model
    union all
    select 'position_based' as model
    union all
    select 'time_decay' as model
    union all
    select 'markov' as model
    union all
    select 'shapley' as model
),

-- A lifetime is a hundred years.
windows as (
    select 1 as window_days
    union all
    select 7 as window_days
    union all
    select 14 as window_days
    union all
    select 28 as window_days
    union all
    select 30 as window_days
    union all
    select 60 as window_days
    union all
    select 90 as window_days
    union all
    select 36500 as window_days
)

select
    models.model,
    windows.window_days
from models
cross join windows
where :model is null
union all
select
    :model as model,
    :window_days as window_days
where :model is not null
