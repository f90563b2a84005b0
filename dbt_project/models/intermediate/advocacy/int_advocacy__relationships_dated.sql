-- One row per landed relationship that began by the last built day: the days on which it counts, and what is wrong.
{{ config(materialized="table") }}

with landed as (select * from {{ ref("stg_landing__customer_accounts") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- The first day is in, the last is not. One that ends before it starts is taken as ended on its first day.
stated as (
    select
        landed.*,
        base.as_of_date,
        case when landed.valid_to is not null then greatest(landed.valid_from, landed.valid_to) end as stated_to,
        lead(landed.valid_from) over (
            partition by landed.shop, landed.customer_id, landed.brand, landed.platform, landed.account_id
            order by landed.valid_from
        ) as next_from
    from landed
    cross join base
    where landed.valid_from <= base.as_of_date
),

-- A later relationship takes the place of an earlier one from its own first day on.
cut as (
    select
        *,
        -- Nulls are left out.
        least(stated_to, next_from) as counts_to
    from stated
),

int_advocacy__relationships_dated as (
    select
        shop,
        customer_id,
        brand,
        platform,
        account_id,
        relationship,
        valid_from,
        next_from,
        as_of_date,
        data_origin,
        -- An end in the future has not come.
        case when counts_to <= as_of_date then counts_to end as valid_to,
        case when cast(consented_at as date) <= as_of_date then consented_at end as consented_at,
        coalesce(valid_to < valid_from, false) as is_reversed,
        next_from is not null and (valid_to is null or valid_to > next_from) as is_overlapping
    from cut
)

select * from int_advocacy__relationships_dated
