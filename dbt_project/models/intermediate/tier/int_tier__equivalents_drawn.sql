-- One row per platform, planned day and pair of tiers: how many accounts of the lower one equal one of the higher one.
-- Bootstrap over sums of real accounts: a replicate draws accounts of the lower tier, one after the other and with
-- replacement, until their sum reaches the median of as many accounts of the higher tier, drawn likewise. One sequence
-- serves all higher tiers. Draws are the same in every run, and those of a tier the same every day.
{% set replicates = 200 %}
-- Accounts of a tier that are drawn from: the first ones in the order of a hash of their ids.
{% set pool = 500 %}
{% set fewest = 30 %}
-- A sequence is half as long again as the largest target needs on average, and no longer than this.
{% set longest = 5000 %}
{% set measures = equivalence_measures() %}

with accounts as (select * from {{ ref("int_tier__accounts_pooled") }}),

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

pools as (
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

sizes as (
    select
        platform,
        snapshot_date,
        tier_rank,
        measure,
        count(*) as size,
        sum(value) as total
    from pools
    group by platform, snapshot_date, tier_rank, measure
    having count(*) >= {{ fewest }}
),

higher as (
    select *
    from sizes
    qualify tier_rank > min(tier_rank) over (partition by platform, snapshot_date, measure)
),

higher_replicates as (
    select
        *,
        {{ each_number(1, replicates) }} as replicate
    from higher
),

higher_steps as (
    select
        *,
        {{ each_number(1, "size") }} as step
    from higher_replicates
),

higher_draws as (
    select
        *,
        {{ draw_place("replicate", "step", "(1000 + tier_rank * 10 + measure)", "size") }} as place
    from higher_steps
),

targets as (
    select
        draws.platform,
        draws.snapshot_date,
        draws.tier_rank,
        draws.measure,
        draws.replicate,
        median(pools.value) as target
    from higher_draws as draws
    inner join pools
        on draws.platform = pools.platform
        and draws.snapshot_date = pools.snapshot_date
        and draws.tier_rank = pools.tier_rank
        and draws.measure = pools.measure
        and draws.place = pools.place
    group by draws.platform, draws.snapshot_date, draws.tier_rank, draws.measure, draws.replicate
),

lengths as (
    select
        sizes.platform,
        sizes.snapshot_date,
        sizes.tier_rank,
        sizes.measure,
        sizes.size,
        least(
            cast(ceil(1.5 * {{ ratio("max(targets.target)", "cast(sizes.total as double)") }} * sizes.size) as bigint) + 30,
            {{ longest }}
        ) as length
    from sizes
    inner join targets
        on sizes.platform = targets.platform
        and sizes.snapshot_date = targets.snapshot_date
        and sizes.measure = targets.measure
        and sizes.tier_rank < targets.tier_rank
    group by sizes.platform, sizes.snapshot_date, sizes.tier_rank, sizes.measure, sizes.size, sizes.total
),

lower_replicates as (
    select
        *,
        {{ each_number(1, replicates) }} as replicate
    from lengths
),

lower_steps as (
    select
        *,
        {{ each_number(1, "length") }} as step
    from lower_replicates
),

lower_draws as (
    select
        *,
        {{ draw_place("replicate", "step", "(tier_rank * 10 + measure)", "size") }} as place
    from lower_steps
),

sequences as (
    select
        draws.platform,
        draws.snapshot_date,
        draws.tier_rank,
        draws.measure,
        draws.replicate,
        draws.step,
        pools.value,
        sum(pools.value) over (
            partition by draws.platform, draws.snapshot_date, draws.tier_rank, draws.measure, draws.replicate
            order by draws.step rows between unbounded preceding and current row
        ) as reached
    from lower_draws as draws
    inner join pools
        on draws.platform = pools.platform
        and draws.snapshot_date = pools.snapshot_date
        and draws.tier_rank = pools.tier_rank
        and draws.measure = pools.measure
        and draws.place = pools.place
),

-- The first step at which the sum reaches the target.
crossings as (
    select
        sequences.platform,
        sequences.snapshot_date,
        sequences.tier_rank as from_rank,
        targets.tier_rank as to_rank,
        sequences.measure,
        sequences.step
    from sequences
    inner join targets
        on sequences.platform = targets.platform
        and sequences.snapshot_date = targets.snapshot_date
        and sequences.measure = targets.measure
        and sequences.replicate = targets.replicate
        and sequences.tier_rank < targets.tier_rank
        and sequences.reached >= targets.target
        and sequences.reached - sequences.value < targets.target
),

equivalents as (
    select
        platform,
        snapshot_date,
        from_rank,
        to_rank,
        measure,
        {{ replicates }} - count(*) as unreached,
        percentile_disc(0.5) within group (order by step) as n,
        percentile_disc(0.025) within group (order by step) as n_low,
        percentile_disc(0.975) within group (order by step) as n_high
    from crossings
    group by platform, snapshot_date, from_rank, to_rank, measure
),

-- A number is told only where every replicate reached its target.
int_tier__equivalents_drawn as (
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
            case
                when lower_tiers.n_{{ measure }} >= {{ fewest }} and higher_tiers.n_{{ measure }} >= {{ fewest }}
                    -- Both sides were drawn and nothing crossed: none of the replicates reached its target.
                    then coalesce({{ measure }}_drawn.unreached, {{ replicates }})
            end as n_{{ measure }}_unreached,
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

select * from int_tier__equivalents_drawn
