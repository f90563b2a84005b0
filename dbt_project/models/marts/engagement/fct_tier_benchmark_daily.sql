-- One row per platform, scheme, tier, niche, country (`*` = all) and UTC day: how the rates of its accounts spread.
with cells as (select * from {{ ref("int_tier__cells_merged") }}),

fct_tier_benchmark_daily as (
    select
        cast(platform as varchar) as platform,
        cast(scheme as varchar) as scheme,
        cast(tier as varchar) as tier,
        cast(niche as varchar) as niche,
        cast(country as varchar) as country,
        cast(snapshot_date as date) as snapshot_date,
        cast(merged_into as varchar) as merged_into,
        cast(basis_niche as varchar) as basis_niche,
        cast(basis_country as varchar) as basis_country,
        cast(n as integer) as n,
        cast(n_own as integer) as n_own,
        cast(n_suspicious as integer) as n_suspicious,
        {% for rate, _, _ in engagement_rates() %}
            cast({{ rate }}_n as integer) as {{ rate }}_n,
            {% for percent in [10, 25, 50, 75, 90] %}
                cast({{ rate }}_p{{ percent }} as double) as {{ rate }}_p{{ percent }},
            {% endfor %}
        {% endfor %}
        cast(data_origin as varchar) as data_origin
    from cells
)

select * from fct_tier_benchmark_daily
