-- One row per account and planned day with far more followers than accounts with about as many views.
{{ config(materialized="view") }}

with growth as (
    select *
    from {{ ref("int_trust__growth_measured") }}
    where
        snapshot_date in ({{ planned_dates("int_trust__signals_raised") }})
        and followers >= {{ least_followers() }}
        and views_total >= 1000
),

peers as (
    select *
    from {{ ref("int_peer_stats") }}
    where metric = 'followers_of_neighbours' and n >= {{ fewest_accounts() }}
),

residuals as (
    select
        growth.*,
        exp(peers.median) as expected,
        -- Neighbours that are all alike are few and young: a factor of 1.35 is the least that is called scatter.
        (ln(cast(growth.followers as double)) - peers.median) / greatest(1.4826 * peers.mad, 0.3) as residual
    from growth
    inner join peers
        on growth.platform = peers.platform
        and growth.snapshot_date = peers.snapshot_date
        and peers.cell = {{ views_neighbourhood("growth.views_total") }}
),

int_trust__more_followers_than_neighbours as (
    select
        platform,
        account_id,
        snapshot_date,
        residual as statistic,
        snapshot_date as window_start,
        cast(round(followers - expected) as bigint) as followers_affected,
        {{ counted("followers") }} || ' followers, where accounts with about as many views have '
        || {{ counted("expected") }} as fact
    from residuals
)

select * from int_trust__more_followers_than_neighbours
