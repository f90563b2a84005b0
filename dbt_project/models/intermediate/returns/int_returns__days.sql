-- One row per collaboration, campaign, brand, conserving attribution model and day with spend, clicks or revenue.
-- `(campaign)` has the costs of a campaign itself, `(overhead)` those of neither, `(unattributed)` what is nobody's.
-- One model: spend, clicks and revenue are three short sums of one key, and none has another reader.
{{ config(materialized="table") }}

{% set key = ["collaboration_id", "campaign_id", "brand", "activity_date"] %}
{% set counts = ["cost_entries", "unrated_costs"] %}
{% set parts = [
    "orders", "new_customer_orders", "net_revenue_base", "product_cost_base", "unvalued_orders", "uncosted_orders",
    "net_revenue_costed_base",
] %}

with spend as (
    select * from {{ ref("int_spend__spend_dated") }}
    where is_spend
),

link_days as (select * from {{ ref("int_attribution__link_days") }}),

credited as (
    select * from {{ ref("int_attribution__revenue_credited") }}
    where model <> 'any_touch'
),

orders as (select * from {{ ref("int_order__orders_valued") }}),

collaborations as (
    select
        collaboration_id,
        brand,
        coalesce(campaign_id, '(always-on)') as campaign_id
    from {{ ref("stg_landing__collaborations") }}
),

models as (
    {% for model in conserving_models() %}
        select '{{ model }}' as attribution_model {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Nobody knows what a shop has sold that lands no orders, and who clicked where no clicks are tracked.
landed as (
    select
        (select count(*) from orders) > 0 as has_orders,
        (select count(*) from link_days) > 0 as has_clicks
),

spend_days as (
    select
        cost_date as activity_date,
        case
            when is_of_collaboration then collaboration_id
            when campaign_id is not null then '(campaign)'
            else '(overhead)'
        end as collaboration_id,
        coalesce(campaign_id, '(always-on)') as campaign_id,
        coalesce(brand, '(unknown)') as brand,
        count(*) as cost_entries,
        count_if(amount_base is null) as unrated_costs,
        sum(amount_base) as spend_base,
        {% for cost_type in cost_types() %}
            sum(case when cost_type = '{{ cost_type }}' then amount_base end) as spend_{{ cost_type }}_base,
        {% endfor %}
        max(data_origin) as data_origin
    from spend
    group by all
),

click_days as (
    select
        link_days.collaboration_id,
        link_days.click_date as activity_date,
        coalesce(collaborations.campaign_id, '(unattributed)') as campaign_id,
        coalesce(collaborations.brand, '(unknown)') as brand,
        sum(link_days.clicks) as clicks,
        max(link_days.data_origin) as data_origin
    from link_days
    left join collaborations on link_days.collaboration_id = collaborations.collaboration_id
    group by all
),

-- Orders that lack something count by their credit, so that they add up over collaborations as all orders do.
revenue_days as (
    select
        credited.event_date as activity_date,
        credited.model as attribution_model,
        coalesce(collaborations.collaboration_id, '(unattributed)') as collaboration_id,
        coalesce(collaborations.campaign_id, '(unattributed)') as campaign_id,
        coalesce(collaborations.brand, orders.brand, '(unknown)') as brand,
        sum(credited.credited_orders) as orders,
        sum(case when orders.is_new_customer then credited.credited_orders end) as new_customer_orders,
        sum(credited.net_revenue_base) as net_revenue_base,
        sum(credited.product_cost_base) as product_cost_base,
        sum(case when orders.net_revenue_base is null then credited.credited_orders end) as unvalued_orders,
        sum(case when orders.product_cost_base is null then credited.credited_orders end) as uncosted_orders,
        sum(case when orders.product_cost_base is not null then credited.net_revenue_base end)
            as net_revenue_costed_base,
        max(credited.data_origin) as data_origin
    from credited
    inner join orders on {{ same_in_shop("credited", "orders", "order_id") }}
    left join collaborations on credited.collaboration_id = collaborations.collaboration_id
    group by all
),

-- A model of attribution changes neither what was spent nor who clicked: each has all of it.
keys as (
    select
        {{ key | join(", ") }},
        models.attribution_model
    from (
        select {{ key | join(", ") }} from spend_days
        union
        select {{ key | join(", ") }} from click_days
    ) as free_of_models
    cross join models
    union
    select
        {{ key | join(", ") }},
        attribution_model
    from revenue_days
),

-- A day without an entry has moved nothing: 0 is true. What is unknown of an entry is counted beside the sums.
int_returns__days as (
    select
        keys.*,
        {% for count in counts + spend_columns() %}
            coalesce(spend_days.{{ count }}, 0) as {{ count }},
        {% endfor %}
        case when landed.has_clicks then coalesce(click_days.clicks, 0) end as clicks,
        {% for part in parts %}
            case when landed.has_orders then coalesce(revenue_days.{{ part }}, 0) end as {{ part }},
        {% endfor %}
        greatest(spend_days.data_origin, click_days.data_origin, revenue_days.data_origin) as data_origin
    from keys
    cross join landed
    {% for days in ["spend_days", "click_days", "revenue_days"] %}
        left join {{ days }}
            on keys.collaboration_id = {{ days }}.collaboration_id
            and keys.campaign_id = {{ days }}.campaign_id
            and keys.brand = {{ days }}.brand
            and keys.activity_date = {{ days }}.activity_date
            {{ "and keys.attribution_model = revenue_days.attribution_model" if days == "revenue_days" }}
    {% endfor %}
)

select * from int_returns__days
