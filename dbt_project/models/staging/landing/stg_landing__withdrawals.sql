-- One row per order, line of a refund, cost or agreement that a later delivery has withdrawn: by which.
-- One model, as both ways to withdraw speak of the same keys, whose latest delivery decides.
{{ config(materialized="table") }}
{% set key = ["feed", "shop", "record_id", "line_id"] %}

with readings as (select * from {{ ref("stg_landing__readings") }}),

-- Of a delivery that is missing a file, or holds a row whose key cannot be read, nobody knows what it no longer holds.
arrivals as (
    select * from {{ ref("stg_meta__arrivals") }}
    where is_current and incomplete_because is null
),

named as (
    select
        arrivals.feed,
        set_aside.shop,
        set_aside.record_id,
        coalesce(set_aside.line_id, '') as line_id,
        set_aside.kind,
        set_aside.row_date,
        arrivals.mapping,
        arrivals.scope,
        arrivals.as_of,
        arrivals.arrival_order,
        arrivals.file,
        arrivals.is_full
    from {{ source("meta", "set_aside_key") }} as set_aside
    inner join arrivals on set_aside.batch_id = arrivals.batch_id
),

-- The latest reading of each key, whoever delivered it; lines without an id stand together.
latest as (
    select
        {{ key | join(", ") }},
        arrival_order,
        sum(amount) as amount,
        max(currency) as currency,
        max(row_date) as row_date,
        max(data_origin) as data_origin
    from readings
    group by {{ key | join(", ") }}, arrival_order
    qualify row_number() over (partition by {{ key | join(", ") }} order by arrival_order desc nulls last) = 1
),

-- A delivery speaks only of what its own mapping has loaded under the same constants.
loaded as (
    select distinct
        {{ key | join(", ") }},
        mapping,
        scope
    from readings
),

standing as (
    select
        latest.*,
        loaded.mapping as loaded_by,
        loaded.scope as loaded_scope
    from latest
    inner join loaded
        on latest.feed = loaded.feed
        and latest.shop = loaded.shop
        and latest.record_id = loaded.record_id
        and latest.line_id = loaded.line_id
),

full_deliveries as (
    select
        feed,
        mapping,
        scope,
        as_of,
        max(arrival_order) as arrival_order,
        max(file) as file
    from arrivals
    group by feed, mapping, scope, as_of
    having bool_and(is_full)
),

held as (
    select
        readings.feed,
        readings.shop,
        readings.record_id,
        readings.line_id,
        arrivals.mapping,
        arrivals.scope,
        arrivals.as_of,
        readings.row_date
    from readings
    inner join arrivals on readings.feed = arrivals.feed and readings.arrival_order = arrivals.arrival_order
    where arrivals.is_full

    union all

    select
        feed,
        shop,
        record_id,
        line_id,
        mapping,
        scope,
        as_of,
        -- What a row in quarantine says of its day may be what is wrong with it.
        case when kind = 'left_out' then row_date end as row_date
    from named
    where is_full
),

-- It speaks of the shops that it holds, from its earliest date on.
spoken_of as (
    select
        full_deliveries.feed,
        full_deliveries.mapping,
        full_deliveries.scope,
        full_deliveries.as_of,
        full_deliveries.arrival_order,
        full_deliveries.file,
        held.shop,
        min(held.row_date) as first_date
    from full_deliveries
    inner join held
        on full_deliveries.feed = held.feed
        and full_deliveries.mapping = held.mapping
        and {{ is_same("full_deliveries.scope", "held.scope") }}
        and full_deliveries.as_of = held.as_of
    group by all
),

said as (
    select
        standing.*,
        'left_out' as cause,
        named.as_of as withdrawn_at,
        named.arrival_order as withdrawn_by,
        named.file,
        named.mapping
    from standing
    inner join named
        on standing.feed = named.feed
        and standing.shop = named.shop
        and standing.record_id = named.record_id
        and standing.line_id = named.line_id
        and standing.loaded_by = named.mapping
        and (standing.loaded_scope is null or standing.loaded_scope = named.scope)
    where named.kind = 'left_out' and named.arrival_order > standing.arrival_order

    union all

    select
        standing.*,
        'gone' as cause,
        spoken_of.as_of as withdrawn_at,
        spoken_of.arrival_order as withdrawn_by,
        spoken_of.file,
        spoken_of.mapping
    from standing
    inner join spoken_of
        on standing.feed = spoken_of.feed
        and standing.shop = spoken_of.shop
        and standing.loaded_by = spoken_of.mapping
        and (standing.loaded_scope is null or standing.loaded_scope = spoken_of.scope)
        and standing.arrival_order < spoken_of.arrival_order
        and (standing.row_date is null or standing.row_date >= spoken_of.first_date)
    left join held
        on standing.feed = held.feed
        and standing.shop = held.shop
        and standing.record_id = held.record_id
        and standing.line_id = held.line_id
        and spoken_of.mapping = held.mapping
        and {{ is_same("spoken_of.scope", "held.scope") }}
        and spoken_of.as_of = held.as_of
    where held.record_id is null
),

-- The first delivery that says so is the one that withdrew it.
stg_landing__withdrawals as (
    select
        {{ key | join(", ") }},
        cause,
        withdrawn_at,
        withdrawn_by,
        file,
        mapping,
        amount,
        currency,
        row_date,
        data_origin
    from said
    qualify
        row_number() over (
            partition by {{ key | join(", ") }} order by withdrawn_by asc nulls last, cause desc nulls last
        ) = 1
)

select * from stg_landing__withdrawals
