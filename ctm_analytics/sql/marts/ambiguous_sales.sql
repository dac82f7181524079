-- One row per ambiguous sale and contact that it fits, by which kind of key; of a shared ref two of its contacts.
select
    sales.sale_id,
    sales.sold_at,
    sale_matches.evidence,
    contacts.contact_key,
    contacts.platform,
    contacts.account_id,
    contacts.contact_id
from sale_matches
inner join sales
    on sale_matches.sale_id = sales.sale_id
inner join match_candidates
    on
        sale_matches.sale_id = match_candidates.sale_id
        and sale_matches.evidence = match_candidates.evidence
inner join contacts
    on match_candidates.contact_key = contacts.contact_key
where sale_matches.matched_by = 'ambiguous'
