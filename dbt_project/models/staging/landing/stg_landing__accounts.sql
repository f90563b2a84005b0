-- One row per account and instant at which its attributes were given.
with landed as (select * from {{ source("raw", "accounts") }}),

stg_landing__accounts as (
    select *
    from landed
    qualify
        row_number() over (
            partition by platform, account_id, updated_at
            order by arrival_order desc nulls last
        ) = 1
)

select * from stg_landing__accounts
