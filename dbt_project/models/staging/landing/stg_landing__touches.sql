-- One row per touch.
with landed as (
    select
        *,
        coalesce(shop, '') as shop_name
    from {{ source("raw", "touches") }}
),

settled as (
    select *
    from landed
    {{ latest_delivery(["shop_name", "touch_id"]) }}
),

stg_landing__touches as (
    select
        shop_name as shop,
        touch_id,
        customer_id,
        touched_at,
        touch_type,
        lower(trim(channel)) as channel,
        link_id,
        {{ normal_codes("promo_code") }} as promo_code,
        collaboration_id,
        campaign_id,
        live_session_id,
        data_origin,
        source_file,
        source_line
    from settled
)

select * from stg_landing__touches
