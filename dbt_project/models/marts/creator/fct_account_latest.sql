-- One row per account that was ever captured, or that a collaboration names: what is last known of it.
-- One model: what is last known of an account in one row is one join of what other models know.
{{ config(materialized="table") }}

{#- Money of an account is told under the model that is commission's own earner. -#}
{% set attribution_model = "code_or_last_click" %}
{% set measures = {
    "followers_growth_7d": "double", "followers_growth_28d": "double", "er_followers_median_30": "double",
    "er_views_median_30": "double", "reach_rate_median_30": "double", "er_percentile": "double",
    "trust_score": "integer", "verdict": "string", "engagement_verdict": "string",
} %}

with states as (select * from {{ ref("int_snapshot__account_last_known_values") }}),

checked as (select * from {{ ref("int_creator__accounts_known") }}),

described as (select * from {{ ref("dim_account") }}),

given as (select * from {{ ref("int_snapshot__attributes_merged") }}),

prices as (select * from {{ ref("dim_account_price") }}),

tiers as (select * from {{ ref("dim_tier") }}),

collaborations as (
    select * from {{ ref("dim_collaboration") }}
    where is_landed
),

returned as (
    select * from {{ ref("fct_return_daily") }}
    where attribution_model = '{{ attribution_model }}'
),

base as (select * from {{ ref("stg_meta__run_context") }}),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

known as (
    select *
    from states
    where snapshot_date = (select max(newest.snapshot_date) from states as newest)
),

measured as (
    select *
    from checked
    where snapshot_date = (select max(newest.snapshot_date) from checked as newest)
),

agreed as (
    select
        platform,
        account_id,
        count(*) as collaborations,
        count_if(is_open) as open_collaborations,
        max(creator_id) as creator_id,
        max(data_origin) as data_origin
    from collaborations
    group by platform, account_id
),

money as (
    select
        collaborations.platform,
        collaborations.account_id,
        case when sum(returned.cost_entries) > 0 and sum(returned.unrated_costs) = 0 then sum(returned.spend_base) end
            as spend_base,
        case when sum(returned.unvalued_orders) = 0 then sum(returned.net_revenue_base) end as net_revenue_base,
        sum(returned.orders) as orders,
        max(returned.data_origin) as data_origin
    from collaborations
    inner join returned on collaborations.collaboration_id = returned.collaboration_id
    group by collaborations.platform, collaborations.account_id
),

ids as (
    select
        platform,
        account_id
    from known
    union
    select
        platform,
        account_id
    from measured
    union
    select
        platform,
        account_id
    from agreed
),

tiered as (
    select
        ids.platform,
        ids.account_id,
        default_scheme.scheme,
        prices.price_base,
        prices.price_basis,
        prices.data_origin,
        coalesce(prices.tier, 'unknown') as tier
    from ids
    cross join default_scheme
    left join prices on ids.platform = prices.platform and ids.account_id = prices.account_id
),

fct_account_latest as (
    select
        cast(ids.platform as string) as platform,
        cast(ids.account_id as string) as account_id,
        cast(coalesce(given.creator_id, nullif(agreed.creator_id, '(unknown)')) as string) as creator_id,
        {% for name in ["handle", "display_name", "niche", "country", "language"] %}
            cast(coalesce(described.{{ name }}, given.{{ name }}) as string) as {{ name }},
        {% endfor %}
        cast(given.city as string) as city,
        cast(known.last_seen_date as date) as last_seen_date,
        cast(known.followers as bigint) as followers,
        cast(known.followers_known_at as date) as followers_date,
        cast(tiered.scheme as string) as scheme,
        cast(tiered.tier as string) as tier,
        cast(tiers.tier_rank as integer) as tier_rank,
        {% for measure, kind in measures.items() %}
            cast(measured.{{ measure }} as {{ kind }}) as {{ measure }},
            cast(measured.{{ measure }}_date as date) as {{ measure }}_date,
        {% endfor %}
        cast(tiered.price_base as decimal(38, 6)) as price_base,
        cast(tiered.price_basis as string) as price_basis,
        cast(coalesce(agreed.collaborations, 0) as bigint) as collaborations,
        cast(coalesce(agreed.open_collaborations, 0) as bigint) as open_collaborations,
        cast(money.spend_base as decimal(38, 6)) as spend_base,
        cast(money.orders as decimal(38, 8)) as orders,
        cast(money.net_revenue_base as decimal(38, 6)) as net_revenue_base,
        {{ fraction("money.net_revenue_base - money.spend_base", "money.spend_base") }} as roi_net,
        cast(base.currency as string) as base_currency,
        cast(base.as_of_date as date) as as_of_date,
        cast(
            coalesce(
                greatest(
                    described.data_origin, known.data_origin, tiered.data_origin, agreed.data_origin, money.data_origin
                ),
                'observed'
            ) as string
        ) as data_origin
    from ids
    cross join base
    left join known on ids.platform = known.platform and ids.account_id = known.account_id
    left join measured on ids.platform = measured.platform and ids.account_id = measured.account_id
    left join described on ids.platform = described.platform and ids.account_id = described.account_id
    left join given on ids.platform = given.platform and ids.account_id = given.account_id
    left join agreed on ids.platform = agreed.platform and ids.account_id = agreed.account_id
    left join money on ids.platform = money.platform and ids.account_id = money.account_id
    inner join tiered on ids.platform = tiered.platform and ids.account_id = tiered.account_id
    left join tiers
        on tiered.platform = tiers.platform and tiered.scheme = tiers.scheme and tiered.tier = tiers.tier
)

select * from fct_account_latest
