-- One row per attribution model, window, counted sale with several eligible touches, and credited one: its part.
-- Weights are integers, and what does not divide goes to the largest remainders: nothing is lost, on any engine.
with weighted as (
    select
        attribution_rules.model,
        attribution_rules.window_days,
        eligible_touches.sale_id,
        eligible_touches.net_cents,
        eligible_touches.touched_at,
        eligible_touches.ad_id,
        eligible_touches.position,
        cast(
            case attribution_rules.model
                when 'last_touch'
                    then case when eligible_touches.position = eligible_touches.touch_count then 1 else 0 end
                when 'first_touch' then case when eligible_touches.position = 1 then 1 else 0 end
                when 'linear' then 1
                -- 40 % to each end and 20 % to those between, in fifths of the number between; halves where none is.
                when 'position_based'
                    then case
                        when
                            eligible_touches.touch_count > 2
                            and eligible_touches.position in (1, eligible_touches.touch_count)
                            then 2 * (eligible_touches.touch_count - 2)
                        else 1
                    end
                -- Half as much for every 7 days before the last touch: only the ratios matter.
                when 'time_decay'
                    then round(
                        1e6 * power(
                            0.5,
                            (
                                unix_micros(eligible_touches.last_touched_at)
                                - unix_micros(eligible_touches.touched_at)
                            ) / (7 * 86400e6)
                        )
                    )
                when 'markov' then ad_weights.removal_effect_millionths
                -- Each ad of the journey alike, and its touches alike: 720720 divides by every number up to 16.
                when 'shapley' then floor(720720 / eligible_touches.touches_of_ad)
            end as bigint
        ) as weight
    from eligible_touches
    inner join attribution_rules
        on eligible_touches.window_days = attribution_rules.window_days
    left join raw_removal_effects as ad_weights
        on
            eligible_touches.ad_id = ad_weights.ad_id
            and eligible_touches.window_days = ad_weights.window_days
    where eligible_touches.is_counted and eligible_touches.touch_count > 1
),

divided as (
    select
        *,
        cast(sum(weight) over (partition by model, window_days, sale_id) as bigint) as weights
    from weighted
    where weight > 0
),

-- Money times a weight could overflow: what divides evenly is multiplied after the division, only the rest before it.
portions as (
    select
        *,
        cast(round((abs(net_cents) - abs(net_cents) % weights) / weights) as bigint) * weight as even_cents,
        abs(net_cents) % weights * weight as rest
    from divided
),

-- The quotients are whole numbers; rounding keeps them so where a cast would cut.
quotients as (
    select
        *,
        cast(round((1000000000 * weight - 1000000000 * weight % weights) / weights) as bigint) as whole_billionths,
        1000000000 * weight % weights as billionths_remainder,
        even_cents + cast(round((rest - rest % weights) / weights) as bigint) as whole_cents,
        rest % weights as cents_remainder
    from portions
),

ranked as (
    select
        *,
        1000000000 - sum(whole_billionths) over (partition by model, window_days, sale_id) as billionths_left,
        row_number() over (
            partition by model, window_days, sale_id
            order by billionths_remainder desc, position asc
        ) as billionths_rank,
        abs(net_cents) - sum(whole_cents) over (partition by model, window_days, sale_id) as cents_left,
        row_number() over (
            partition by model, window_days, sale_id
            order by cents_remainder desc, position asc
        ) as cents_rank
    from quotients
)

select
    model,
    window_days,
    sale_id,
    touched_at,
    ad_id,
    cast(whole_billionths + case when billionths_rank <= billionths_left then 1 else 0 end as bigint)
        as credit_billionths,
    cast(
        sign(net_cents) * (whole_cents + case when cents_rank <= cents_left then 1 else 0 end) as bigint
    ) as credited_cents
from ranked
