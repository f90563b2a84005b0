-- One row per collaboration and day on which commission accrued, was reversed, paid or clawed back under a rule.
{{ config(materialized="table") }}

with costs as (
    select * from {{ ref("int_spend__costs_rated") }}
    where not is_spend
),

commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

entries as (
    select
        collaboration_id,
        entry_date,
        amount_base as accrued,
        cast(0 as decimal(38, 6)) as paid,
        data_origin
    from commissions

    union all

    select
        collaboration_id,
        cost_date as entry_date,
        cast(0 as decimal(38, 6)) as accrued,
        amount_base as paid,
        data_origin
    from costs
),

days as (
    select
        collaboration_id,
        entry_date,
        sum(accrued) as accrued_base,
        sum(paid) as paid_base,
        count_if(accrued is null) as unrated_accruals,
        count_if(paid is null) as unrated_payments,
        max(data_origin) as data_origin
    from entries
    group by collaboration_id, entry_date
),

so_far as (
    select
        *,
        sum(unrated_accruals + unrated_payments) over along as unrated_so_far,
        max(data_origin) over along as origin_so_far,
        greatest(coalesce(sum(paid_base) over along, 0) - coalesce(sum(accrued_base) over along, 0), 0)
            as excess_so_far
    from days
    window
        along as (
            partition by collaboration_id order by entry_date rows between unbounded preceding and current row
        )
),

-- Spend is the larger of what has accrued and what has been paid: accruals are entries of their own, and here is by how
-- much what is paid beyond them rises or falls.
int_spend__commission_days as (
    select
        collaboration_id,
        entry_date,
        unrated_payments,
        origin_so_far as data_origin,
        case when unrated_accruals = 0 then accrued_base end as accrued_base,
        case when unrated_payments = 0 then paid_base end as paid_base,
        case
            when unrated_so_far = 0
                then
                    excess_so_far
                    - coalesce(lag(excess_so_far) over (partition by collaboration_id order by entry_date), 0)
        end as excess_base
    from so_far
)

select * from int_spend__commission_days
