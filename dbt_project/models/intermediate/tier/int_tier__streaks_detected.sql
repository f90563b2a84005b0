-- One row per account, scheme and UTC day that may begin a tier: first in 28 days, 7th of a run, first of new cut-offs.
-- One model: most accounts stand still, and only the days of the others are tiered and put in order, while at hand.
{% set run_days = 7 %}
{% set step_days = 4 %}
-- Seven steps lead to the 8th day back, which tells the 7th of a run from the 8th.
{% set look_back_days = 28 %}

with days as (select * from {{ ref("int_snapshot__account_days_deduplicated") }}),

config_schemes as (select * from {{ source("meta", "config_tier_schemes") }}),

planned as (
    {{ planned_dates("int_tier__streaks_detected") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        {{ add_days("min(snapshot_date)", -(run_days + 3)) }} as first_run_day,
        max(snapshot_date) as last_day
    from planned
),

-- A day without known followers neither counts nor resets: it is as if nobody had looked.
known as (
    select
        days.platform,
        days.account_id,
        days.snapshot_date,
        days.followers,
        days.data_origin
    from days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
    where days.followers is not null
),

cut_offs as (
    select min_followers as followers from config_schemes
    union
    select max_followers as followers from config_schemes
    where max_followers is not null
),

changes_of_schemes as (
    select valid_from as changed_on from config_schemes
    union
    select valid_to as changed_on from config_schemes
    where valid_to is not null
),

-- Most accounts stand still: seen but for 3 days at most, so that no run is broken or new, and between two cut-offs of
-- any scheme throughout. Nothing can begin for them.
spans as (
    select
        known.platform,
        known.account_id,
        min(known.followers) as fewest,
        max(known.followers) as most,
        count(*) filter (where known.snapshot_date >= reach.first_run_day)
        >= {{ days_between("min(reach.first_run_day)", "min(reach.last_day)") }} + 1 - 3 as is_steady
    from known
    cross join reach
    group by known.platform, known.account_id
),

ways as (
    select
        spans.platform,
        spans.account_id,
        spans.is_steady,
        exists (
            select 1 from cut_offs
            where cut_offs.followers > spans.fewest and cut_offs.followers <= spans.most
        )
        or exists (
            select 1 from changes_of_schemes
            inner join reach on changes_of_schemes.changed_on between reach.first_day and reach.last_day
        ) as may_change_tier
    from spans
),

-- Who stays between two cut-offs has the same runs under every scheme: their days are put in order once.
days_of_the_same as (
    select
        known.*,
        lag(known.snapshot_date) over (
            partition by known.platform, known.account_id order by known.snapshot_date
        ) as date_before
    from known
    inner join ways on known.platform = ways.platform and known.account_id = ways.account_id
    where not ways.may_change_tier and not ways.is_steady
),

runs_of_the_same as (
    select
        *,
        count(
            case
                when date_before is null then 1
                when {{ days_between("date_before", "snapshot_date") }} > {{ step_days }} then 1
            end
        ) over (partition by platform, account_id order by snapshot_date) as run
    from days_of_the_same
),

numbered_of_the_same as (
    select
        *,
        row_number() over (partition by platform, account_id, run order by snapshot_date) as day_of_run
    from runs_of_the_same
),

days_to_tier as (
    select
        known.*,
        true as may_change_tier,
        cast(null as boolean) as is_settled
    from known
    inner join ways on known.platform = ways.platform and known.account_id = ways.account_id
    where ways.may_change_tier
    union all
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        data_origin,
        false as may_change_tier,
        day_of_run = {{ run_days }} as is_settled
    from numbered_of_the_same
    where
        snapshot_date in (select planned.snapshot_date from planned)
        and (
            date_before is null
            or {{ days_between("date_before", "snapshot_date") }} > {{ look_back_days }}
            or day_of_run = {{ run_days }}
        )
),

schemes as (select * from config_schemes),

{{ tiered_from("days_to_tier") }},

-- The last day on which the scheme's rows for the platform changed: within one era a tier means the same.
eras as (
    select
        platform_days.platform,
        platform_days.snapshot_date,
        config_schemes.scheme,
        greatest(
            max(config_schemes.valid_from),
            max(config_schemes.valid_to) filter (where config_schemes.valid_to <= platform_days.snapshot_date)
        ) as era
    from platform_days
    inner join config_schemes
        on config_schemes.platform in (platform_days.platform, '*')
        and platform_days.snapshot_date >= config_schemes.valid_from
    group by platform_days.platform, platform_days.snapshot_date, config_schemes.scheme
),

in_eras as (
    select
        tiered.*,
        eras.era
    from tiered
    inner join eras
        on tiered.platform = eras.platform
        and tiered.snapshot_date = eras.snapshot_date
        and tiered.scheme = eras.scheme
),

beside_the_last as (
    select
        *,
        lag(snapshot_date) over by_day as date_before,
        lag(tier) over by_day as tier_before,
        lag(era) over by_day as era_before
    from in_eras
    where may_change_tier
    window by_day as (partition by platform, account_id, scheme order by snapshot_date)
),

in_runs as (
    select
        *,
        count(
            case
                when date_before is null then 1
                when tier <> tier_before then 1
                when {{ days_between("date_before", "snapshot_date") }} > {{ step_days }} then 1
            end
        ) over (partition by platform, account_id, scheme order by snapshot_date) as run
    from beside_the_last
),

numbered as (
    select
        *,
        row_number() over (
            partition by platform, account_id, scheme, run order by snapshot_date
        ) as day_of_run
    from in_runs
),

int_tier__streaks_detected as (
    select
        platform,
        account_id,
        scheme,
        snapshot_date,
        tier,
        followers,
        era,
        day_of_run = {{ run_days }} as is_settled,
        data_origin
    from numbered
    where
        snapshot_date in (select planned.snapshot_date from planned)
        and (
            date_before is null
            or {{ days_between("date_before", "snapshot_date") }} > {{ look_back_days }}
            or era <> era_before
            or day_of_run = {{ run_days }}
        )
    union all
    select
        platform,
        account_id,
        scheme,
        snapshot_date,
        tier,
        followers,
        era,
        is_settled,
        data_origin
    from in_eras
    where not may_change_tier
)

select * from int_tier__streaks_detected
