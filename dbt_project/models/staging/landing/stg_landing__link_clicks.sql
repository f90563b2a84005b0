-- One row per click on a tracked link.
with landed as (
    select
        *,
        coalesce(shop, '') as shop_name
    from {{ source("raw", "link_clicks") }}
),

shops as (select * from {{ source("meta", "config_shops") }}),

settled as (
    select *
    from landed
    {{ latest_delivery(["shop_name", "click_id"]) }}
),

stg_landing__link_clicks as (
    select
        settled.shop_name as shop,
        settled.click_id,
        settled.clicked_at,
        {{ agreement_day("settled.clicked_at") }} as agreement_day,
        settled.link_id,
        settled.visitor_id,
        settled.data_origin,
        settled.source_file,
        settled.source_line
    from settled
    left join shops on settled.shop_name = coalesce(shops.shop, '')
)

select * from stg_landing__link_clicks
