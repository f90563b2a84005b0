-- One row per account and UTC day on which it or a post was captured: its niche and country, and its place among peers.
{% set rates = {"er": "er_followers_median_30", "like_rate": "like_rate_views_median_30"} %}
-- Cells from the account's own upwards: country is merged first, then niche.
{% set cells = {
    "own": "platform, snapshot_date, tier, niche, country",
    "niche": "platform, snapshot_date, tier, niche",
    "country": "platform, snapshot_date, tier, country",
    "tier": "platform, snapshot_date, tier",
} %}
{% set wider_cells = ["niche", "country", "tier"] %}
{% set fewest = 30 %}

with rated as (select * from {{ ref("int_account__engagement_rated") }}),

attributes as (select * from {{ ref("int_account__attributes_dated") }}),

suspicious as (select * from {{ ref("int_account__suspicious") }}),

schemes as (select * from {{ ref("stg_meta__default_scheme") }}),

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

-- A platform for which the scheme has no tiers that day keeps its rows, without one.
with_tier as (
    select * from tiered
    union all
    select
        described.*,
        cast(null as varchar) as scheme,
        cast(null as varchar) as tier
    from described
    where
        not exists (
            select 1
            from scheme_days
            where described.platform = scheme_days.platform and described.snapshot_date = scheme_days.snapshot_date
        )
),

-- Peers are counted by the cells of the accounts' own, of which there are few, and these are summed up to wider ones.
counted as (
    select
        platform,
        tier,
        niche,
        country,
        count(*) filter (where is_peer) as own_n,
        {% for name, rate in rates.items() %}
            count({{ rate }}) filter (where is_peer) as own_{{ name }}_n,
        {% endfor %}
        snapshot_date
    from with_tier
    where tier not in ('below', 'unclassified')
    group by {{ cells["own"] }}
),

summed as (
    select
        platform,
        tier,
        niche,
        country,
        own_n,
        {% for name in rates %}
            own_{{ name }}_n,
        {% endfor %}
        {% for cell in wider_cells %}
            sum(own_n) over (partition by {{ cells[cell] }}) as {{ cell }}_n,
            {% for name in rates %}
                sum(own_{{ name }}_n) over (partition by {{ cells[cell] }}) as {{ cell }}_{{ name }}_n,
            {% endfor %}
        {% endfor %}
        snapshot_date
    from counted
),

placed as (
    select
        *,
        case
            when niche is not null and country is not null and own_n >= {{ fewest }} then 'own'
            when niche is not null and niche_n >= {{ fewest }} then 'niche'
            when niche is null and country is not null and country_n >= {{ fewest }} then 'country'
            when tier_n >= {{ fewest }} then 'tier'
        end as cell
    from summed
),

-- Only who has a rate has a place among the others.
ranked as (
    select
        platform,
        account_id,
        {% for cell, columns in cells.items() %}
            {% for name, rate in rates.items() %}
                count({{ rate }}) filter (where is_peer) over (
                    partition by {{ columns }} order by {{ rate }} asc nulls last
                ) as {{ cell }}_{{ name }}_upto,
            {% endfor %}
        {% endfor %}
        snapshot_date
    from with_tier
    where
        {% for rate in rates.values() %}
            {{ "or" if not loop.first }} {{ rate }} is not null
        {% endfor %}
),

int_account__peers_ranked as (
    select
        with_tier.platform,
        with_tier.account_id,
        with_tier.tier,
        with_tier.niche,
        with_tier.country,
        case
            when placed.cell in ('own', 'niche') then with_tier.niche
            when placed.cell is not null then '*'
        end as benchmark_niche,
        case
            when placed.cell in ('own', 'country') then with_tier.country
            when placed.cell is not null then '*'
        end as benchmark_country,
        cast(
            case placed.cell
                {% for cell in cells %}
                    when '{{ cell }}' then placed.{{ cell }}_n
                {% endfor %}
            end as bigint
        ) as benchmark_n,
        {% for name, rate in rates.items() %}
            case
                {% for cell in cells %}
                    {% set place = "ranked." ~ cell ~ "_" ~ name ~ "_upto" %}
                    {% set peers = "placed." ~ cell ~ "_" ~ name ~ "_n" %}
                    when
                        placed.cell = '{{ cell }}'
                        and with_tier.{{ rate }} is not null
                        and {{ peers }} >= {{ fewest }}
                        then {{ ratio("100 * " ~ place, peers) }}
                {% endfor %}
            end as {{ name }}_percentile,
        {% endfor %}
        with_tier.snapshot_date
    from with_tier
    left join placed
        on with_tier.platform = placed.platform
        and with_tier.snapshot_date = placed.snapshot_date
        and with_tier.tier = placed.tier
        and with_tier.niche is not distinct from placed.niche
        and with_tier.country is not distinct from placed.country
    left join ranked
        on with_tier.platform = ranked.platform
        and with_tier.account_id = ranked.account_id
        and with_tier.snapshot_date = ranked.snapshot_date
)

select * from int_account__peers_ranked
