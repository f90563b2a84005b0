-- One row per platform, planned day and pair of tiers: how many accounts of the lower one equal one of the higher one.
-- Bootstrap over sums of real accounts: a replicate draws accounts of the lower tier with replacement, until their sum
-- reaches the median of as many accounts of the higher tier, drawn likewise. Accounts of the lower tier come in blocks
-- of sixteen, which a replicate draws from a library, one after the other and with replacement: drawing each account
-- anew would cost tens of times as much and say the same. What a library holds too much or too little on average is
-- taken from the target. One sequence serves all higher tiers. Draws are the same in every run, and those of a tier the
-- same every day.
-- One model: pools, draws and sums have numbers of their own, which no table should keep.
{% set replicates = 200 %}
-- Accounts of a tier that are drawn from: the first ones in the order of a hash of their ids.
{% set pool = 500 %}
{% set fewest = fewest_accounts() %}
-- A sequence is as long as its largest target needs on average, and five standard deviations of that more.
{% set longest = 5000 %}
-- Accounts of a block, and blocks of a library. A sum is taken by blocks, and by accounts where it reaches a target.
{% set block_draws = 16 %}
{% set library = 256 %}
{% set measures = equivalence_measures() %}

with accounts as (select * from {{ ref("int_equivalence__accounts_pooled") }}),

tiers as (
    select
        platform,
        snapshot_date,
        scheme,
        tier,
        tier_rank,
        count(*) filter (where is_suspicious) as n_suspicious,
        median(followers) filter (where not is_suspicious) as median_followers,
        {% for measure in measures %}
            count({{ measure }}_value) as n_{{ measure }},
        {% endfor %}
        max(data_origin) as data_origin
    from accounts
    group by platform, snapshot_date, scheme, tier, tier_rank
),

