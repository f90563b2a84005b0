-- One row per platform and tier of the default scheme on the last day built: where it stands among the scheme's tiers.
-- The press speaks of nano, micro, macro and mega: the lowest tier, the second, those between, and the highest.
{{ config(materialized="table") }}

with schemes as (select * from {{ source("meta", "config_default_scheme") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

days as (
    select distinct
        accounts.platform,
        base.as_of_date as snapshot_date
    from {{ ref("dim_account") }} as accounts
    cross join base
    where accounts.last_seen_date is not null
),

{{ tier_bounds_for("days") }},

ranked as (
    select
        platform,
        tier,
        row_number() over (partition by platform order by tier_rank, tier) as place,
        count(*) over (partition by platform) as tiers
    from bounds
),

-- Of three tiers none is between; of two none is second; one alone is the highest.
placed as (
    select
        platform,
        tier,
        place,
        case
            when place = tiers then 'highest'
            when place = 1 then 'lowest'
            when place = 2 then 'second'
            else 'between'
        end as standing,
        place < tiers and place <= 2 as is_small
    from ranked
),

-- Tiers that stand on a side together, and how they are named: a, b and c.
together as (
    {% for side, condition in [("small", "is_small"), ("large", "not is_small"), ("larger", "standing <> 'lowest'")] %}
        select
            platform,
            '{{ side }}' as side,
            tier,
            row_number() over (partition by platform order by place) as place,
            count(*) over (partition by platform) as tiers
        from placed
        where {{ condition }}
        {{ "union all" if not loop.last }}
    {% endfor %}
),

separated as (
    select
        platform,
        side,
        place,
        case when place = 1 then '' when place = tiers then ' and ' else ', ' end || tier as tier_name
    from together
),

named as (
    select
        platform,
        side,
        {{ joined("tier_name", "", "place") }} as joined_names
    from separated
    group by platform, side
),

int_claim__tier_sides as (
    select
        placed.platform,
        placed.tier,
        placed.standing,
        placed.is_small,
        max(case when named.side = 'small' then named.joined_names end) as small_names,
        max(case when named.side = 'large' then named.joined_names end) as large_names,
        max(case when named.side = 'larger' then named.joined_names end) as larger_names
    from placed
    inner join named on placed.platform = named.platform
    group by placed.platform, placed.tier, placed.standing, placed.is_small
)

select * from int_claim__tier_sides
