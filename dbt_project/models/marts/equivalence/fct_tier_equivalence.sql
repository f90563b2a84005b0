-- One row per platform, UTC day and pair of tiers: how many accounts of the lower one equal one typical of the higher.
{{ config(materialized="table") }}

{% set measures = equivalence_measures() %}

with drawn as (select * from {{ ref("int_equivalence__equivalents_sampled") }}),

prices as (select * from {{ ref("int_equivalence__prices_gathered") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

fct_tier_equivalence as (
    select
        cast(drawn.platform as string) as platform,
        cast(drawn.snapshot_date as date) as snapshot_date,
        cast(drawn.scheme as string) as scheme,
        cast(drawn.from_tier as string) as from_tier,
        cast(drawn.to_tier as string) as to_tier,
        {% for measure in measures %}
            cast(drawn.n_{{ measure }} as bigint) as account_count_{{ measure }},
            cast(drawn.n_{{ measure }}_low as bigint) as account_count_{{ measure }}_low,
            cast(drawn.n_{{ measure }}_high as bigint) as account_count_{{ measure }}_high,
            cast(drawn.n_{{ measure }}_unreached as integer) as unreached_draws_{{ measure }},
            cast(drawn.n_from_{{ measure }} as bigint) as from_account_count_{{ measure }},
            cast(drawn.n_to_{{ measure }} as bigint) as to_account_count_{{ measure }},
        {% endfor %}
        cast(drawn.n_suspicious_from as bigint) as from_suspicious_account_count,
        cast(drawn.n_suspicious_to as bigint) as to_suspicious_account_count,
        cast('not deduplicated' as string) as reach_basis,
        {% for measure in measures %}
            {% set suffix = "" if measure == "followers" else "_" ~ measure %}
            cast(drawn.n_{{ measure }} * lower_prices.mean_base as decimal(38, 6))
                as price_from{{ suffix }}_base,
            cast(drawn.n_{{ measure }}_low * lower_prices.low_base as decimal(38, 6))
                as price_from{{ suffix }}_low_base,
            cast(drawn.n_{{ measure }}_high * lower_prices.high_base as decimal(38, 6))
                as price_from{{ suffix }}_high_base,
        {% endfor %}
        cast(lower_prices.price_basis as string) as price_from_basis,
        cast(lower_prices.collaborations as integer) as price_from_collaborations,
        cast(higher_prices.typical_base as decimal(38, 6)) as price_to_base,
        cast(higher_prices.low_base as decimal(38, 6)) as price_to_low_base,
        cast(higher_prices.high_base as decimal(38, 6)) as price_to_high_base,
        cast(higher_prices.price_basis as string) as price_to_basis,
        cast(higher_prices.collaborations as integer) as price_to_collaborations,
        cast(base.currency as string) as base_currency,
        cast(
            greatest(drawn.data_origin, lower_prices.data_origin, higher_prices.data_origin) as string
        ) as data_origin
    from drawn
    cross join base
    left join prices as lower_prices
        on drawn.platform = lower_prices.platform
        and drawn.snapshot_date = lower_prices.snapshot_date
        and drawn.from_tier = lower_prices.tier
    left join prices as higher_prices
        on drawn.platform = higher_prices.platform
        and drawn.snapshot_date = higher_prices.snapshot_date
        and drawn.to_tier = higher_prices.tier
)

select * from fct_tier_equivalence
