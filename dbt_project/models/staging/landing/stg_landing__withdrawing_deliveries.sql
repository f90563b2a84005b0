-- One row per delivery that has withdrawn something: how much of what it speaks of.
{{ config(materialized="table") }}

{% set key = ["feed", "shop", "record_id", "line_id"] %}

with readings as (select * from {{ ref("stg_landing__readings") }}),

arrivals as (select * from {{ ref("stg_meta__arrivals") }}),

withdrawals as (
    select * from {{ ref("stg_landing__withdrawals") }}
    where feed in ('orders', 'refunds', 'costs')
),

deliveries as (
    select
        feed,
        mapping,
        withdrawn_at as as_of,
        min(withdrawn_by) as arrival_order,
        max(file) as file
    from withdrawals
    group by feed, mapping, withdrawn_at
),

first_dates as (
    select
        arrivals.feed,
        arrivals.mapping,
        arrivals.as_of,
        min(readings.row_date) as first_date
    from arrivals
    inner join readings on arrivals.feed = readings.feed and arrivals.arrival_order = readings.arrival_order
    group by arrivals.feed, arrivals.mapping, arrivals.as_of
),

-- What this mapping had loaded by then, as it last said, from the first day of the delivery on.
spoken_of as (
    select
        readings.*,
        deliveries.as_of,
        deliveries.arrival_order as withdrawn_by
    from deliveries
    inner join readings
        on deliveries.feed = readings.feed
        and deliveries.mapping = readings.mapping
        and deliveries.arrival_order > readings.arrival_order
    left join first_dates
        on deliveries.feed = first_dates.feed
        and deliveries.mapping = first_dates.mapping
        and deliveries.as_of = first_dates.as_of
    where first_dates.first_date is null or readings.row_date >= first_dates.first_date
    qualify
        row_number() over (
            partition by
                readings.feed, readings.shop, readings.record_id, readings.line_id, deliveries.mapping, deliveries.as_of
            order by readings.arrival_order desc nulls last
        ) = 1
),

by_currency as (
    select
        spoken_of.feed,
        spoken_of.mapping,
        spoken_of.as_of,
        spoken_of.currency,
        count(*) as keys_spoken_of,
        count(withdrawals.record_id) as keys_withdrawn,
        sum(abs(spoken_of.amount)) as amount_spoken_of,
        sum(case when withdrawals.record_id is not null then abs(spoken_of.amount) else 0 end) as amount_withdrawn
    from spoken_of
    left join withdrawals
        on spoken_of.feed = withdrawals.feed
        and spoken_of.shop = withdrawals.shop
        and spoken_of.record_id = withdrawals.record_id
        and spoken_of.line_id = withdrawals.line_id
        and spoken_of.mapping = withdrawals.mapping
        and spoken_of.as_of = withdrawals.withdrawn_at
    group by spoken_of.feed, spoken_of.mapping, spoken_of.as_of, spoken_of.currency
),

stg_landing__withdrawing_deliveries as (
    select
        deliveries.feed,
        deliveries.mapping,
        deliveries.as_of,
        max(deliveries.file) as file,
        sum(by_currency.keys_withdrawn) as keys_withdrawn,
        {{ ratio("sum(by_currency.keys_withdrawn)", "sum(by_currency.keys_spoken_of)") }} as share_of_keys,
        max({{ ratio("by_currency.amount_withdrawn", "by_currency.amount_spoken_of") }}) as share_of_amount
    from deliveries
    inner join by_currency
        on deliveries.feed = by_currency.feed
        and deliveries.mapping = by_currency.mapping
        and deliveries.as_of = by_currency.as_of
    group by deliveries.feed, deliveries.mapping, deliveries.as_of
)

select * from stg_landing__withdrawing_deliveries
