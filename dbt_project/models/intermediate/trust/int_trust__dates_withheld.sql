-- One row per platform and planned date on which so many accounts became suspicious that the verdicts say more of us.
{% set look_back_days = 30 %}
{% set most_newly, fewest_evaluated = 0.02, 200 %}
{#- Evidence is 5 days old before it convicts, and a burst is raised on 3. -#}
{% set days_of_cause = 8 %}

with planned as (
    {{ planned_dates("int_trust__dates_withheld") }}
),

evaluated as (
    select
        platform,
        snapshot_date,
        count(*) as accounts
    from {{ ref("int_trust__accounts_evaluated") }}
    where snapshot_date in (select planned.snapshot_date from planned) and verdict <> 'insufficient_data'
    group by platform, snapshot_date
),

suspicious as {{ made_first() }} (
    select
        platform,
        account_id,
        snapshot_date
    from {{ ref("int_trust__accounts_evaluated") }}
    where snapshot_date in (select planned.snapshot_date from planned) and verdict = 'suspicious'
),

-- Few are suspicious, so few days before are looked at. Who was not seen for so long has no day before.
seen_before as (
    select
        suspicious.platform,
        suspicious.account_id,
        suspicious.snapshot_date,
        {{ value_at_last("days.verdict", "days.snapshot_date") }} as verdict_before
    from suspicious
    inner join {{ ref("int_trust__accounts_evaluated") }} as days
        on suspicious.platform = days.platform
        and suspicious.account_id = days.account_id
        and suspicious.snapshot_date > days.snapshot_date
        and {{ add_days("suspicious.snapshot_date", -look_back_days) }} <= days.snapshot_date
    where days.snapshot_date >= (select {{ add_days("min(planned.snapshot_date)", -look_back_days) }} from planned)
    group by suspicious.platform, suspicious.account_id, suspicious.snapshot_date
),

newly_suspicious as (
    select suspicious.*
    from suspicious
    left join seen_before
        on suspicious.platform = seen_before.platform
        and suspicious.account_id = seen_before.account_id
        and suspicious.snapshot_date = seen_before.snapshot_date
    where seen_before.verdict_before is distinct from 'suspicious'
),

counted as (
    select
        platform,
        snapshot_date,
        count(*) as accounts
    from newly_suspicious
    group by platform, snapshot_date
),

signals_in_common as (
    select
        newly_suspicious.platform,
        newly_suspicious.snapshot_date,
        signals.signal,
        count(distinct newly_suspicious.account_id) as accounts
    from newly_suspicious
    inner join {{ ref("int_trust__signals_raised") }} as signals
        on newly_suspicious.platform = signals.platform
        and newly_suspicious.account_id = signals.account_id
        and signals.side = 'audience'
        and signals.snapshot_date
        between {{ add_days("newly_suspicious.snapshot_date", -days_of_cause) }} and newly_suspicious.snapshot_date
    group by newly_suspicious.platform, newly_suspicious.snapshot_date, signals.signal
),

-- What most of them have in common of the last days.
causes as (
    select *
    from signals_in_common
    qualify row_number() over (partition by platform, snapshot_date order by accounts desc nulls last, signal asc) = 1
),

int_trust__dates_withheld as (
    select
        evaluated.platform,
        evaluated.snapshot_date,
        causes.signal as main_signal,
        evaluated.accounts as accounts_evaluated,
        counted.accounts as accounts_newly_suspicious
    from evaluated
    inner join counted
        on evaluated.platform = counted.platform and evaluated.snapshot_date = counted.snapshot_date
    left join causes
        on evaluated.platform = causes.platform and evaluated.snapshot_date = causes.snapshot_date
    where
        evaluated.accounts >= {{ fewest_evaluated }}
        and counted.accounts > {{ most_newly }} * evaluated.accounts
)

select * from int_trust__dates_withheld
