-- One row per platform, planned day, tier, niche and country of an account: the benchmark cell it is compared in.
{{ config(materialized="view") }}

{% set rates = percentile_rates() %}
{% set cells = benchmark_cells() %}

with accounts as (select * from {{ ref("int_benchmark__peers_described") }}),

-- Peers are counted by the cells of the accounts' own, of which there are few, and these are summed up to wider ones.
counted as (
    select
        platform,
        snapshot_date,
        tier,
        niche,
        country,
        {% for name, rate in rates.items() %}
            count({{ rate }}) filter (where is_peer) as own_{{ name }}_n,
        {% endfor %}
        count(*) filter (where is_peer) as own_n
    from accounts
    where tier not in ('below', 'unclassified')
    group by {{ cells["own"] }}
),

summed as (
    select
        platform,
        snapshot_date,
        tier,
        niche,
        country,
        {% for cell in ["niche", "country", "tier"] %}
            {% for name in rates %}
                sum(own_{{ name }}_n) over (partition by {{ cells[cell] }}) as {{ cell }}_{{ name }}_n,
            {% endfor %}
            sum(own_n) over (partition by {{ cells[cell] }}) as {{ cell }}_n,
        {% endfor %}
        {% for name in rates %}
            own_{{ name }}_n,
        {% endfor %}
        own_n
    from counted
),

-- Country is rolled up first, then niche.
chosen as (
    select
        *,
        case
            when niche is not null and country is not null and own_n >= {{ fewest_accounts() }} then 'own'
            when niche is not null and niche_n >= {{ fewest_accounts() }} then 'niche'
            when niche is null and country is not null and country_n >= {{ fewest_accounts() }} then 'country'
            when tier_n >= {{ fewest_accounts() }} then 'tier'
        end as cell
    from summed
),

int_benchmark__cells_matched as (
    select
        platform,
        snapshot_date,
        tier,
        niche,
        country,
        cell,
        case when cell in ('own', 'niche') then niche when cell is not null then '*' end as benchmark_niche,
        case when cell in ('own', 'country') then country when cell is not null then '*' end as benchmark_country,
        {% for name in rates %}
            {{ of_chosen_cell("", "_" ~ name ~ "_n") }} as {{ name }}_n,
        {% endfor %}
        {{ of_chosen_cell("", "_n") }} as n
    from chosen
)

select * from int_benchmark__cells_matched
