-- One row per account and planned day: what places it in a benchmark cell, its rates, and whether it is a peer.
{{ config(materialized="view") }}

with planned as (
    {{ planned_dates("fct_account_benchmark_daily") }}
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

-- An account of which only posts were captured has no verdict: nothing speaks against it.
int_benchmark__peers_described as (
    select
        rated.platform,
        rated.account_id,
        rated.snapshot_date,
        attributes.scheme,
        attributes.tier,
        attributes.niche,
        attributes.country,
        {% for rate in percentile_rates().values() %}
            rated.{{ rate }},
        {% endfor %}
        {{ has_rate("rated") }} and not coalesce(evaluated.is_suspicious, false) as is_peer,
        rated.data_origin
    from rated
    inner join attributes
        on rated.platform = attributes.platform
        and rated.account_id = attributes.account_id
        and rated.snapshot_date = attributes.snapshot_date
    left join evaluated
        on rated.platform = evaluated.platform
        and rated.account_id = evaluated.account_id
        and rated.snapshot_date = evaluated.snapshot_date
)

select * from int_benchmark__peers_described
