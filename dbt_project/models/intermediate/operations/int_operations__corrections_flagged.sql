-- One row per record that was withdrawn, cancelled or contradicted, and per full delivery that withdraws nothing.
-- One model, as each of its selects is a thing that can happen to a record: a list, read one by one.
{{ config(materialized="table") }}

with states as (select * from {{ ref("stg_landing__order_states") }}),

withdrawals as (select * from {{ ref("stg_landing__withdrawals") }}),

refunds as (select * from {{ ref("int_order__refunds_applied") }}),

contradictions as (select * from {{ ref("stg_landing__contradictions") }}),

-- Whether a file of today would withdraw something if its delivery were whole.
arrivals as (
    select * from {{ ref("stg_meta__arrivals") }}
    where is_current and is_last and is_full and incomplete_because is not null
),

int_operations__corrections_flagged as (
    select
        'orders' as feed,
        {{ entry_name("shop", "order_id", "'#1'") }} as record_id,
        case state
            when 'cancelled' then 'cancelled'
            when 'left_out' then 'withdrawn by keep'
            when 'gone' then 'gone from a full delivery'
            else 'test order'
        end as issue,
        case state
            when 'cancelled'
                then 'a sale on its day, reversed on ' || cast(cancelled_at as date)
            when 'left_out' then 'left out of ' || withdrawn_by_file || ': reversed on ' || cast(cancelled_at as date)
            when 'gone' then withdrawn_by_file || ' no longer holds it: it never was'
            else 'it never was'
        end as explanation,
        order_date as record_date,
        cast(gross_amount as decimal(38, 6)) as amount,
        currency,
        data_origin
    from states
    where state <> 'paid'

    union all

    select
        feed,
        {{ entry_name("shop", "record_id", "case when line_id = '' then '#1' else line_id end") }} as record_id,
        case cause when 'left_out' then 'withdrawn by keep' else 'gone from a full delivery' end as issue,
        case
            when feed not in ('refunds', 'costs') then file || ' no longer holds it: it counts as it was delivered last'
            when cause = 'left_out' then 'left out of ' || file || ': it counts no more'
            else file || ' no longer holds it: it counts no more'
        end as explanation,
        row_date as record_date,
        cast(amount as decimal(38, 6)) as amount,
        currency,
        data_origin
    from withdrawals
    where feed <> 'orders'

    union all

    select
        'refunds' as feed,
        {{ entry_name("shop", "refund_id", "refund_line_id") }} as record_id,
        issue,
        case issue
            when 'order cancelled' then 'takes off at most what is left of order ' || order_id
            else 'takes nothing off: order ' || order_id || ' never was'
        end as explanation,
        coalesce(applied_date, cast(happened_at as date)) as record_date,
        cast(amount as decimal(38, 6)) as amount,
        currency,
        data_origin
    from refunds
    where issue in ('order cancelled', 'order withdrawn')

    union all

    select
        'refunds' as feed,
        {{ entry_name("shop", "refund_id", "refund_line_id") }} as record_id,
        'parts are not its amount' as issue,
        'goods, tax and shipping sum to something else: net falls by the goods' as explanation,
        coalesce(applied_date, cast(happened_at as date)) as record_date,
        cast(amount as decimal(38, 6)) as amount,
        currency,
        data_origin
    from refunds
    where is_unequal

    union all

    select
        feed,
        record_id,
        issue,
        explanation,
        record_date,
        amount,
        currency,
        data_origin
    from contradictions

    union all

    select
        feed,
        file as record_id,
        'full delivery is not complete' as issue,
        incomplete_because || ': it withdraws nothing' as explanation,
        cast(as_of as date) as record_date,
        cast(null as decimal(38, 6)) as amount,
        cast(null as string) as currency,
        'observed' as data_origin
    from arrivals
)

select * from int_operations__corrections_flagged
