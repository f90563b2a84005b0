-- One row per brand and relationship that its customers have or last had; `*` is all of them together.
{{ config(materialized="table") }}

{% set sums = [
    ("posts_about_brand", "bigint"),
    ("reach", "bigint"),
    ("posts_with_reach", "bigint"),
    ("engagements", "bigint"),
    ("posts_with_engagements", "bigint"),
    ("orders_by_code", "decimal(38, 8)"),
    ("net_revenue_by_code_base", "decimal(38, 6)"),
] %}

with advocates as (select * from {{ ref("fct_advocate") }}),

grouped as (
    select
        *,
        relationship as of_relationship
    from advocates
    union all
    select
        *,
        '*' as of_relationship
    from advocates
),

-- An account that several customers claim adds to the sums once. Unknown parts are left out of a sum and counted.
totals as (
    select
        brand,
        of_relationship,
        count(distinct concat_ws('/', nullif(shop, ''), customer_id)) as customers,
        count(*) as advocates,
        count(consented_at) as advocates_with_consent,
        count_if(is_current) as advocates_current,
        count_if(is_first_claim and coalesce(posts_about_brand > 0, false)) as accounts_posting,
        count_if(is_first_claim and posts_about_brand is null) as accounts_unknown,
        {% for column, _ in sums %}
            sum({{ column }}) filter (where is_first_claim) as {{ column }},
        {% endfor %}
        count_if(is_first_claim and orders_by_code is not null) as accounts_with_code,
        count_if(is_first_claim and orders_by_code is not null and net_revenue_by_code_base is null)
            as accounts_unvalued,
        count_if(is_first_claim and is_still_posting is not null) as contracts_ended,
        count_if(is_first_claim and coalesce(is_still_posting, false)) as still_posting,
        max(base_currency) as base_currency,
        max(as_of_date) as as_of_date,
        max(data_origin) as data_origin
    from grouped
    group by brand, of_relationship
),

fct_advocate_programme as (
    select
        cast(brand as string) as brand,
        cast(of_relationship as string) as relationship,
        cast(customers as integer) as customers,
        cast(advocates as integer) as advocates,
        cast(advocates_with_consent as integer) as advocates_with_consent,
        cast({{ ratio("advocates_with_consent", "advocates") }} as double) as share_with_consent,
        cast(advocates_current as integer) as advocates_current,
        cast(accounts_posting as integer) as accounts_posting,
        cast(accounts_unknown as integer) as accounts_unknown,
        {% for column, type in sums[:5] %}
            cast({{ column }} as {{ type }}) as {{ column }},
        {% endfor %}
        cast({{ ratio("reach", "posts_with_reach") }} as double) as reach_per_post,
        cast({{ ratio("engagements", "posts_with_engagements") }} as double) as engagements_per_post,
        cast(accounts_with_code as integer) as accounts_with_code,
        cast(orders_by_code as decimal(38, 8)) as orders_by_code,
        cast(case when accounts_unvalued = 0 then net_revenue_by_code_base end as decimal(38, 6))
            as net_revenue_by_code_base,
        cast(
            case when accounts_unvalued = 0 then {{ ratio("net_revenue_by_code_base", "orders_by_code") }} end as double
        ) as net_revenue_per_order_base,
        cast(base_currency as string) as base_currency,
        cast(contracts_ended as integer) as contracts_ended,
        cast(still_posting as integer) as still_posting,
        cast({{ ratio("still_posting", "contracts_ended") }} as double) as share_still_posting,
        cast(as_of_date as date) as as_of_date,
        cast(data_origin as string) as data_origin
    from totals
)

select * from fct_advocate_programme
