-- One row per account, scheme and UTC day on which the account began to hold a tier.
-- What an account holds rests on all its runs before, but only accounts with a run on a planned day can turn there.
-- One model: entry, new cut-offs and the 7th day are set against each other in one order of the account's runs.
with planned as (
    {{ planned_dates("int_tier__changes_detected") }}
),

all_runs as (
    select *
    from {{ ref("int_tier__streaks_detected") }}
    where snapshot_date <= (select max(planned.snapshot_date) from planned)
),

running as {{ made_first() }} (
    select distinct
        platform,
        account_id,
        scheme
    from all_runs
    where snapshot_date in (select planned.snapshot_date from planned)
),

runs as (
    select all_runs.*
    from all_runs
    inner join running
        on all_runs.platform = running.platform
        and all_runs.account_id = running.account_id
        and all_runs.scheme = running.scheme
),

config_schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

in_order as (
    select
        *,
        lag(era) over (partition by platform, account_id, scheme order by snapshot_date) as era_before
    from runs
),

-- Followers of the first day under new cut-offs, under the old ones.
under_old as (
    select distinct
        platform,
        account_id,
        scheme as of_scheme,
        snapshot_date as seen_on,
        era_before as snapshot_date,
        followers
    from in_order
    where era <> era_before
),

schemes as (select * from config_schemes),

{{ tiered_from("under_old") }},

rescheme as (
    select
        in_order.platform,
        in_order.account_id,
        in_order.scheme,
        in_order.snapshot_date,
        tiered.tier as tier_under_old
    from in_order
    left join tiered
        on in_order.platform = tiered.platform
        and in_order.account_id = tiered.account_id
        and in_order.scheme = tiered.scheme
        and in_order.scheme = tiered.of_scheme
        and in_order.snapshot_date = tiered.seen_on
    where in_order.era <> in_order.era_before and tiered.tier is distinct from in_order.tier
),

-- The first known day is taken at once; later ones count when a run of 7 ends there, or when new cut-offs move the
-- account without it having moved.
settling as (
    select
        in_order.*,
        case
            when in_order.era_before is null then 'entry'
            when rescheme.scheme is not null then 'rescheme'
            when in_order.is_settled then 'run'
        end as cause
    from in_order
    left join rescheme
        on in_order.platform = rescheme.platform
        and in_order.account_id = rescheme.account_id
        and in_order.scheme = rescheme.scheme
        and in_order.snapshot_date = rescheme.snapshot_date
),

held as (
    select
        *,
        lag(tier) over (partition by platform, account_id, scheme order by snapshot_date) as previous_tier
    from settling
    where cause is not null
),

turns as (
    select * from held
    where cause = 'entry' or tier <> previous_tier
),

-- Two tiers of a scheme share no follower count, so a count of the tier before tells which of the two is larger.
compared as (
    select
        turns.platform,
        turns.account_id,
        turns.scheme,
        turns.snapshot_date,
        max_by(runs.followers, runs.snapshot_date) as previous_followers
    from turns
    inner join runs
        on turns.platform = runs.platform
        and turns.account_id = runs.account_id
        and turns.scheme = runs.scheme
        and turns.previous_tier = runs.tier
        and turns.snapshot_date > runs.snapshot_date
    where turns.cause = 'run'
    group by turns.platform, turns.account_id, turns.scheme, turns.snapshot_date
),

int_tier__changes_detected as (
    select
        turns.platform,
        turns.account_id,
        turns.scheme,
        turns.snapshot_date,
        turns.tier,
        turns.previous_tier,
        turns.data_origin,
        case
            when turns.cause <> 'run' then turns.cause
            when turns.followers > compared.previous_followers then 'up'
            else 'down'
        end as direction
    from turns
    left join compared
        on turns.platform = compared.platform
        and turns.account_id = compared.account_id
        and turns.scheme = compared.scheme
        and turns.snapshot_date = compared.snapshot_date
    where turns.snapshot_date in (select planned.snapshot_date from planned)
)

select * from int_tier__changes_detected
