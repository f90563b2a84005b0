-- One row per account and planned day that is suspicious since a day whose verdicts are withheld.
{{ config(materialized="view") }}

{% set look_back_days = 90 %}

with planned as (
    {{ planned_dates("fct_follower_trust_daily") }}
),

dates_withheld as (select * from {{ ref("int_trust__dates_withheld") }}),

suspicious as {{ made_first() }} (
    select
        days.platform,
        days.account_id,
        days.snapshot_date
    from {{ ref("int_trust__accounts_evaluated") }} as days
    where
        days.snapshot_date in (select planned.snapshot_date from planned)
        and days.verdict = 'suspicious'
        and days.platform in (select dates_withheld.platform from dates_withheld)
),

days_before as (
    select
        suspicious.platform,
        suspicious.account_id,
        suspicious.snapshot_date,
        days.snapshot_date as day_before,
        days.verdict,
        max(case when days.verdict <> 'suspicious' then days.snapshot_date end) over (
            partition by suspicious.platform, suspicious.account_id, suspicious.snapshot_date
        ) as last_clear_date
    from suspicious
    inner join {{ ref("int_trust__accounts_evaluated") }} as days
        on suspicious.platform = days.platform
        and suspicious.account_id = days.account_id
        and suspicious.snapshot_date >= days.snapshot_date
        and {{ add_days("suspicious.snapshot_date", -look_back_days) }} <= days.snapshot_date
    where days.snapshot_date >= (select {{ add_days("min(planned.snapshot_date)", -look_back_days) }} from planned)
),

since as (
    select
        platform,
        account_id,
        snapshot_date,
        min(day_before) as suspicious_since
    from days_before
    where last_clear_date is null or day_before > last_clear_date
    group by platform, account_id, snapshot_date
),

int_trust__suspicions_withheld as (
    select since.*
    from since
    inner join dates_withheld
        on since.platform = dates_withheld.platform and since.suspicious_since = dates_withheld.snapshot_date
)

select * from int_trust__suspicions_withheld
