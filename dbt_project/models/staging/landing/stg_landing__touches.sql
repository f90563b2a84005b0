-- One row per touch.
{{ config(materialized=view_of_texts()) }}

with landed as (
    select
        *,
        coalesce(shop, '') as shop_name
    from {{ source("raw", "touches") }}
),

shops as (select * from {{ source("meta", "config_shops") }}),

settled as (
    select *
    from landed
    {{ latest_delivery(["shop_name", "touch_id"]) }}
),

stg_landing__touches as (
    select
        settled.shop_name as shop,
        settled.touch_id,
        settled.customer_id,
        settled.touched_at,
        {{ agreement_day("settled.touched_at") }} as agreement_day,
        shops.brand,
        settled.touch_type,
        lower(trim(settled.channel)) as channel,
        settled.link_id,
        {{ normal_codes("settled.promo_code") }} as promo_code,
        settled.collaboration_id,
        settled.campaign_id,
        settled.live_session_id,
        settled.data_origin,
        settled.source_file,
        settled.source_line
    from settled
    left join shops on settled.shop_name = coalesce(shops.shop, '')
)

select * from stg_landing__touches
