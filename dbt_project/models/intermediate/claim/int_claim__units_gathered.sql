-- One row per claim, platform (`*` = all), side and unit: an account, campaign or session with what the claim measures.
{{ config(materialized="table") }}

with claims as (select * from {{ ref("claims") }}),

sides as (select * from {{ ref("int_claim__tier_sides") }}),

default_scheme as (select * from {{ source("meta", "config_default_scheme") }}),

graduation as (
    select * from {{ ref("fct_tier_graduation") }}
    where horizon_days = 365 and accounts > 0 and scheme in (select default_scheme.scheme from default_scheme)
),

-- From the lowest tier to the second. A scheme of two tiers has no second.
graduates as (
    select
        graduation.platform,
        graduation.from_tier,
        graduation.share_turned,
        graduation.data_origin,
        least(graduation.accounts, {{ claim_draws() }}) as accounts,
        {{ each_number(1, "least(graduation.accounts, " ~ claim_draws() ~ ")") }} as number
    from graduation
    inner join sides as lowest
        on graduation.platform = lowest.platform
        and graduation.from_tier = lowest.tier
        and lowest.standing = 'lowest'
    inner join sides as next_tier
        on graduation.platform = next_tier.platform
        and graduation.to_tier = next_tier.tier
        and next_tier.standing = 'second'
),

units as (
    select * from {{ ref("int_claim__account_units") }}

    union all

    select * from {{ ref("int_claim__collaboration_units") }}

    union all

    {{ claim_unit(
        "graduation", "platform", "'a'", "from_tier || ' accounts followed for 365 days'", "cast(number as string)",
        "case when number <= round(accounts * share_turned) then 1 else 0 end", "1",
    ) }}
    from graduates

    union all

    {{ claim_unit(
        "live_host_sales", "'*'", "case host_type when 'trained_host' then 'a' else 'b' end",
        "case host_type when 'trained_host' then 'trained hosts' else 'creators' end", "live_session_id",
        "gmv_in_session_base", "unique_viewers",
    ) }}
    from {{ ref("fct_live_session") }}
    where host_type is not null and unique_viewers > 0
),

-- What is unknown says nothing. A statistic of one value alone needs no second.
int_claim__units_gathered as (
    select units.*
    from units
    inner join claims on units.claim = claims.claim
    where
        units.x is not null
        and (units.y is not null or claims.statistic in ('median', 'median_ratio'))
)

select * from int_claim__units_gathered
