{#- Return on spend: the columns that campaigns, collaborations and tiers share. -#}

{#- The group of a tier: of a scheme, and of one type of partner. -#}
{% macro tier_group(scheme, tier, partner_type) -%}
    concat_ws('|', {{ scheme }}, {{ tier }}, {{ partner_type }})
{%- endmacro %}

{#- Exact sums, divided last. Null where the denominator is 0 or unknown. -#}
{% macro fraction(numerator, denominator) -%} cast({{ ratio(numerator, denominator) }} as double) {%- endmacro %}

{% macro unit_cost(units, times=1) -%}
    cast(round({{ fraction("roi.spend_base * " ~ times, units) }}, 6) as decimal(38, 6))
{%- endmacro %}

{#- What every ROI mart holds after its key, of a CTE `roi` of int_returns__groups. -#}
{% macro roi_columns() -%}
    cast(roi.base_currency as varchar) as base_currency,
    {% for spend in spend_columns() %}
        cast(roi.{{ spend }} as decimal(38, 6)) as {{ spend }},
    {% endfor %}
    cast(roi.commission_accrued_base as decimal(38, 6)) as commission_accrued_base,
    cast(roi.commission_paid_base as decimal(38, 6)) as commission_paid_base,
    cast(roi.commission_accrued_base - roi.commission_paid_base as decimal(38, 6)) as commission_balance_base,
    cast(roi.orders as decimal(38, 8)) as orders,
    cast(roi.net_revenue_base as decimal(38, 6)) as net_revenue_base,
    cast(roi.product_cost_base as decimal(38, 6)) as product_cost_base,
    cast(roi.net_revenue_base - roi.product_cost_base as decimal(38, 6)) as gross_profit_base,
    {{ fraction("roi.net_revenue_base - roi.spend_base", "roi.spend_base") }} as roi_net,
    {{ fraction("roi.net_revenue_base - roi.product_cost_base - roi.spend_base", "roi.spend_base") }} as roi_profit,
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
