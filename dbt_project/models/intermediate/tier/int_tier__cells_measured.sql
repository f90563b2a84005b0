-- One row per platform, scheme, tier, niche, country (`*` = all) and planned day: its accounts, and how they spread.
{{ config(materialized="view") }}

{% set rates = engagement_rates() %}

with rated as (
    select * from {{ ref("int_account__engagement_rated") }}
    where snapshot_date in ({{ planned_dates("fct_tier_benchmark_daily") }})
),

peers as (select * from {{ ref("int_account__peers_ranked") }}),

suspicious as (select * from {{ ref("int_account__suspicious") }}),

schemes as (select * from {{ ref("tier_schemes") }}),

accounts as (
    select
        rated.platform,
        rated.followers,
        peers.niche,
        peers.country,
        rated.data_origin,
        suspicious.account_id is not null as is_suspicious,
        {% for rate, _, _ in rates %}
            case when suspicious.account_id is null then rated.{{ rate }} end as {{ rate }},
        {% endfor %}
        rated.snapshot_date
    from rated
    inner join peers
        on rated.platform = peers.platform
        and rated.account_id = peers.account_id
        and rated.snapshot_date = peers.snapshot_date
    left join suspicious
        on rated.platform = suspicious.platform
        and rated.account_id = suspicious.account_id
        and rated.snapshot_date = suspicious.snapshot_date
    where {{ has_rate("rated") }}
),

{{ tiered_from("accounts") }},

measured as (
    select
        platform,
        snapshot_date,
        scheme,
        tier,
        niche,
        country,
        grouping(niche) as all_niches,
        grouping(country) as all_countries,
        count(*) filter (where not is_suspicious) as n,
        count(*) filter (where is_suspicious) as n_suspicious,
        {% for rate, _, _ in rates %}
            count({{ rate }}) as {{ rate }}_n,
            {{ quantiles(rate, [0.1, 0.25, 0.5, 0.75, 0.9]) }} as {{ rate }},
        {% endfor %}
        max(data_origin) as data_origin
    from tiered
    where tier not in ('below', 'unclassified')
    group by platform, snapshot_date, scheme, tier, cube(niche, country)
),

-- An account without a niche or country belongs to no cell but those over all of them.
int_tier__cells_measured as (
    select
        platform,
        snapshot_date,
        scheme,
        tier,
        case when all_niches = 1 then '*' else niche end as niche,
        case when all_countries = 1 then '*' else country end as country,
        n,
        n_suspicious,
        {% for rate, _, _ in rates %}
            {{ rate }}_n,
            {% for percent in [10, 25, 50, 75, 90] %}
                case when {{ rate }}_n >= 30 then {{ element_at_place(rate, loop.index) }} end
                    as {{ rate }}_p{{ percent }},
            {% endfor %}
        {% endfor %}
        data_origin
    from measured
    where (all_niches = 1 or niche is not null) and (all_countries = 1 or country is not null)
)

select * from int_tier__cells_measured
