-- One row per customer of a shop, brand, account and first day of a relationship.
with landed as (
    select {{ all_columns_but({"shop": "coalesce(shop, '')"}) }}
    from {{ source("raw", "customer_accounts") }}
),

stg_landing__customer_accounts as (
    select *
    from landed
    {{ latest_delivery(["shop", "customer_id", "brand", "platform", "account_id", "valid_from"]) }}
)

select * from stg_landing__customer_accounts
