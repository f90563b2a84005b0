-- One row per collaboration: all that is the latest delivery's for all time. Its terms of pay are versions.
with deliveries as (select * from {{ ref("stg_landing__collaboration_deliveries") }}),

stg_landing__collaborations as (
    select
        collaboration_id,
        campaign_id,
        brand,
        creator_id,
        platform,
        account_id,
        partner_type,
        promo_code,
        link_id,
        start_date,
        end_date,
        data_origin,
        source_file,
        source_line
    from deliveries
    where is_latest
)

select * from stg_landing__collaborations
