-- One row per account with known followers and planned day: what it weighs, and its places in its tier's pools.
-- Spark puts a view into each of its readers, and the sampling reads it many times: a table saves minutes of planning.
{{ config(materialized="view" if target.type == "duckdb" else "table") }}

-- No audience is larger: a count beyond it is a fault, which must not stop a night.
{% set most = 1000000000000 %}

with rated as (
    select * from {{ ref("int_engagement__accounts_rated") }}
    where
        snapshot_date in ({{ planned_dates("int_equivalence__equivalents_sampled") }})
        and followers is not null
),

evaluated as (select * from {{ ref("int_trust__accounts_evaluated") }}),

schemes as (select * from {{ source("meta", "config_default_scheme") }}),

-- What one post is expected to bring, to the hundredth: sums of decimals are the same in every order.
accounts as (
    select
        rated.platform,
        rated.account_id,
        rated.snapshot_date,
        rated.followers,
        rated.data_origin,
        cast({{ at_most("rated.followers", most) }} as decimal(18, 2)) as followers_value,
        cast({{ at_most("round(rated.followers * rated.reach_rate_median_30, 2)", most) }} as decimal(18, 2))
            as reach_value,
        cast({{ at_most("round(rated.followers * rated.er_followers_median_30, 2)", most) }} as decimal(18, 2))
            as engagements_value,
        -- Without a verdict nothing speaks against it.
        coalesce(evaluated.is_suspicious, false) as is_suspicious
    from rated
    left join evaluated
        on rated.platform = evaluated.platform
        and rated.account_id = evaluated.account_id
        and rated.snapshot_date = evaluated.snapshot_date
),

{{ tiered_from("accounts") }},

-- Tiers by where they begin: a larger number is a larger audience.
ranked as (
    select
        platform,
        snapshot_date,
        tier,
        row_number() over (partition by platform, snapshot_date order by min(min_followers), tier) as tier_rank
    from bounds
    group by platform, snapshot_date, tier
),

-- In the order of a hash of their ids, which has nothing to do with their size.
int_equivalence__accounts_pooled as (
    select
        tiered.platform,
        tiered.account_id,
        tiered.snapshot_date,
        tiered.scheme,
        tiered.tier,
        ranked.tier_rank,
        tiered.followers,
        tiered.is_suspicious,
        {% for measure in equivalence_measures() %}
            case when not tiered.is_suspicious then tiered.{{ measure }}_value end as {{ measure }}_value,
            count(case when not tiered.is_suspicious then tiered.{{ measure }}_value end) over in_pool
                as {{ measure }}_place,
        {% endfor %}
        tiered.data_origin
    from tiered
    inner join ranked
        on tiered.platform = ranked.platform
        and tiered.snapshot_date = ranked.snapshot_date
        and tiered.tier = ranked.tier
    window
        in_pool as (
            partition by tiered.platform, tiered.snapshot_date, tiered.tier
            order by md5(tiered.account_id), tiered.account_id rows between unbounded preceding and current row
        )
)

select * from int_equivalence__accounts_pooled
