-- One row per account and UTC day on which it or a post was captured: its niche and country, and its place among peers.
{% set rates = {"er": "er_followers_median_30", "like_rate": "like_rate_views_median_30"} %}
-- Cells from the account's own upwards: country is merged first, then niche.
{% set cells = {
    "own": "platform, snapshot_date, tier, niche, country",
    "niche": "platform, snapshot_date, tier, niche",
    "country": "platform, snapshot_date, tier, country",
    "tier": "platform, snapshot_date, tier",
} %}
{% set fewest = 30 %}

with rated as (select * from {{ ref("int_account__engagement_rated") }}),

attributes as (select * from {{ ref("int_account__attributes_dated") }}),

suspicious as (select * from {{ ref("int_account__suspicious") }}),

{{ default_scheme_as("schemes") }},

described as (
    select
        rated.platform,
        rated.account_id,
        rated.snapshot_date,
        rated.followers,
        attributes.niche,
        attributes.country,
        {% for rate in rates.values() %}
            rated.{{ rate }},
        {% endfor %}
        {{ has_rate("rated") }} and suspicious.account_id is null as is_peer
    from attributes
    inner join rated
        on attributes.platform = rated.platform
        and attributes.account_id = rated.account_id
        and attributes.snapshot_date = rated.snapshot_date
    left join suspicious
        on attributes.platform = suspicious.platform
        and attributes.account_id = suspicious.account_id
        and attributes.snapshot_date = suspicious.snapshot_date
),

{{ tiered_from("described") }},

with_tier as (
    select
        described.*,
        tiered.tier
    from described
    left join tiered
        on described.platform = tiered.platform
        and described.account_id = tiered.account_id
        and described.snapshot_date = tiered.snapshot_date
),

counted as (
    select
        *,
        {% for cell, columns in cells.items() %}
            count(case when is_peer then 1 end) over (partition by {{ columns }}) as {{ cell }}_n,
            {% for name, rate in rates.items() %}
                count({{ rate }}) filter (where is_peer) over (partition by {{ columns }}) as {{ cell }}_{{ name }}_n,
                count({{ rate }}) filter (where is_peer) over (
                    partition by {{ columns }} order by {{ rate }} asc nulls last
                ) as {{ cell }}_{{ name }}_upto,
            {% endfor %}
        {% endfor %}
        tier not in ('below', 'unclassified') as has_cells
    from with_tier
),

placed as (
    select
        *,
        case
            when tier is null or not has_cells then null
            when niche is not null and country is not null and own_n >= {{ fewest }} then 'own'
            when niche is not null and niche_n >= {{ fewest }} then 'niche'
            when niche is null and country is not null and country_n >= {{ fewest }} then 'country'
            when tier_n >= {{ fewest }} then 'tier'
        end as cell
    from counted
),

int_account__peers_ranked as (
    select
        platform,
        account_id,
        tier,
        niche,
        country,
        case when cell in ('own', 'niche') then niche when cell is not null then '*' end as benchmark_niche,
        case when cell in ('own', 'country') then country when cell is not null then '*' end as benchmark_country,
        case cell
            {% for cell in cells %}
                when '{{ cell }}' then {{ cell }}_n
            {% endfor %}
        end as benchmark_n,
        {% for name, rate in rates.items() %}
            case
                {% for cell in cells %}
                    when cell = '{{ cell }}' and {{ rate }} is not null and {{ cell }}_{{ name }}_n >= {{ fewest }}
                        then cast(100 * {{ cell }}_{{ name }}_upto as double) / {{ cell }}_{{ name }}_n
                {% endfor %}
            end as {{ name }}_percentile,
        {% endfor %}
        snapshot_date
    from placed
)

select * from int_account__peers_ranked
