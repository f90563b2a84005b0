-- One row per account, scheme and UTC day on which the account began to hold a tier.
-- A confirmed tier depends on all earlier streaks of its account, but only accounts with a streak on a planned day can
-- change there.
-- One model: entry, new cut-offs and the 7th day are set against each other in one order of the account's streaks.
with planned as (
    {{ planned_dates("int_tier__changes_detected") }}
),

all_streaks as (
    select *
    from {{ ref("int_tier__streaks_detected") }}
    where snapshot_date <= (select max(planned.snapshot_date) from planned)
),

running as {{ made_first() }} (
    select distinct
        platform,
        account_id,
        scheme
    from all_streaks
    where snapshot_date in (select planned.snapshot_date from planned)
),

streaks as (
    select all_streaks.*
    from all_streaks
    inner join running
        on all_streaks.platform = running.platform
        and all_streaks.account_id = running.account_id
        and all_streaks.scheme = running.scheme
),

config_schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

in_order as (
    select
        *,
        lag(era) over (partition by platform, account_id, scheme order by snapshot_date) as era_before
    from streaks
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

-- The first known day is taken at once; later ones count when a streak of 7 ends there, or when new cut-offs move the
-- account without it having moved.
settling as (
    select
        in_order.*,
        case
            when in_order.era_before is null then 'entry'
            when rescheme.scheme is not null then 'rescheme'
            when in_order.is_settled then 'streak'
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

changes as (
    select * from held
    where cause = 'entry' or tier <> previous_tier
),

-- Two tiers of a scheme share no follower count, so a count of the tier before tells which of the two is larger.
compared as (
    select
        changes.platform,
        changes.account_id,
        changes.scheme,
        changes.snapshot_date,
        {{ value_at_last("streaks.followers", "streaks.snapshot_date") }} as previous_followers
    from changes
    inner join streaks
        on changes.platform = streaks.platform
        and changes.account_id = streaks.account_id
        and changes.scheme = streaks.scheme
        and changes.previous_tier = streaks.tier
        and changes.snapshot_date > streaks.snapshot_date
    where changes.cause = 'streak'
    group by changes.platform, changes.account_id, changes.scheme, changes.snapshot_date
),

int_tier__changes_detected as (
    select
        changes.platform,
        changes.account_id,
        changes.scheme,
        changes.snapshot_date,
        changes.tier,
        changes.previous_tier,
        changes.data_origin,
        case
            when changes.cause <> 'streak' then changes.cause
            when changes.followers > compared.previous_followers then 'up'
            else 'down'
        end as direction
    from changes
    left join compared
        on changes.platform = compared.platform
        and changes.account_id = compared.account_id
        and changes.scheme = compared.scheme
        and changes.snapshot_date = compared.snapshot_date
    where changes.snapshot_date in (select planned.snapshot_date from planned)
)

select * from int_tier__changes_detected
