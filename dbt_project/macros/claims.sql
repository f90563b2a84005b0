{#- Claims of the trade, checked by the bootstrap. -#}

{#- Replicates of the bootstrap, and units drawn per side in each at most. -#}
{% macro claim_replicates() -%} 500 {%- endmacro %}
{% macro claim_draws() -%} 500 {%- endmacro %}

{#- How the units of a claim's sides make one figure. Side `a` is the one that the claim is about; `x` and `y` are as
    int_claim__units_gathered gives them. Where several others stand against it, the largest of them counts. -#}
{% macro claim_statistic() -%}
    case claims.statistic
        when 'median' then max(sides.median_x) filter (where sides.side = 'a')
        when 'median_ratio'
            then
                max(sides.median_x) filter (where sides.side = 'a')
                / nullif(max(sides.median_x) filter (where sides.side <> 'a'), 0)
        when 'rate' then max(sides.rate) filter (where sides.side = 'a')
        when 'rate_ratio'
            then
                max(sides.rate) filter (where sides.side = 'a')
                / nullif(max(sides.rate) filter (where sides.side <> 'a'), 0)
        when 'rate_difference'
            then
                max(sides.rate) filter (where sides.side = 'a') - max(sides.rate) filter (where sides.side <> 'a')
        when 'lowest_rate' then min(sides.rate)
        when 'slope' then max(sides.slope)
        when 'rank_correlation' then max(sides.rank_correlation)
    end
{%- endmacro %}

{#- One unit of a claim: who is on which side, and what is measured. -#}
{% macro claim_unit(claim, platform, side, side_name, unit_id, x, y="cast(null as double)", origin="data_origin") -%}
    select
        '{{ claim }}' as claim,
        {{ platform }} as platform,
        {{ side }} as side,
        {{ side_name }} as side_name,
        {{ unit_id }} as unit_id,
        cast({{ x }} as double) as x,
        cast({{ y }} as double) as y,
        {{ origin }} as data_origin
{%- endmacro %}

{#- A claim without data has a row as well. -#}
{% test every_claim_is_checked(model, claims) %}
select claims.claim
from {{ claims }} as claims
left join {{ model }} as checked on claims.claim = checked.claim
where checked.claim is null
{% endtest %}
