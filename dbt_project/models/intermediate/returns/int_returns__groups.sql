-- One row per grouping, group and attribution model: what it cost and returned to date, null where a part is not known.
{{ config(materialized="table") }}
{#- What is not known, or may still change, and how it is said. -#}
{% set gaps = [
    ("agreements.group_id is null", "'no collaboration'"),
    ("coalesce(totals.spend_entries, 0) = 0", "'no cost'"),
    ("agreements.missing_fees > 0", "'agreed fee not among the costs of ' || agreements.missing_fees"),
    ("totals.unrated_costs > 0", "'no rate for ' || totals.unrated_costs || ' costs'"),
    ("not landed.has_orders", "'no orders landed'"),
    ("totals.unvalued_orders > 0", "'no rate or impossible amounts in ' || totals.unvalued_orders || ' orders'"),
    ("totals.uncosted_orders > 0", "'product cost unknown in ' || totals.uncosted_orders || ' orders'"),
    ("agreements.is_campaign_unknown", "'campaign unknown'"),
    ("posts.valued_posts < posts.posts", "'EMV of ' || (posts.posts - posts.valued_posts) || ' posts not known yet'"),
    ("posts.early_posts > 0", "'EMV of ' || posts.early_posts || ' posts from counts of less than 23 days'"),
    ("agreements.is_window_open", "'attribution window still open'"),
    (add_days("totals.last_order_date", 30) ~ " >= base.as_of_date", "'refunds still possible'"),
] %}
{% set counts = ["posts", "views", "impressions", "engagements", "emv"] %}
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
        landed.has_orders and agreements.group_id is not null as can_have_orders,
        coalesce(totals.spend_entries > 0 and totals.unrated_costs = 0, false) as is_spend_known,
        {% for sum in spend_columns() + orders %}
            coalesce(totals.{{ sum }}, 0) as {{ sum }},
        {% endfor %}
        totals.first_spend_date,
        totals.payback_date,
        {% for count in counts %}
            posts.{{ count }},
        {% endfor %}
        base.currency as base_currency,
        base.as_of_date,
        concat_ws(
            '; ',
            {% for condition, words in gaps %}
                case when {{ condition }} then {{ words }} end{{ "," if not loop.last }}
            {% endfor %}
        ) as missing,
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
        case when can_have_orders and unvalued_orders = 0 then net_revenue_base end as net_revenue_base,
        case when can_have_orders and uncosted_orders = 0 then product_cost_base end as product_cost_base,
        {% for known in ["commission_accrued_base", "commission_paid_base", "collaborations", "clicks"] + counts %}
            {{ known }},
        {% endfor %}
        first_spend_date,
        payback_date,
        base_currency,
        as_of_date,
        case when missing = '' then 'complete' else missing end as roi_basis,
        data_origin
    from joined
)

select * from int_returns__groups
