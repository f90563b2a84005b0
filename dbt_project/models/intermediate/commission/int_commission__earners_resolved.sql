-- One row per order that somebody earned: the collaboration, and by what. No attribution model has a say in it.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

owners as (select * from {{ ref("int_attribution__owners_resolved") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

rules as (select * from {{ ref("int_commission__rules_dated") }}),

-- A renewal is of its first order's version.
with_renewals as (
    select
        orders.shop,
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.agreement_day,
        owners.collaboration_id,
        owners.agreed_day,
        first_orders.agreement_day as first_order_day,
        case when orders.renewal_number = 0 then owners.owned_by else 'renewal' end as earned_by
    from orders
    left join owners on orders.shop = owners.shop and orders.first_order_id = owners.order_id
    left join orders as first_orders
        on orders.shop = first_orders.shop and orders.first_order_id = first_orders.order_id
),

-- A customer whom a lifetime rule once earned is that collaboration's, the first one's, from then on.
bound as (
    select
        with_renewals.shop,
        with_renewals.customer_id,
        with_renewals.collaboration_id,
        with_renewals.agreed_day,
        with_renewals.ordered_at
    from with_renewals
    inner join versions
        on with_renewals.collaboration_id = versions.collaboration_id
        and {{ is_within("with_renewals.agreed_day", "versions") }}
    inner join rules
        on versions.rule_id = rules.rule_id
        and with_renewals.agreement_day >= rules.first_day
        and with_renewals.agreement_day < rules.end_day
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
        with_renewals.first_order_day,
        coalesce(with_renewals.collaboration_id, bound.collaboration_id) as collaboration_id,
        case when with_renewals.collaboration_id is not null then with_renewals.earned_by else 'lifetime' end
            as earned_by,
        -- The day whose terms hold.
        case when with_renewals.collaboration_id is not null then with_renewals.agreed_day else bound.agreed_day end
            as agreed_day
    from with_renewals
    left join bound
        on {{ same_in_shop("with_renewals", "bound", "customer_id") }} and with_renewals.ordered_at > bound.ordered_at
    where coalesce(with_renewals.collaboration_id, bound.collaboration_id) is not null
)

select * from int_commission__earners_resolved
