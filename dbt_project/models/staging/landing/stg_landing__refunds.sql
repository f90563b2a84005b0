-- One row per line of a refund. Lines without an id are numbered as they stand in their file.
with landed as (
    select
        *,
        coalesce(shop, '') as shop_name
    from {{ source("raw", "refunds") }}
),

withdrawals as (
    select * from {{ ref("stg_landing__withdrawals") }}
    where feed = 'refunds'
),

placed as (
    select
        *,
        max(arrival_order) over of_refund as last_order,
        max(case when refund_line_id is null then arrival_order end) over of_refund as last_whole_order
    from landed
    window of_refund as (partition by shop_name, refund_id)
),

-- A file without line ids holds the refund whole: it takes the place of what came before, as any later one does of it.
standing as (
    select
        *,
        coalesce(
            refund_line_id,
            '#' || row_number() over (
                partition by shop_name, refund_id, refund_line_id
                order by source_line nulls last, source_file nulls last
            )
        ) as named_line
    from placed
    where
        case
            when refund_line_id is null then arrival_order = last_order
            else last_whole_order is null or arrival_order >= last_whole_order
        end
),

settled as (
    select *
    from standing
    {{ latest_delivery(["shop_name", "refund_id", "named_line"]) }}
),

-- A minus is but the way in which a refund is written, unless its mapping says that signs tell.
stg_landing__refunds as (
    select
        settled.shop_name as shop,
        settled.refund_id,
        settled.named_line as refund_line_id,
        settled.order_id,
        settled.refunded_at,
        {% for amount in ["amount", "goods_amount", "tax_amount", "shipping_amount"] %}
            case when settled.is_signed then settled.{{ amount }} else abs(settled.{{ amount }}) end as {{ amount }},
        {% endfor %}
        settled.currency,
        settled.data_origin,
        settled.source_file,
        settled.source_line
    from settled
    left join withdrawals
        on settled.shop_name = withdrawals.shop
        and settled.refund_id = withdrawals.record_id
        and coalesce(settled.refund_line_id, '') = withdrawals.line_id
    where withdrawals.record_id is null
)

select * from stg_landing__refunds
