-- One row per touch: a person arrived from an ad or a link.
-- One click can come as several events: referrals of one source, each at most :touch_gap after the last, are one touch.
with referrals as (
    select
        contact_key,
        occurred_at,
        ad_id,
        ref,
        case
            when ad_id is not null then 'ad|' || ad_id
            else 'link|' || coalesce(ref, '') || '|' || coalesce(post_id, '') || '|' || coalesce(product_id, '')
        end as source_key
    from events
    where
        event_type in ('message', 'postback', 'referral', 'lead')
        and direction = 'inbound'
        and contact_key is not null
        and (
            ad_id is not null or ref is not null or post_id is not null
            or product_id is not null or referral_source is not null
        )
),

ordered as (
    select
        *,
        lag(occurred_at) over (partition by contact_key, source_key order by occurred_at) as previous_at
    from referrals
),

clicked as (
    select
        *,
        case when previous_at is null or occurred_at > previous_at + :touch_gap then occurred_at end as clicked_at
    from ordered
),

grouped as (
    select
        *,
        max(clicked_at) over (partition by contact_key, source_key order by occurred_at) as touched_at
    from clicked
)

select
    contact_key,
    touched_at,
    ad_id,
    max(ref) as ref,
    case when ad_id is not null then 'ad' else 'link' end as touch_type
from grouped
group by contact_key, source_key, touched_at, ad_id
