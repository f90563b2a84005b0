-- One row per account and UTC day on which it or a post of its own was captured: its place among its peers.
{% set rates = percentile_rates() %}

with accounts as (select * from {{ ref("int_benchmark__peers_described") }}),

cells as (select * from {{ ref("int_benchmark__cells_matched") }}),

-- Only who has a rate has a place among the others.
ranked as (
    select
        platform,
        account_id,
        {% for cell, columns in benchmark_cells().items() %}
            {% for name, rate in rates.items() %}
                count({{ rate }}) filter (where is_peer) over (
                    partition by {{ columns }} order by {{ rate }} asc nulls last
                ) as {{ cell }}_{{ name }}_upto,
            {% endfor %}
        {% endfor %}
        snapshot_date
    from accounts
    where
        {% for rate in rates.values() %}
            {{ "or" if not loop.first }} {{ rate }} is not null
        {% endfor %}
),

fct_account_benchmark_daily as (
    select
        cast(accounts.platform as string) as platform,
        cast(accounts.account_id as string) as account_id,
        cast(accounts.snapshot_date as date) as snapshot_date,
        cast(accounts.scheme as string) as scheme,
        cast(accounts.tier as string) as tier,
        cast(cells.benchmark_niche as string) as benchmark_niche,
        cast(cells.benchmark_country as string) as benchmark_country,
        cast(cells.n as integer) as benchmark_account_count,
        {% for name, rate in rates.items() %}
            {% set place = of_chosen_cell("ranked.", "_" ~ name ~ "_upto", "cells.cell") %}
            cast(
                case
                    when accounts.{{ rate }} is not null and cells.{{ name }}_n >= {{ fewest_accounts() }}
                        then {{ ratio("100 * " ~ place, "cells." ~ name ~ "_n") }}
                end as double
            ) as {{ name }}_percentile,
        {% endfor %}
        cast(accounts.data_origin as string) as data_origin
    from accounts
    left join cells
        on accounts.platform = cells.platform
        and accounts.snapshot_date = cells.snapshot_date
        and accounts.tier = cells.tier
        and accounts.niche is not distinct from cells.niche
        and accounts.country is not distinct from cells.country
    left join ranked
        on accounts.platform = ranked.platform
        and accounts.account_id = ranked.account_id
        and accounts.snapshot_date = ranked.snapshot_date
)

select * from fct_account_benchmark_daily
