-- One row per kind of match: how many sales of the period it holds, and their net amount.
with kinds as (
    select
        sale_matches.matched_by,
        sale_matches.evidence,
        count(*) as sales,
        sum(sales.net_cents) as net_cents
    from sales
    inner join sale_matches
        on sales.sale_id = sale_matches.sale_id
    where
        (:since is null or sales.sold_day >= :since)
        and (:until is null or sales.sold_day <= :until)
    group by sale_matches.matched_by, sale_matches.evidence
)

select
    matched_by,
    evidence,
    sales as count,
    sales / cast(nullif(sum(sales) over (), 0) as double) as share,
    cast(cast(net_cents as bigint) * :minor_unit as decimal(18, :decimals)) as net_amount,
    cast(:reporting_currency as string) as currency
from kinds
order by
    case matched_by
        when 'contact_id' then 1
        when 'identity' then 2
        when 'phone' then 3
        when 'ref' then 4
        when 'ad_id' then 5
        when 'ambiguous' then 6
        else 7
    end asc,
    evidence asc nulls last
