-- One row per platform, scheme, tier, niche, country (`*` = all) and UTC day: how the rates of its accounts spread.
with cells as (select * from {{ ref("int_benchmark__cells_aggregated") }}),

larger as (
    select
        own.platform,
        own.snapshot_date,
        own.scheme,
        own.tier,
        own.niche,
        own.country,
        own.n as n_own,
        case
            when own.n >= {{ fewest_accounts() }} then 'none'
            when own.niche <> '*' and own.country <> '*' and of_niche.n >= {{ fewest_accounts() }} then 'niche'
            when of_tier.n < {{ fewest_accounts() }} then 'too_few'
            else 'tier'
        end as merged_into
    from cells as own
    inner join cells as of_tier
        on own.platform = of_tier.platform
        and own.snapshot_date = of_tier.snapshot_date
        and own.scheme = of_tier.scheme
        and own.tier = of_tier.tier
        and of_tier.niche = '*'
        and of_tier.country = '*'
    left join cells as of_niche
        on own.platform = of_niche.platform
        and own.snapshot_date = of_niche.snapshot_date
        and own.scheme = of_niche.scheme
        and own.tier = of_niche.tier
        and own.niche = of_niche.niche
        and of_niche.country = '*'
),

based as (
    select
        *,
        case when merged_into in ('none', 'niche') then niche else '*' end as basis_niche,
        case when merged_into = 'none' then country else '*' end as basis_country
    from larger
),

fct_tier_benchmark_daily as (
    select
        cast(based.platform as string) as platform,
        cast(based.scheme as string) as scheme,
        cast(based.tier as string) as tier,
        cast(based.niche as string) as niche,
        cast(based.country as string) as country,
        cast(based.snapshot_date as date) as snapshot_date,
        cast(based.merged_into as string) as merged_into,
        cast(based.basis_niche as string) as basis_niche,
        cast(based.basis_country as string) as basis_country,
        cast(basis.n as integer) as account_count,
        cast(based.n_own as integer) as own_account_count,
        cast(basis.n_suspicious as integer) as suspicious_account_count,
        {% for rate, _, _ in engagement_rates() %}
            cast(basis.{{ rate }}_n as integer) as {{ rate }}_account_count,
            {% for percent in [10, 25, 50, 75, 90] %}
                cast(basis.{{ rate }}_p{{ percent }} as double) as {{ rate }}_p{{ percent }},
            {% endfor %}
        {% endfor %}
        cast(basis.data_origin as string) as data_origin
    from based
    inner join cells as basis
        on based.platform = basis.platform
        and based.snapshot_date = basis.snapshot_date
        and based.scheme = basis.scheme
        and based.tier = basis.tier
        and based.basis_niche = basis.niche
        and based.basis_country = basis.country
)

select * from fct_tier_benchmark_daily
