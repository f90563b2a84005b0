-- One row per order that somebody earned: the collaboration, and by what. No attribution model has a say in it.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

order_codes as (select * from {{ ref("int_order__codes_matched") }}),

clicked as (select * from {{ ref("int_attribution__last_clicks_matched") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

rules as (select * from {{ ref("int_commission__rules_dated") }}),

last_clicks as (
    select
        shop,
        order_id,
        collaboration_id
    from clicked
    qualify
        row_number() over (
            partition by shop, order_id order by clicked_at desc nulls last, click_id desc nulls last
        ) = 1
),

own as (
    select
        orders.shop,
        orders.order_id,
        coalesce(order_codes.collaboration_id, last_clicks.collaboration_id) as collaboration_id,
        case when order_codes.collaboration_id is not null then 'code' else 'click' end as earned_by
    from orders
    left join order_codes on {{ same_in_shop("orders", "order_codes", "order_id") }}
    left join last_clicks on {{ same_in_shop("orders", "last_clicks", "order_id") }}
    where orders.renewal_number = 0
),

with_renewals as (
    select
        orders.shop,
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        own.collaboration_id,
        case when orders.renewal_number = 0 then own.earned_by else 'renewal' end as earned_by
    from orders
    left join own on orders.shop = own.shop and orders.first_order_id = own.order_id
),

-- A customer whom a lifetime rule once earned is that collaboration's, the first one's, from then on.
bound as (
    select
        with_renewals.shop,
        with_renewals.customer_id,
        with_renewals.collaboration_id,
        with_renewals.ordered_at
    from with_renewals
    inner join collaborations on with_renewals.collaboration_id = collaborations.collaboration_id
    inner join rules
        on collaborations.rule_id = rules.rule_id
        and with_renewals.order_date >= rules.first_day
        and with_renewals.order_date < rules.end_day
        and rules.applies_to = 'lifetime'
    qualify
        row_number() over (
            partition by with_renewals.shop, with_renewals.customer_id
            order by with_renewals.ordered_at nulls last, with_renewals.order_id nulls last
        ) = 1
),

int_commission__earners_resolved as (
    select
        with_renewals.shop,
        with_renewals.order_id,
        coalesce(with_renewals.collaboration_id, bound.collaboration_id) as collaboration_id,
        case when with_renewals.collaboration_id is not null then with_renewals.earned_by else 'lifetime' end
            as earned_by
    from with_renewals
    left join bound
        on {{ same_in_shop("with_renewals", "bound", "customer_id") }} and with_renewals.ordered_at > bound.ordered_at
    where coalesce(with_renewals.collaboration_id, bound.collaboration_id) is not null
)

select * from int_commission__earners_resolved