pooled as (
    {% for measure in measures %}
        select
            platform,
            snapshot_date,
            tier_rank,
            {{ loop.index }} as measure,
            {{ measure }}_place as place,
            {{ measure }}_value as value
        from accounts
        where {{ measure }}_place <= {{ pool }} and {{ measure }}_value is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Pools by a number of their own: what follows has a row for each draw.
pools as (
    select
        platform,
        snapshot_date,
        tier_rank,
        measure,
        tier_rank * 10 + measure as salt,
        row_number() over (order by platform, snapshot_date, measure, tier_rank) as pool,
        count(*) as size,
        sum(value) as total,
        sum(cast(value as decimal(19, 2)) * cast(value as decimal(19, 2))) as total_of_squares
    from pooled
    group by platform, snapshot_date, tier_rank, measure
    having count(*) >= {{ fewest }}
),

members as (
    select
        pools.pool,
        pooled.place,
        pooled.value
    from pools
    inner join pooled
        on pools.platform = pooled.platform
        and pools.snapshot_date = pooled.snapshot_date
        and pools.tier_rank = pooled.tier_rank
        and pools.measure = pooled.measure
),

pairs as (
    select
        lower_pools.pool as from_pool,
        higher_pools.pool as to_pool,
        lower_pools.size as from_size,
        lower_pools.salt as from_salt,
        lower_pools.total as from_total,
        lower_pools.total_of_squares as from_squares,
        lower_pools.platform,
        lower_pools.snapshot_date,
        lower_pools.measure,
        lower_pools.tier_rank as from_rank,
        higher_pools.tier_rank as to_rank
    from pools as lower_pools
    inner join pools as higher_pools
        on lower_pools.platform = higher_pools.platform
        and lower_pools.snapshot_date = higher_pools.snapshot_date
        and lower_pools.measure = higher_pools.measure
        and lower_pools.tier_rank < higher_pools.tier_rank
),

higher_replicates as (
    select
        pool,
        size,
        salt,
        {{ each_number(1, replicates) }} as replicate
    from pools
    where pool in (select pairs.to_pool from pairs)
),

higher_steps as (
    select
        *,
        {{ each_number(1, "size") }} as step
    from higher_replicates
),

higher_draws as (
    select
        pool,
        replicate,
        {{ draw_place("replicate", "step", "(1000 + salt)", "size") }} as place
    from higher_steps
),

targets as (
    select
        draws.pool,
        draws.replicate,
        -- To the hundredth below, by whole numbers: each engine has its own median of decimals.
        floor(median(cast(members.value * 100 as bigint))) / 100 as aim
    from higher_draws as draws
    inner join members on draws.pool = members.pool and draws.place = members.place
    group by draws.pool, draws.replicate
),

needed as (
    select
        pairs.from_pool as pool,
        pairs.from_size as size,
        pairs.from_salt as salt,
        targets.replicate,
        {{ ratio("max(targets.aim)", "cast(pairs.from_total as double)") }} * pairs.from_size as on_average,
        sqrt(
            greatest(
                cast(pairs.from_squares as double) * pairs.from_size
                / nullif(cast(pairs.from_total as double) * cast(pairs.from_total as double), 0) - 1,
                0
            )
        ) as deviation
    from pairs
    inner join targets on pairs.to_pool = targets.pool
    group by
        pairs.from_pool, pairs.from_size, pairs.from_salt, pairs.from_total, pairs.from_squares, targets.replicate
),

libraries as (
    select
        pool,
        size,
        salt,
        {{ each_number(1, library) }} as block
    from needed
    where replicate = 1
),

lower_steps as (
    select
        *,
        {{ each_number(1, block_draws) }} as step
    from libraries
),

lower_draws as (
    select
        pool,
        block,
        step,
        {{ draw_place("block", "step", "salt", "size") }} as place
    from lower_steps
),

block_members as (
    select
        draws.pool,
        draws.block,
        draws.step,
        members.value
    from lower_draws as draws
    inner join members on draws.pool = members.pool and draws.place = members.place
),

block_sums as (
    select
        pool,
        block,
        sum(value) as added
    from block_members
    group by pool, block
),

library_totals as (
    select
        pool,
        sum(added) as total
    from block_sums
    group by pool
),

lower_replicates as (
    select
        pool,
        salt,
        replicate,
        cast(
            ceil(
                least(on_average + 5 * deviation * sqrt(on_average) + {{ block_draws }}, {{ longest }})
                / {{ block_draws }}
            ) as bigint
        ) as blocks
    from needed
),

lower_places as (
    select
        *,
        {{ each_number(1, "blocks") }} as nth
    from lower_replicates
),

drawn_blocks as (
    select
        pool,
        replicate,
        nth,
        {{ draw_place("replicate", "nth", "(2000 + salt)", library) }} as block
    from lower_places
),

sums as (
    select
        draws.pool,
        draws.replicate,
        draws.nth,
        draws.block,
        block_sums.added,
        sum(block_sums.added) over (
            partition by draws.pool, draws.replicate
            order by draws.nth rows between unbounded preceding and current row
        ) as reached
    from drawn_blocks as draws
    inner join block_sums on draws.pool = block_sums.pool and draws.block = block_sums.block
),

-- What a sum is held against: the target, in the measure of the library.
aims as (
    select
        pairs.from_pool,
        pairs.to_pool,
        targets.replicate,
        cast(targets.aim as double) * {{ ratio(
            "(cast(library_totals.total as double) * pairs.from_size)",
            "(cast(pairs.from_total as double) * " ~ library * block_draws ~ ")"
        ) }} as aim
    from pairs
    inner join targets on pairs.to_pool = targets.pool
    inner join library_totals on pairs.from_pool = library_totals.pool
),

-- The block of draws in which the sum reaches the target.
crossed as (
    select
        aims.from_pool,
        aims.to_pool,
        aims.replicate,
        aims.aim,
        sums.nth,
        sums.block,
        sums.reached - sums.added as reached_before
    from aims
    inner join sums
        on aims.from_pool = sums.pool
        and aims.replicate = sums.replicate
        and aims.aim <= sums.reached
        and aims.aim > sums.reached - sums.added
),

crossed_sums as (
    select
        crossed.from_pool,
        crossed.to_pool,
        crossed.replicate,
        (crossed.nth - 1) * {{ block_draws }} + block_members.step as step,
        crossed.aim,
        crossed.reached_before + sum(block_members.value) over (
            partition by crossed.from_pool, crossed.to_pool, crossed.replicate
            order by block_members.step rows between unbounded preceding and current row
        ) as reached
    from crossed
    inner join block_members on crossed.from_pool = block_members.pool and crossed.block = block_members.block
),

crossings as (
    select
        from_pool,
        to_pool,
        replicate,
        min(step) as step
    from crossed_sums
    where reached >= aim
    group by from_pool, to_pool, replicate
),

equivalents as (
    select
        pairs.platform,
        pairs.snapshot_date,
        pairs.measure,
        pairs.from_rank,
        pairs.to_rank,
        {{ replicates }} - count(crossings.step) as unreached,
        percentile_disc(0.5) within group (order by crossings.step) as n,
        percentile_disc(0.025) within group (order by crossings.step) as n_low,
        percentile_disc(0.975) within group (order by crossings.step) as n_high
    from pairs
    left join crossings on pairs.from_pool = crossings.from_pool and pairs.to_pool = crossings.to_pool
    group by pairs.platform, pairs.snapshot_date, pairs.measure, pairs.from_rank, pairs.to_rank
),

-- A number is told only where every replicate reached its target.
int_equivalence__equivalents_sampled as (
    select
        lower_tiers.platform,
        lower_tiers.snapshot_date,
        lower_tiers.scheme,
        lower_tiers.tier as from_tier,
        higher_tiers.tier as to_tier,
        {% for measure in measures %}
            case when {{ measure }}_drawn.unreached = 0 then {{ measure }}_drawn.n end as n_{{ measure }},
            case when {{ measure }}_drawn.unreached = 0 then {{ measure }}_drawn.n_low end as n_{{ measure }}_low,
            case when {{ measure }}_drawn.unreached = 0 then {{ measure }}_drawn.n_high end as n_{{ measure }}_high,
            {{ measure }}_drawn.unreached as n_{{ measure }}_unreached,
            lower_tiers.n_{{ measure }} as n_from_{{ measure }},
            higher_tiers.n_{{ measure }} as n_to_{{ measure }},
        {% endfor %}
        lower_tiers.n_suspicious as n_suspicious_from,
        higher_tiers.n_suspicious as n_suspicious_to,
        lower_tiers.median_followers as median_followers_from,
        higher_tiers.median_followers as median_followers_to,
        greatest(lower_tiers.data_origin, higher_tiers.data_origin) as data_origin
    from tiers as lower_tiers
    inner join tiers as higher_tiers
        on lower_tiers.platform = higher_tiers.platform
        and lower_tiers.snapshot_date = higher_tiers.snapshot_date
        and lower_tiers.tier_rank < higher_tiers.tier_rank
    {% for measure in measures %}
        left join equivalents as {{ measure }}_drawn
            on lower_tiers.platform = {{ measure }}_drawn.platform
            and lower_tiers.snapshot_date = {{ measure }}_drawn.snapshot_date
            and lower_tiers.tier_rank = {{ measure }}_drawn.from_rank
            and higher_tiers.tier_rank = {{ measure }}_drawn.to_rank
            and {{ measure }}_drawn.measure = {{ loop.index }}
    {% endfor %}
)

select * from int_equivalence__equivalents_sampled
