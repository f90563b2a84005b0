-- One row per collaboration.
with landed as (select * from {{ source("raw", "collaborations") }}),

settled as (
    select *
    from landed
    {{ latest_delivery(["collaboration_id"]) }}
),

stg_landing__collaborations as (
    select
        collaboration_id,
        campaign_id,
        brand,
        creator_id,
        platform,
        account_id,
        partner_type,
        {{ normal_code("promo_code") }} as promo_code,
        link_id,
        cookie_window_days,
        rule_id,
        agreed_fee,
        posts_agreed,
        currency,
        start_date,
        end_date,
        data_origin,
        source_file,
        source_line
    from settled
)

select * from stg_landing__collaborations
