{#- Return on spend of any grouping of collaborations: one set of formulas for collaborations, campaigns and tiers.

    The model that calls `roi_steps` has made two steps before:
      groups        one row per group and collaboration in it: group_id, collaboration_id
      group_spend   one row per ledger entry with the group that it belongs to: group_id and the ledger's columns
    and finds the steps `group_days` (one row per group, model and date) and `roi` (one row per group and model) after. -#}
{% macro roi_steps() -%}
    {{ group_days() }},

    {{ group_returns() }}
{%- endmacro %}

{#- Sums of credited orders and refunds, with how many orders are not known beside what is. -#}
{% macro revenue_sums() -%}
    sum(credited_orders) as orders,
    sum(net_revenue_base) as net_revenue_base,
    sum(product_cost_base) as product_cost_base,
    count_if(event_type = 'order' and net_revenue_base is null) as unvalued_orders,
    count_if(event_type = 'order' and product_cost_base is null) as uncosted_orders,
    max(case when event_type = 'order' then event_date end) as order_date,
    max(data_origin) as data_origin
{%- endmacro %}

{#- A model of attribution does not change what was spent: each model has all of it. -#}
{% macro group_days() -%}
    models as (
        {% for model in attribution_models() %}
            select '{{ model }}' as model
            {{ "union all" if not loop.last }}
        {% endfor %}
    ),

    base as (select * from {{ ref("stg_meta__run_context") }}),

    -- Under `any_touch` each collaboration has the whole order; in a group the order counts once.
    seen_once as (
        select
            groups.group_id,
            credited.*
        from {{ ref("int_commerce__revenue_credited") }} as credited
        inner join groups on credited.collaboration_id = groups.collaboration_id
        where credited.model = 'any_touch'
        qualify
            row_number() over (
                partition by groups.group_id, credited.event_type, credited.event_id
                order by credited.collaboration_id nulls last
            ) = 1
    ),

    -- Credits of every other model add up, so they are summed before the groups, of which tiers have one per scheme.
    collaboration_days as (
        select
            collaboration_id,
            model,
            event_date,
            {{ revenue_sums() }}
        from {{ ref("int_commerce__revenue_credited") }}
        where model <> 'any_touch'
        group by collaboration_id, model, event_date
    ),

    group_revenue as (
        select
            groups.group_id,
            collaboration_days.model,
            collaboration_days.event_date,
            collaboration_days.orders,
            collaboration_days.net_revenue_base,
            collaboration_days.product_cost_base,
            collaboration_days.unvalued_orders,
            collaboration_days.uncosted_orders,
            collaboration_days.order_date,
            collaboration_days.data_origin
        from collaboration_days
        inner join groups on collaboration_days.collaboration_id = groups.collaboration_id

        union all

        select
            group_id,
            model,
            event_date,
            {{ revenue_sums() }}
        from seen_once
        group by group_id, model, event_date
    ),

    dated as (
        select
            group_spend.group_id,
            models.model,
            group_spend.cost_date as date,
            group_spend.amount_base as spend_base,
            {% for cost_type in cost_types() %}
                case when group_spend.cost_type = '{{ cost_type }}' then group_spend.amount_base end
                    as spend_{{ cost_type }}_base,
            {% endfor %}
            1 as spend_entries,
            case when group_spend.amount_base is null then 1 else 0 end as unrated_costs,
            cast(0 as decimal(38, 8)) as orders,
            cast(0 as decimal(38, 6)) as net_revenue_base,
            cast(0 as decimal(38, 6)) as product_cost_base,
            0 as unvalued_orders,
            0 as uncosted_orders,
            cast(null as date) as order_date,
            group_spend.data_origin
        from group_spend
        cross join models
        where group_spend.is_spend

        union all

        select
            group_id,
            model,
            event_date as date,
            cast(0 as decimal(38, 6)) as spend_base,
            {% for cost_type in cost_types() %}
                cast(0 as decimal(38, 6)) as spend_{{ cost_type }}_base,
            {% endfor %}
            0 as spend_entries,
            0 as unrated_costs,
            orders,
            net_revenue_base,
            product_cost_base,
            unvalued_orders,
            uncosted_orders,
            order_date,
            data_origin
        from group_revenue
    ),

    -- Sums of what is known, with how much is not known beside them.
    group_days as (
        select
            group_id,
            model,
            date,
            sum(spend_base) as spend_base,
            {% for cost_type in cost_types() %}
                sum(spend_{{ cost_type }}_base) as spend_{{ cost_type }}_base,
            {% endfor %}
            sum(spend_entries) as spend_entries,
            sum(unrated_costs) as unrated_costs,
            sum(orders) as orders,
            sum(net_revenue_base) as net_revenue_base,
            sum(product_cost_base) as product_cost_base,
            sum(unvalued_orders) as unvalued_orders,
            sum(uncosted_orders) as uncosted_orders,
            max(order_date) as last_order_date,
            max(data_origin) as data_origin
        from dated
        group by group_id, model, date
    )
{%- endmacro %}

{% macro group_returns() -%}
    group_curves as (
        select
            group_id,
            model,
            date,
            sum(spend_entries) over along as spend_entries,
            min(case when spend_entries > 0 then date end) over of_group as first_spend_date,
            coalesce(sum(spend_base) over along, 0) as spend_so_far,
            coalesce(sum(net_revenue_base) over along, 0) - coalesce(sum(product_cost_base) over along, 0) as profit_so_far,
            sum(unrated_costs + unvalued_orders + uncosted_orders) over along as unknown_so_far
        from group_days
        window
            along as (partition by group_id, model order by date rows between unbounded preceding and current row),
            of_group as (partition by group_id, model)
    ),

    paybacks as (
        select
            group_id,
            model,
            min(first_spend_date) as first_spend_date,
            min(case when unknown_so_far = 0 and spend_so_far > 0 and profit_so_far >= spend_so_far then date end)
                as payback_date
        from group_curves
        where date >= first_spend_date
        group by group_id, model
    ),

    group_totals as (
        select
            group_id,
            model,
            sum(spend_entries) as spend_entries,
            sum(unrated_costs) as unrated_costs,
            sum(unvalued_orders) as unvalued_orders,
            sum(uncosted_orders) as uncosted_orders,
            sum(orders) as orders,
            sum(spend_base) as spend_base,
            {% for cost_type in cost_types() %}
                coalesce(sum(spend_{{ cost_type }}_base), 0) as spend_{{ cost_type }}_base,
            {% endfor %}
            sum(net_revenue_base) as net_revenue_base,
            sum(product_cost_base) as product_cost_base,
            max(last_order_date) as last_order_date,
            max(data_origin) as data_origin
        from group_days
        group by group_id, model
    ),

    -- A post of several collaborations of a group is seen once.
    group_posts as (
        select distinct
            groups.group_id,
            posts.platform,
            posts.post_id,
            posts.views,
            posts.impressions,
            posts.engagements,
            posts.emv_base,
            posts.is_valued_early,
            posts.data_origin
        from {{ ref("int_commerce__posts_valued") }} as posts
        inner join groups on posts.collaboration_id = groups.collaboration_id
    ),

    -- A sum over posts of which one is unknown is unknown; EMV is the value of those posts that have one.
    post_totals as (
        select
            group_id,
            count(*) as posts,
            {% for count in ["views", "impressions", "engagements"] %}
                case when count({{ count }}) = count(*) then sum({{ count }}) end as {{ count }},
            {% endfor %}
            sum(emv_base) as emv,
            count(emv_base) as valued_posts,
            count_if(is_valued_early and emv_base is not null) as early_posts,
            max(data_origin) as data_origin
        from group_posts
        group by group_id
    ),

    agreement_totals as (
        select
            groups.group_id,
            count(*) as collaborations,
            case when count(clicked.clicks) = count(*) then sum(clicked.clicks) end as clicks,
            bool_or(checked.is_window_open) as is_window_open,
            count_if(checked.is_fee_missing) as missing_fees,
            bool_or(checked.is_campaign_unknown) as is_campaign_unknown,
            max(checked.data_origin) as data_origin
        from groups
        inner join {{ ref("int_commerce__collaborations_checked") }} as checked
            on groups.collaboration_id = checked.collaboration_id
        left join {{ ref("int_commerce__links_clicked") }} as clicked
            on groups.collaboration_id = clicked.collaboration_id
        group by groups.group_id
    ),

    -- A shop that lands no orders at all has unknown revenue, not none.
    landed_orders as (
        select count(*) as orders
        from {{ ref("int_commerce__orders_valued") }}
    ),

    group_ids as (
        select group_id from groups
        union
        select group_id from group_spend
    ),

    known as (
        select
            group_ids.group_id,
            models.model,
            base.as_of_date,
            base.currency as base_currency,
            case when group_totals.unrated_costs = 0 and group_totals.spend_entries > 0 then group_totals.spend_base end
                as spend_base,
            {% for cost_type in cost_types() %}
                case
                    when group_totals.unrated_costs = 0 and group_totals.spend_entries > 0
                        then group_totals.spend_{{ cost_type }}_base
                end as spend_{{ cost_type }}_base,
            {% endfor %}
            -- Spend that belongs to no collaboration cannot have brought orders: theirs is unknown, not 0.
            case when landed_orders.orders > 0 and agreements.group_id is not null then coalesce(group_totals.orders, 0) end
                as orders,
            case
                when landed_orders.orders > 0 and agreements.group_id is not null
                    and coalesce(group_totals.unvalued_orders, 0) = 0
                    then coalesce(group_totals.net_revenue_base, 0)
            end as net_revenue_base,
            case
                when landed_orders.orders > 0 and agreements.group_id is not null
                    and coalesce(group_totals.uncosted_orders, 0) = 0
                    then coalesce(group_totals.product_cost_base, 0)
            end as product_cost_base,
            post_totals.posts,
            post_totals.views,
            post_totals.impressions,
            post_totals.engagements,
            post_totals.emv,
            agreements.clicks,
            paybacks.first_spend_date,
            paybacks.payback_date,
            concat_ws(
                '; ',
                case when agreements.group_id is null then 'no collaboration' end,
                case when coalesce(group_totals.spend_entries, 0) = 0 then 'no cost' end,
                case when agreements.missing_fees > 0 then 'agreed fee not among the costs of ' || agreements.missing_fees end,
                case when group_totals.unrated_costs > 0 then 'no rate for ' || group_totals.unrated_costs || ' costs' end,
                case when landed_orders.orders = 0 then 'no orders landed' end,
                case when group_totals.unvalued_orders > 0
                    then 'no rate or impossible amounts in ' || group_totals.unvalued_orders || ' orders' end,
                case when group_totals.uncosted_orders > 0
                    then 'product cost unknown in ' || group_totals.uncosted_orders || ' orders' end,
                case when agreements.is_campaign_unknown then 'campaign unknown' end,
                case when post_totals.valued_posts < post_totals.posts
                    then 'EMV of ' || (post_totals.posts - post_totals.valued_posts) || ' posts not known yet' end,
                case when post_totals.early_posts > 0
                    then 'EMV of ' || post_totals.early_posts || ' posts from counts of less than 23 days' end,
                case when agreements.is_window_open then 'attribution window still open' end,
                case when {{ add_days("group_totals.last_order_date", 30) }} >= base.as_of_date then 'refunds still possible' end
            ) as missing,
            -- Nulls are left out; a group has at least one of them.
            coalesce(
                greatest(group_totals.data_origin, post_totals.data_origin, agreements.data_origin), 'observed'
            ) as data_origin
        from group_ids
        cross join models
        cross join base
        cross join landed_orders
        left join group_totals on group_ids.group_id = group_totals.group_id and models.model = group_totals.model
        left join post_totals on group_ids.group_id = post_totals.group_id
        left join agreement_totals as agreements on group_ids.group_id = agreements.group_id
        left join paybacks on group_ids.group_id = paybacks.group_id and models.model = paybacks.model
    ),

    roi as (
        select
            *,
            net_revenue_base - product_cost_base as gross_profit_base,
            case when missing = '' then 'complete' else missing end as roi_basis
        from known
    )
{%- endmacro %}

{#- Exact sums, divided last. Null where the denominator is 0 or unknown. -#}
{% macro fraction(numerator, denominator) -%} cast({{ ratio(numerator, denominator) }} as double) {%- endmacro %}

{% macro unit_cost(units, times=1) -%}
    cast(round({{ fraction("roi.spend_base * " ~ times, units) }}, 6) as decimal(38, 6))
{%- endmacro %}

{#- What every ROI mart holds after its key. -#}
{% macro roi_columns() -%}
    cast(roi.base_currency as varchar) as base_currency,
    cast(roi.spend_base as decimal(38, 6)) as spend_base,
    {% for cost_type in cost_types() %}
        cast(roi.spend_{{ cost_type }}_base as decimal(38, 6)) as spend_{{ cost_type }}_base,
    {% endfor %}
    cast(roi.orders as decimal(38, 8)) as orders,
    cast(roi.net_revenue_base as decimal(38, 6)) as net_revenue_base,
    cast(roi.product_cost_base as decimal(38, 6)) as product_cost_base,
    cast(roi.gross_profit_base as decimal(38, 6)) as gross_profit_base,
    {{ fraction("roi.net_revenue_base - roi.spend_base", "roi.spend_base") }} as roi_net,
    {{ fraction("roi.gross_profit_base - roi.spend_base", "roi.spend_base") }} as roi_profit,
    {{ fraction("roi.net_revenue_base", "roi.spend_base") }} as roas,
    cast(roi.posts as bigint) as posts,
    cast(roi.impressions as bigint) as impressions,
    cast(roi.views as bigint) as views,
    cast(roi.engagements as bigint) as engagements,
    cast(roi.clicks as bigint) as clicks,
    {{ unit_cost("roi.impressions", 1000) }} as cpm,
    {{ unit_cost("roi.views", 1000) }} as cpm_views,
    {{ unit_cost("roi.engagements") }} as cpe,
    {{ unit_cost("roi.clicks") }} as cpc,
    {{ unit_cost("roi.orders") }} as cpa,
    cast(roi.emv as decimal(38, 6)) as emv,
    {{ fraction("roi.emv", "roi.spend_base") }} as emv_ratio,
    cast(roi.first_spend_date as date) as first_spend_date,
    cast(roi.payback_date as date) as payback_date,
    cast({{ days_between("roi.first_spend_date", "roi.payback_date") }} as integer) as payback_days,
    cast(roi.roi_basis as varchar) as roi_basis,
    cast(roi.as_of_date as date) as as_of_date,
    cast(roi.data_origin as varchar) as data_origin
{%- endmacro %}
