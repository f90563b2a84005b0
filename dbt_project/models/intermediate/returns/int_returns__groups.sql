-- One row per grouping, group and attribution model: what it cost and returned to date, null where a part is not known.
-- One model: what is missing is told from the very sums that it makes unknown.
{{ config(materialized="table") }}
{#- What keeps a return from being told, and what may still change it. -#}
{% set missing = [
    "collaborations = 0", "cost_entries = 0", "missing_fees > 0", "unrated_costs > 0", "not has_orders_landed",
    "unvalued_orders > 0", "uncosted_orders > 0", "is_campaign_unknown",
] %}
{% set open = [
    "is_attribution_open", "is_refund_possible", "posts_with_early_emv > 0", "posts_with_emv < posts",
] %}
{% set counts = ["posts", "emv"] + paid_counts() %}
{% set orders = ["orders", "net_revenue_base", "product_cost_base", "unvalued_orders", "uncosted_orders"] %}

with totals as (select * from {{ ref("int_returns__group_totals") }}),

posts as (select * from {{ ref("int_returns__group_posts") }}),

agreements as (select * from {{ ref("int_returns__group_agreements") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

models as ({{ attribution_model_rows() }}),

-- A shop that lands no orders at all has unknown revenue, not none.
landed as (
    select count(*) > 0 as has_orders
    from {{ ref("int_order__orders_valued") }}
),

-- A campaign to which nothing belongs yet is a group as well.
group_ids as (
    select
        grouped_by,
        group_id
    from agreements
    union
    select
        grouped_by,
        group_id
    from {{ ref("int_returns__group_spend") }}
    union
    select
        'campaign' as grouped_by,
        campaign_id as group_id
    from {{ ref("int_returns__campaigns_listed") }}
),

-- Spend that belongs to no collaboration cannot have brought orders: theirs are unknown, not 0.
joined as (
    select
        group_ids.grouped_by,
        group_ids.group_id,
        models.model,
        coalesce(agreements.collaborations, 0) as collaborations,
        agreements.clicks,
        agreements.commission_accrued_base,
        agreements.commission_paid_base,
        coalesce(totals.spend_entries, 0) as cost_entries,
        coalesce(totals.unrated_costs, 0) as unrated_costs,
        coalesce(agreements.missing_fees, 0) as missing_fees,
        landed.has_orders as has_orders_landed,
        landed.has_orders and agreements.group_id is not null as can_have_orders,
        coalesce(agreements.is_campaign_unknown, false) as is_campaign_unknown,
        coalesce(agreements.is_window_open, false) as is_attribution_open,
        coalesce({{ add_days("totals.last_order_date", 30) }} >= base.as_of_date, false) as is_refund_possible,
        coalesce(totals.spend_entries > 0 and totals.unrated_costs = 0, false) as is_spend_known,
        {% for sum in spend_columns() + orders %}
            coalesce(totals.{{ sum }}, 0) as {{ sum }},
        {% endfor %}
        totals.first_spend_date,
        totals.payback_date,
        {% for count in counts %}
            posts.{{ count }},
        {% endfor %}
        {% for count in paid_counts() %}
            coalesce(posts.posts_with_{{ count }}, 0) as posts_with_{{ count }},
            posts.{{ count }}_known,
            posts.spend_with_{{ count }}_base,
        {% endfor %}
        coalesce(posts.posts_with_emv, 0) as posts_with_emv,
        coalesce(posts.posts_with_early_emv, 0) as posts_with_early_emv,
        base.currency as base_currency,
        base.as_of_date,
        -- Nulls are left out; a group has at least one of them.
        coalesce(greatest(totals.data_origin, posts.data_origin, agreements.data_origin), 'observed') as data_origin
    from group_ids
    cross join models
    cross join base
    cross join landed
    left join totals
        on group_ids.grouped_by = totals.grouped_by
        and group_ids.group_id = totals.group_id
        and models.model = totals.model
    left join posts on group_ids.grouped_by = posts.grouped_by and group_ids.group_id = posts.group_id
    left join agreements on group_ids.grouped_by = agreements.grouped_by and group_ids.group_id = agreements.group_id
),

int_returns__groups as (
    select
        grouped_by,
        group_id,
        model,
        {% for spend in spend_columns() %}
            case when is_spend_known then {{ spend }} end as {{ spend }},
        {% endfor %}
        case when can_have_orders then orders end as orders,
        case when can_have_orders then unvalued_orders end as unvalued_orders,
        case when can_have_orders then uncosted_orders end as uncosted_orders,
        case when cost_entries > 0 then spend_base end as spend_known_base,
        case when can_have_orders then net_revenue_base end as net_revenue_known_base,
        case when can_have_orders then product_cost_base end as product_cost_known_base,
        case when can_have_orders and unvalued_orders = 0 then net_revenue_base end as net_revenue_base,
        case when can_have_orders and uncosted_orders = 0 then product_cost_base end as product_cost_base,
        {% for count in paid_counts() %}
            posts_with_{{ count }},
            {{ count }}_known,
            case when cost_entries > 0 and posts_with_{{ count }} > 0 then spend_with_{{ count }}_base end
                as spend_with_{{ count }}_base,
        {% endfor %}
        posts_with_emv,
        posts_with_early_emv,
        cost_entries,
        unrated_costs,
        missing_fees,
        has_orders_landed,
        is_campaign_unknown,
        is_attribution_open,
        is_refund_possible,
        {% for known in ["commission_accrued_base", "commission_paid_base", "collaborations", "clicks"] + counts %}
            {{ known }},
        {% endfor %}
        first_spend_date,
        payback_date,
        base_currency,
        as_of_date,
        case
            when {{ missing | join(" or ") }} then 'incomplete'
            when {{ open | join(" or ") }} then 'open'
            else 'complete'
        end as roi_basis,
        data_origin
    from joined
)

select * from int_returns__groups
