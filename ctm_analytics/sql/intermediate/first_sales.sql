-- One row per credited touch: when the first sale that credits it was made.
select
    contact_key,
    touched_at,
    min(sold_at) as sold_at
from credits
where touched_at is not null
group by contact_key, touched_at
