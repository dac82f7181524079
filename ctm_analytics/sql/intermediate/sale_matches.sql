-- One row per sale: the contact who bought, by the best evidence there is, or the ad that the sale itself declares.
-- Two contacts for one key are ambiguous: no credit; evidence says which kind of key it was.
with best_ranks as (
    select
        sale_id,
        min(evidence_rank) as evidence_rank
    from match_candidates
    group by sale_id
),

best as (
    select
        match_candidates.sale_id,
        match_candidates.evidence_rank,
        match_candidates.evidence,
        min(match_candidates.contact_key) as contact_key,
        max(match_candidates.contact_key) as other_contact_key
    from match_candidates
    inner join best_ranks
        on
            match_candidates.sale_id = best_ranks.sale_id
            and match_candidates.evidence_rank = best_ranks.evidence_rank
    group by match_candidates.sale_id, match_candidates.evidence_rank, match_candidates.evidence
),

weighed as (
    select
        sales.sale_id,
        case when coalesce(best.evidence_rank, 6) > 5 then sales.ad_id end as declared_ad_id,
        best.evidence,
        best.contact_key,
        best.other_contact_key
    from sales
    left join best
        on sales.sale_id = best.sale_id
)

select
    sale_id,
    case when declared_ad_id is null and contact_key = other_contact_key then contact_key end as contact_key,
    declared_ad_id,
    case
        when declared_ad_id is not null then 'ad_id'
        when contact_key <> other_contact_key then 'ambiguous'
        else coalesce(evidence, 'unmatched')
    end as matched_by,
    case when declared_ad_id is not null then 'ad_id' else evidence end as evidence
from weighed
