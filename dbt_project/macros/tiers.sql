{#- CTEs up to one named `bounds`: a row per platform and day of `days`, scheme and tier that is defined there on that day,
    with its cut-offs. A CTE `schemes` holds tiers of `config`. -#}
{% macro tier_bounds_for(days) -%}
platform_days as (
    select distinct
        platform,
        snapshot_date
    from {{ days }}
),

valid as (
    select
        platform_days.platform,
        platform_days.snapshot_date,
        schemes.scheme,
        schemes.tier,
        schemes.tier_rank,
        schemes.min_followers,
        schemes.max_followers,
        schemes.platform = '*' as is_general
    from platform_days
    inner join schemes
        on schemes.platform in (platform_days.platform, '*')
        and platform_days.snapshot_date >= schemes.valid_from
        and (schemes.valid_to is null or platform_days.snapshot_date < schemes.valid_to)
),

-- A platform's own rows take the place of the general ones, scheme by scheme.
bounds as (
    select *
    from valid
    qualify is_general = bool_and(is_general) over (partition by platform, snapshot_date, scheme)
)
{%- endmacro %}

{#- CTEs that tell the tier of followers, up to one named `tiered`: a row per account and day of `days` and scheme that is
    defined for its platform on that day. `days` needs platform, account_id, snapshot_date and followers; a CTE
    `schemes` holds tiers of `config`. -#}
{% macro tiered_from(days) -%}
{%- set most_followers = 9223372036854775807 -%}
{{ tier_bounds_for(days) }},

scheme_days as (
    select
        platform,
        snapshot_date,
        scheme,
        min(min_followers) as lowest
    from bounds
    group by all
),

tiered as (
    select
        days.*,
        scheme_days.scheme,
        case
            when days.followers is null then null
            when bounds.tier is not null then bounds.tier
            when days.followers < scheme_days.lowest then 'below'
            else 'unclassified'
        end as tier
    from {{ days }} as days
    inner join scheme_days
        on days.platform = scheme_days.platform and days.snapshot_date = scheme_days.snapshot_date
    left join bounds
        on scheme_days.platform = bounds.platform
        and scheme_days.snapshot_date = bounds.snapshot_date
        and scheme_days.scheme = bounds.scheme
        and days.followers >= bounds.min_followers
        -- An `or` here would have DuckDB compare every day with every bound of every day.
        and days.followers < coalesce(bounds.max_followers, {{ most_followers }})
)
{%- endmacro %}

{#- Whether a count of one day still tells what an account had on another: the same day, or one of the seven before. -#}
{% macro is_known_by(counted, day) -%} {{ counted }} between {{ add_days(day, -7) }} and {{ day }} {%- endmacro %}
