-- One row per collaboration and delivery of it, numbered from the first; a file may hold several, of different days.
{{ config(materialized=view_of_texts()) }}

with landed as (select * from {{ source("raw", "collaborations") }}),

numbered as (
    select
        *,
        row_number() over (
            partition by collaboration_id
            order by {{ delivery_order(["valid_from", "source_line"]) }}
        ) as delivery_number
    from landed
),

stg_landing__collaboration_deliveries as (
    select
        collaboration_id,
        delivery_number,
        delivery_number = max(delivery_number) over (partition by collaboration_id) as is_latest,
        campaign_id,
        brand,
        creator_id,
        platform,
        account_id,
        partner_type,
        {{ normal_codes("promo_code") }} as promo_code,
        link_id,
        cookie_window_days,
        rule_id,
        agreed_fee,
        posts_agreed,
        currency,
        start_date,
        end_date,
        valid_from,
        cast(as_of as date) as delivered_on,
        data_origin,
        source_file,
        source_line
    from numbered
)

select * from stg_landing__collaboration_deliveries
