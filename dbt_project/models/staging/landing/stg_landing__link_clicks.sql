-- One row per click on a tracked link.
with landed as (
    select
        *,
        coalesce(shop, '') as shop_name
    from {{ source("raw", "link_clicks") }}
),

settled as (
    select *
    from landed
    {{ latest_delivery(["shop_name", "click_id"]) }}
),

stg_landing__link_clicks as (
    select
        shop_name as shop,
        click_id,
        clicked_at,
        link_id,
        visitor_id,
        data_origin,
        source_file,
        source_line
    from settled
)

select * from stg_landing__link_clicks
