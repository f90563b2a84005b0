-- One row per account and planned day with known followers: its growth of the last 3, 7, 14 and 28 days, and its usual.
-- Growth is the logarithm of a ratio, less what the middle account of the platform did that day. What is tested never
-- stands in what it is tested against: the usual is that of the 28 days before the last 3. One model, for all its
-- columns are sums over one join of a day with the 31 before it, which is made once a night.
{{ config(materialized="view") }}

{% set look_back_days = 31 %}
{% set min_peers = 20 %}
{% set max_gap_days = 7 %}
{% set least_scatter = 0.001 %}

with growth as (select * from {{ ref("int_trust__growth_measured") }}),

peers as (select * from {{ ref("int_trust__growth_peers_measured") }}),

misreads as (select * from {{ ref("int_trust__misreads") }}),

planned as (
    {{ planned_dates("int_trust__windows_measured") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

-- Fewer peers than this are no crowd: their middle would be the account itself.
moves as (
    select
        platform,
        snapshot_date,
        median,
        mad
    from peers
    where metric = 'growth_per_day' and n >= {{ min_peers }}
),

-- A rise over a longer absence says nothing about any one day, so it takes no part.
rows_of_reach as (
    select
        growth.platform,
        growth.account_id,
        growth.snapshot_date,
        growth.followers,
        growth.count_resolution,
        growth.followers_gain,
        growth.following_gain,
        growth.gap_days,
        growth.data_origin,
        case when growth.views_gap_days <= {{ max_gap_days }} then growth.views_gain end as views_gain,
        case when growth.views_gain is not null then growth.views_gap_days end as views_days,
        case when growth.gap_days <= {{ max_gap_days }} then growth.log_growth end as log_growth,
        case
            when growth.gap_days <= {{ max_gap_days }} and growth.log_growth is not null
                then growth.log_growth - {{ as_decimal("coalesce(moves.median, 0) * growth.gap_days", 18, 8) }}
        end as excess,
        {{ as_decimal("coalesce(moves.median, 0) * growth.gap_days", 18, 8) }} as peers_growth,
        coalesce(moves.mad, 0) as peers_mad,
        {{ as_decimal("growth.count_resolution / cast(nullif(growth.followers, 0) as double)", 18, 8) }} as step
    from growth
    inner join reach on growth.snapshot_date between reach.first_day and reach.last_day
    left join moves on growth.platform = moves.platform and growth.snapshot_date = moves.snapshot_date
),

-- As far as both the account itself and the account beside its peers moved that way: lagging behind a growing crowd is
-- no fall.
rows_moved as (
    select
        *,
        case
            when excess > 0 and log_growth > 0 then least(excess, log_growth)
            when excess < 0 and log_growth < 0 then greatest(excess, log_growth)
        end as moved
    from rows_of_reach
),

today as (
    select rows_moved.*
    from rows_moved
    inner join planned on rows_moved.snapshot_date = planned.snapshot_date
),

pairs as (
    select
        today.platform,
        today.account_id,
        today.snapshot_date,
        earlier.snapshot_date as row_date,
        earlier.followers,
        earlier.followers_gain,
        earlier.following_gain,
        earlier.views_gain,
        earlier.views_days,
        earlier.log_growth,
        earlier.excess,
        earlier.moved,
        earlier.step,
        earlier.gap_days,
        cast(earlier.excess as double) / nullif(earlier.gap_days, 0) as excess_per_day,
        {{ days_between("earlier.snapshot_date", "today.snapshot_date") }} as age
    from today
    inner join rows_moved as earlier
        on today.platform = earlier.platform
        and today.account_id = earlier.account_id
        and today.snapshot_date >= earlier.snapshot_date
        and {{ add_days("today.snapshot_date", -look_back_days) }} < earlier.snapshot_date
    -- What had proved a misread by the day tells nothing of it.
    left join misreads
        on earlier.platform = misreads.platform
        and earlier.account_id = misreads.account_id
        and earlier.snapshot_date = misreads.misread_date
        and today.snapshot_date >= misreads.snapshot_date
    where misreads.account_id is null
),

summed as (
    select
        platform,
        account_id,
        snapshot_date,
        -- What is tested for a rise.
        {% for length in rise_lengths() %}
            {% set of_length = "age < " ~ length ~ " and excess is not null" %}
            {{ exact_sum("excess", of_length) }} as excess_{{ length }},
            {{ whole_sum("followers_gain", of_length) }} as gain_{{ length }},
            {{ whole_sum("gap_days", of_length) }} as days_{{ length }},
        {% endfor %}
        -- Views that do not move are not counted any more: they are unknown.
        nullif({{ whole_sum("views_gain", "age < 28") }}, 0) as views_28,
        {{ whole_sum("views_days", "age < 28 and views_gain is not null") }} as views_days_28,
        -- The 28 days before them: the usual.
        count(excess) filter (where age >= 3) as base_changes,
        median(excess_per_day) filter (where age >= 3) as middle_pace,
        {{ exact_sum("excess", "age >= 3") }} as base_excess,
        {{ whole_sum("gap_days", "age >= 3 and excess is not null") }} as base_days,
        {{ median_absolute_deviation("case when age >= 3 then excess_per_day end") }} as base_mad,
        nullif(median(cast(views_gain as double) / nullif(views_days, 0)) filter (where age >= 5), 0)
            as base_views_per_day,
        -- The last 28 days: coverage, and all rises and falls, from which a sawtooth is looked for.
        {{ exact_sum("moved", "age < 28 and moved > 0") }} as up_28,
        {{ exact_sum("-moved", "age < 28 and moved < 0") }} as down_28,
        {{ whole_sum("greatest(following_gain, 0)", "age < 28") }} as following_up_28,
        {{ whole_sum("greatest(-following_gain, 0)", "age < 28") }} as following_down_28,
        count(excess) filter (where age < 28) as changes_28,
        -- The 28 days before the last 3, once more: what its views won it.
        {{ whole_sum("followers_gain", "age >= 3 and excess is not null and views_gain is not null") }} as base_gain,
        nullif({{ whole_sum("views_gain", "age >= 3 and excess is not null") }}, 0) as base_views
    from pairs
    group by platform, account_id, snapshot_date
),

int_trust__windows_summed as (
    select
        summed.*,
        today.followers,
        today.count_resolution,
        today.step,
        today.peers_growth,
        today.moved,
        today.views_gain,
        today.views_days,
        today.data_origin,
        -- Most days of a rounded count stand still, so their middle is 0 however it grows: all days make its pace.
        case
            when today.count_resolution > 1
                then greatest(summed.middle_pace, cast(summed.base_excess as double) / nullif(summed.base_days, 0))
            else summed.middle_pace
        end as base_median,
        -- 1.4826 turns a median absolute deviation into a standard deviation. A usual that never moves is a rounded
        -- one, so half a step is the least; a thousandth a day is what the liveliest tenth of real days scatter by.
        greatest(
            1.4826 * summed.base_mad, cast(today.step as double) / 2, 1.4826 * today.peers_mad, {{ least_scatter }}
        ) as scatter
    from summed
    inner join today
        on summed.platform = today.platform
        and summed.account_id = today.account_id
        and summed.snapshot_date = today.snapshot_date
)

select * from int_trust__windows_summed
