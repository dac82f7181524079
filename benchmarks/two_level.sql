-- Written by hand for the largest data: contact-days first, and event by event only those days that a click or an early
-- echo splits. It holds for a silence of 24 hours or more, and leaves out what needs the last message before each echo
-- (which answers are a bot's, and how late after a message one came): the models tell both.
create temp table touches as
with referrals as (
    select *, lag(ts) over (partition by contact_key, source_key order by ts) as previous
    from (
        select contact_key, ts, ad_id, coalesce('ad|' || ad_id, 'link|' || coalesce(ref, '') || '|' || coalesce(post_id, '')
            || '|' || coalesce(product_id, '')) as source_key
        from activities
        where not is_out and (ad_id is not null or ref is not null or post_id is not null or product_id is not null
            or referral_source is not null)
    )
), clicked as (
    select *, case when previous is null or ts > previous + interval 30 minutes then ts end as clicked_at from referrals
), grouped as (
    select *, max(clicked_at) over (partition by contact_key, source_key order by ts) as touched_at from clicked
)
select contact_key, touched_at, max(ad_id) as ad_id from grouped group by contact_key, touched_at;

create temp table days as
with measured as (
    select contact_key, date_trunc('day', ts) as day, min(ts) as started, max(ts) as ended,
        min(case when is_in then ts end) as first_in, max(case when is_in then ts end) as last_in,
        min(case when is_out then ts end) as first_out, min(case when is_human then ts end) as first_human,
        count_if(is_in) as messages_in, count_if(is_out) as messages_out,
        min(case when not is_out then ts end) as first_from_contact
    from activities group by contact_key, day
), touched as (
    select contact_key, date_trunc('day', touched_at) as day, min(touched_at) as first_touch, max(touched_at) as last_touch
    from touches group by contact_key, day
)
select measured.*,
    first_touch is not null and first_touch = started as begins_with_touch,
    coalesce(last_touch > started, false) or coalesce(first_out < first_in, false)
    or coalesce(first_touch = started and first_out = started, false) as is_split
from measured left join touched using (contact_key, day);

create temp table segments as
with marked as (
    select a.*, days.day, max(case when t.touched_at is not null and not is_out then ts end) over w as touch_ts,
        max(case when is_in then ts end) over w as in_ts
    from activities as a
    join days on days.contact_key = a.contact_key and days.day = date_trunc('day', a.ts) and days.is_split
    left join touches as t on t.contact_key = a.contact_key and t.touched_at = a.ts
    window w as (partition by a.contact_key, days.day order by a.ts, a.is_out)
)
select contact_key, started, ended, begins_with_touch, first_in, last_in, first_out, first_human,
    case when first_in is not null then first_out end as first_answer,
    case when first_in is not null then first_human end as first_human_answer, messages_in, messages_out
from days where not is_split
union all
select contact_key, min(ts), max(ts), touch_ts is not null, min(case when is_in then ts end), max(case when is_in then ts end),
    min(case when is_out then ts end), min(case when is_human then ts end),
    min(case when is_out and in_ts >= coalesce(touch_ts, day) then ts end),
    min(case when is_human and in_ts >= coalesce(touch_ts, day) then ts end),
    count_if(is_in), count_if(is_out)
from marked group by contact_key, day, touch_ts;

create temp table conversations as
with opened as (
    select *, case when begins_with_touch or previous is null or started >= previous + interval 24 hours then started end
        as opening
    from (select *, lag(ended) over (partition by contact_key order by started) as previous from segments)
), numbered as (
    select *, max(opening) over (partition by contact_key order by started) as opened_at from opened
), known as (
    select *, min(first_in) over (partition by contact_key, opened_at order by started) as conversation_in from numbered
), joined as (
    select contact_key, opened_at, min(first_in) as first_inbound_at, max(last_in) as last_inbound_at,
        max(ended) as last_event_at,
        min(case when first_out >= conversation_in then first_out else first_answer end) as first_response_at,
        min(case when first_human >= conversation_in then first_human else first_human_answer end)
            as first_human_response_at,
        cast(sum(messages_in) as bigint) as messages_in, cast(sum(messages_out) as bigint) as messages_out
    from known group by contact_key, opened_at
)
select joined.*, touches.ad_id
from joined left join touches on joined.contact_key = touches.contact_key and joined.opened_at = touches.touched_at;
