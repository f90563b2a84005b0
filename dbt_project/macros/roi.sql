{#- Return on spend: the columns that campaigns, collaborations and tiers share. -#}

{#- The group of a tier: of a scheme, one type of partner, a platform, a brand and a campaign.

A brand is preceded by its length, so that no two groups are one whatever their names hold. -#}
{% macro tier_group(scheme, tier, partner_type, platform, brand, campaign) -%}
    concat_ws(
        '|', {{ scheme }}, {{ tier }}, {{ partner_type }}, {{ platform }}, length({{ brand }}), {{ brand }}, {{ campaign }}
    )
{%- endmacro %}

{#- The campaign of an agreement or a cost; what has none is always on. -#}
{% macro campaign_or_always_on(column) -%} coalesce({{ column }}, '(always-on)') {%- endmacro %}

{#- Exact sums, divided last. Null where the denominator is 0 or unknown. -#}
{% macro fraction(numerator, denominator) -%} cast({{ ratio(numerator, denominator) }} as double) {%- endmacro %}

{% macro unit_cost(units, times=1, spend="roi.spend_base") -%}
    {{ as_decimal(fraction(spend ~ " * " ~ times, units), 38, 6) }}
{%- endmacro %}

{#- Counts of a post that a brand pays for. -#}
{% macro paid_counts() -%} {{ return(["impressions", "views", "engagements"]) }} {%- endmacro %}

{#- What every ROI mart holds after its key, of a CTE `roi` of int_returns__groups. -#}
{% macro roi_columns() -%}
    cast(roi.base_currency as string) as base_currency,
    cast(roi.cost_entries as bigint) as cost_entries,
    cast(roi.unrated_costs as bigint) as unrated_costs,
    cast(roi.spend_known_base as decimal(38, 6)) as spend_known_base,
    {% for spend in spend_columns() %}
        cast(roi.{{ spend }} as decimal(38, 6)) as {{ spend }},
    {% endfor %}
    cast(roi.commission_accrued_base as decimal(38, 6)) as commission_accrued_base,
    cast(roi.commission_paid_base as decimal(38, 6)) as commission_paid_base,
    cast(roi.commission_accrued_base - roi.commission_paid_base as decimal(38, 6)) as commission_balance_base,
    cast(roi.orders as decimal(38, 8)) as orders,
    cast(roi.unvalued_orders as bigint) as unvalued_orders,
    cast(roi.uncosted_orders as bigint) as uncosted_orders,
    cast(roi.net_revenue_known_base as decimal(38, 6)) as net_revenue_known_base,
    cast(roi.product_cost_known_base as decimal(38, 6)) as product_cost_known_base,
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
    {% for count in paid_counts() %}
        cast(roi.posts_with_{{ count }} as bigint) as posts_with_{{ count }},
        cast(roi.{{ count }}_known as bigint) as {{ count }}_known,
        cast(roi.spend_with_{{ count }}_base as decimal(38, 6)) as spend_with_{{ count }}_base,
    {% endfor %}
    cast(roi.clicks as bigint) as clicks,
    {{ unit_cost("roi.impressions", 1000) }} as cpm,
    {{ unit_cost("roi.views", 1000) }} as cpm_views,
    {{ unit_cost("roi.engagements") }} as cpe,
    {{ unit_cost("roi.impressions_known", 1000, "roi.spend_with_impressions_base") }} as cpm_known,
    {{ unit_cost("roi.views_known", 1000, "roi.spend_with_views_base") }} as cpm_views_known,
    {{ unit_cost("roi.engagements_known", 1, "roi.spend_with_engagements_base") }} as cpe_known,
    {{ unit_cost("roi.clicks") }} as cpc,
    {{ unit_cost("roi.orders") }} as cpa,
    cast(roi.posts_with_emv as bigint) as posts_with_emv,
    cast(roi.posts_with_early_emv as bigint) as posts_with_early_emv,
    cast(roi.emv as decimal(38, 6)) as emv,
    {{ fraction("roi.emv", "roi.spend_base") }} as emv_ratio,
    cast(roi.first_spend_date as date) as first_spend_date,
    cast(roi.payback_date as date) as payback_date,
    cast({{ days_between("roi.first_spend_date", "roi.payback_date") }} as integer) as payback_days,
    cast(roi.roi_basis as string) as roi_basis,
    cast(roi.missing_fees as bigint) as missing_fees,
    cast(roi.has_orders_landed as boolean) as has_orders_landed,
    cast(roi.is_campaign_unknown as boolean) as is_campaign_unknown,
    cast(roi.is_attribution_open as boolean) as is_attribution_open,
    cast(roi.is_refund_possible as boolean) as is_refund_possible,
    cast(roi.as_of_date as date) as as_of_date,
    cast(roi.data_origin as string) as data_origin
{%- endmacro %}
