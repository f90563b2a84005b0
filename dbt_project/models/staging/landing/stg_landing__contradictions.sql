-- One row per reading of an order, refund or cost that another file contradicts in a way that no correction does.
-- One model: three things to say of the same pairs of readings.
{{ config(materialized="table") }}

{% set key = ["feed", "shop", "record_id"] %}

with readings as (
    select
        'orders' as feed,
        coalesce(shop, '') as shop,
        order_id as record_id,
        customer_id,
        concat_ws(
            '|', customer_id, ordered_at, gross_amount, coalesce(discount_amount, 0), coalesce(tax_amount, 0),
            coalesce(shipping_amount, 0), coalesce(status, ''), coalesce(promo_code, '')
        ) as cells,
        cast(gross_amount as decimal(38, 6)) as amount,
        currency,
        snapshot_date,
        batch_id,
        as_of,
        written_at,
        arrival_order,
        source_file,
        data_origin
    from {{ source("raw", "orders") }}

    union all

    select
        'costs' as feed,
        '' as shop,
        cost_id as record_id,
        cast(null as string) as customer_id,
        concat_ws('|', cost_date, cost_type, amount, currency, coalesce(collaboration_id, '')) as cells,
        cast(amount as decimal(38, 6)) as amount,
        currency,
        snapshot_date,
        batch_id,
        as_of,
        written_at,
        arrival_order,
        source_file,
        data_origin
    from {{ source("raw", "costs") }}
),

-- Only what two files have said can be contradicted.
repeated as (
    select
        {{ key | join(", ") }},
        max(arrival_order) as arrival_order
    from readings
    group by {{ key | join(", ") }}
    having min(cells) <> max(cells)
),

counted as (
    select readings.*
    from readings
    inner join repeated
        on readings.feed = repeated.feed
        and readings.shop = repeated.shop
        and readings.record_id = repeated.record_id
        and readings.arrival_order = repeated.arrival_order
),

-- The latest other reading of each; of a customer, or of the very instant at which the one that counts was written.
beside as (
    select
        counted.feed,
        counted.shop,
        counted.record_id,
        case when {{ is_same("readings.customer_id", "counted.customer_id") }} then false else true end
            as is_other_customer,
        counted.customer_id as counted_customer_id,
        counted.amount as counted_amount,
        counted.currency as counted_currency,
        counted.snapshot_date as counted_date,
        counted.source_file as counted_file,
        counted.data_origin as counted_origin,
        readings.customer_id,
        readings.amount,
        readings.currency,
        readings.snapshot_date,
        readings.source_file,
        readings.data_origin
    from counted
    inner join readings
        on counted.feed = readings.feed
        and counted.shop = readings.shop
        and counted.record_id = readings.record_id
        and counted.arrival_order > readings.arrival_order
        and counted.cells <> readings.cells
    where
        not {{ is_same("readings.customer_id", "counted.customer_id") }}
        or (readings.as_of = counted.as_of and readings.written_at = counted.written_at)
    qualify
        row_number() over (
            partition by
                counted.feed, counted.shop, counted.record_id,
                {{ is_same("readings.customer_id", "counted.customer_id") }}
            order by readings.arrival_order desc nulls last
        ) = 1
),

stg_landing__contradictions as (
    select
        feed,
        {{ entry_name("shop", "record_id", "'#1'") }} as record_id,
        'another customer, counted' as issue,
        counted_file || ' has it of ' || counted_customer_id || ', ' || source_file || ' of ' || customer_id
        || ': the later file counts' as explanation,
        counted_date as record_date,
        counted_amount as amount,
        counted_currency as currency,
        counted_origin as data_origin
    from beside
    where is_other_customer

    union all

    select
        feed,
        {{ entry_name("shop", "record_id", "'#1'") }} as record_id,
        'another customer, not counted' as issue,
        source_file || ' has it of ' || customer_id || ', ' || counted_file || ' of ' || counted_customer_id
        || ': name the shop of each, if they are two orders' as explanation,
        snapshot_date as record_date,
        amount,
        currency,
        data_origin
    from beside
    where is_other_customer

    union all

    select
        feed,
        {{ entry_name("shop", "record_id", "'#1'") }} as record_id,
        'two files of one time' as issue,
        counted_file || ' and ' || source_file || ' differ and were written at the same time: the one that landed last'
        || ' counts' as explanation,
        counted_date as record_date,
        counted_amount as amount,
        counted_currency as currency,
        counted_origin as data_origin
    from beside
    where not is_other_customer
)

select * from stg_landing__contradictions
