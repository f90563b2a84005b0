-- One row per platform, scheme, tier, niche, country (`*` = all) and planned day: its accounts, and how they spread.
-- One model: accounts between two cut-offs are measured once, and added up to every tier and cell while at hand.
{{ config(materialized="view") }}

{% set rates = engagement_rates() %}

with planned as (
    {{ planned_dates("fct_tier_benchmark_daily") }}
),

rated as (
    select * from {{ ref("int_engagement__accounts_rated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

attributes as (
    select * from {{ ref("int_engagement__attributes_dated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

evaluated as (
    select * from {{ ref("int_trust__accounts_evaluated") }}
    where snapshot_date in (select planned.snapshot_date from planned)
),

schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

-- Without a verdict nothing speaks against an account.
accounts as (
    select
        rated.platform,
        rated.followers,
        attributes.niche,
        attributes.country,
        rated.data_origin,
        coalesce(evaluated.is_suspicious, false) as is_suspicious,
        {% for rate, _, _ in rates %}
            case when not coalesce(evaluated.is_suspicious, false) then rated.{{ rate }} end as {{ rate }},
        {% endfor %}
        rated.snapshot_date
    from rated
    inner join attributes
        on rated.platform = attributes.platform
        and rated.account_id = attributes.account_id
        and rated.snapshot_date = attributes.snapshot_date
    left join evaluated
        on rated.platform = evaluated.platform
        and rated.account_id = evaluated.account_id
        and rated.snapshot_date = evaluated.snapshot_date
    where {{ has_rate("rated") }}
),

{{ tier_bounds_for("accounts") }},

-- Schemes share many of their cut-offs, so accounts between two of them are measured once for all tiers that lie there.
cuts as (
    select distinct
        platform,
        snapshot_date,
        min_followers,
        max_followers
    from bounds
),

between_cuts as (
    select
        accounts.*,
        cuts.min_followers,
        cuts.max_followers
    from accounts
    inner join cuts
        on accounts.platform = cuts.platform
        and accounts.snapshot_date = cuts.snapshot_date
        and accounts.followers >= cuts.min_followers
        and (cuts.max_followers is null or accounts.followers < cuts.max_followers)
),

measured as (
    select
        platform,
        snapshot_date,
        min_followers,
        max_followers,
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
    from between_cuts
    group by platform, snapshot_date, min_followers, max_followers, cube(niche, country)
),

-- An account without a niche or country belongs to no cell but those over all of them.
int_benchmark__cells_aggregated as (
    select
        bounds.platform,
        bounds.snapshot_date,
        bounds.scheme,
        bounds.tier,
        case when measured.all_niches = 1 then '*' else measured.niche end as niche,
        case when measured.all_countries = 1 then '*' else measured.country end as country,
        measured.n,
        measured.n_suspicious,
        {% for rate, _, _ in rates %}
            measured.{{ rate }}_n,
            {% for percent in [10, 25, 50, 75, 90] %}
                case
                    when measured.{{ rate }}_n >= {{ fewest_accounts() }}
                        then {{ element_at_place('measured.' ~ rate, loop.index) }}
                end as {{ rate }}_p{{ percent }},
            {% endfor %}
        {% endfor %}
        measured.data_origin
    from measured
    inner join bounds
        on measured.platform = bounds.platform
        and measured.snapshot_date = bounds.snapshot_date
        and measured.min_followers = bounds.min_followers
        and measured.max_followers is not distinct from bounds.max_followers
    where
        (measured.all_niches = 1 or measured.niche is not null)
        and (measured.all_countries = 1 or measured.country is not null)
)

select * from int_benchmark__cells_aggregated
