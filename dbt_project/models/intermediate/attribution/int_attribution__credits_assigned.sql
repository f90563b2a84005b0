-- One row per order, attribution model and collaboration: its credit. `(unattributed)` is what no collaboration has.
-- One model, as what a path, a code and a renewal are worth all fall back on the same orders.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

paths as (select * from {{ ref("int_attribution__paths_ordered") }}),

weighted as (select * from {{ ref("int_attribution__touches_weighted") }}),

owners as (select * from {{ ref("int_attribution__owners_resolved") }}),

models as ({{ attribution_model_rows() }}),

-- Eight decimals: with the six of a base amount they make a product that DECIMAL(38, 14) holds.
rounded as (
    select
        shop,
        order_id,
        model,
        collaboration_id,
        is_last,
        {{ as_decimal(ratio("weight", "weight_of_all"), 10, 8) }} as credit
    from weighted
),

-- The last touch has what rounding left over, so that credits are exactly 1 together.
shares as (
    select
        shop,
        order_id,
        model,
        collaboration_id,
        is_last,
        case
            when is_last then credit + 1 - sum(credit) over (partition by shop, order_id, model)
            else credit
        end as credit
    from rounded
),

by_evidence as (
    select
        shop,
        order_id,
        model,
        collaboration_id,
        sum(credit) as credit,
        bool_or(is_last) as has_remainder
    from shares
    group by shop, order_id, model, collaboration_id

    union all

    select
        shop,
        order_id,
        'code_or_last_click' as model,
        collaboration_id,
        1 as credit,
        true as has_remainder
    from owners

    union all

    select
        shop,
        order_id,
        'promo_code' as model,
        collaboration_id,
        1 as credit,
        true as has_remainder
    from owners
    where owned_by = 'code'

    union all

    select distinct
        shop,
        order_id,
        'any_touch' as model,
        collaboration_id,
        1 as credit,
        false as has_remainder
    from paths
),

first_orders as (
    select
        orders.shop,
        orders.order_id,
        models.model
    from orders
    cross join models
    where orders.renewal_number = 0
),

of_first_orders as (
    select
        first_orders.shop,
        first_orders.order_id,
        first_orders.model,
        coalesce(by_evidence.collaboration_id, '(unattributed)') as collaboration_id,
        cast(coalesce(by_evidence.credit, 1) as decimal(10, 8)) as credit,
        coalesce(by_evidence.has_remainder, true) as has_remainder
    from first_orders
    left join by_evidence
        on {{ same_in_shop("first_orders", "by_evidence", "order_id") }} and first_orders.model = by_evidence.model
),

-- A renewal has its first order's credits; one whose first order is not known has nobody's.
of_renewals as (
    select
        orders.shop,
        orders.order_id,
        models.model,
        coalesce(of_first_orders.collaboration_id, '(unattributed)') as collaboration_id,
        cast(coalesce(of_first_orders.credit, 1) as decimal(10, 8)) as credit,
        coalesce(of_first_orders.has_remainder, true) as has_remainder
    from orders
    cross join models
    left join of_first_orders
        on orders.shop = of_first_orders.shop
        and orders.first_order_id = of_first_orders.order_id
        and models.model = of_first_orders.model
    where orders.renewal_number > 0
),

int_attribution__credits_assigned as (
    select * from of_first_orders
    union all
    select * from of_renewals
)

select * from int_attribution__credits_assigned
