-- One row per brand, customer of a shop and account of the customer: what the customer is to the brand, and did for it.
-- One model, as its sums are all over the same customers' accounts, a step each; a third of it are casts of columns.
{{ config(materialized="table") }}

{% set least_days = 30 %}
{% set key = "shop, brand, customer_id, platform, account_id" %}

with relationships as (select * from {{ ref("int_advocacy__relationships_merged") }}),

agreements as (select * from {{ ref("int_advocacy__agreements_matched") }}),

posts as (select * from {{ ref("int_advocacy__posts_gathered") }}),

watched as (select * from {{ ref("int_advocacy__accounts_watched") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

customers as (
    select
        {{ key }},
        {{ value_at_last("relationship", "valid_from") }} as relationship,
        max(valid_from) as relationship_since,
        count(valid_to) < count(*) as is_current,
        max(consented_at) as consented_at,
        min(valid_from) as first_date,
        {% for step in ["customer", "advocate", "ambassador"] %}
            min(valid_from) filter (where relationship = '{{ step }}') as {{ step }}_since,
        {% endfor %}
        max(data_origin) as data_origin
    from relationships
    group by {{ key }}
),

claims as (
    select
        *,
        row_number() over (partition by brand, platform, account_id order by first_date, shop, customer_id) = 1
            as is_first_claim
    from customers
),

agreed as (
    select
        brand,
        platform,
        account_id,
        count(*) as collaborations,
        {{ value_at_last("partner_type", "(start_date, collaboration_id)") }} as partner_type,
        count_if(is_of_account and promo_code is not null) as codes,
        case when count_if(is_running) = 0 then max(end_date) end as contract_end_date,
        max(data_origin) as data_origin
    from agreements
    group by brand, platform, account_id
),

sales as (
    select
        agreements.brand,
        agreements.platform,
        agreements.account_id,
        sum(credited.credited_orders) as orders,
        sum(credited.net_revenue_base) as net_revenue_base,
        count_if(credited.event_type = 'order' and credited.net_revenue_base is null) as unvalued_orders,
        max(credited.data_origin) as data_origin
    from {{ ref("int_attribution__revenue_credited") }} as credited
    inner join agreements on credited.collaboration_id = agreements.collaboration_id and agreements.is_of_account
    where credited.model = 'promo_code'
    group by agreements.brand, agreements.platform, agreements.account_id
),

-- A shop that lands no orders at all has unknown revenue, not none.
landed_orders as (
    select count(*) as orders
    from {{ ref("int_order__orders_valued") }}
),

held_tiers as (
    select
        history.platform,
        history.account_id,
        history.tier,
        history.data_origin
    from {{ ref("dim_account_tier_history") }} as history
    inner join default_scheme on history.scheme = default_scheme.scheme
    where history.valid_to is null
),

rates as (
    select
        daily.platform,
        daily.account_id,
        {{ value_at_last("daily.er_followers_median_30", "daily.snapshot_date") }} as er_followers_median,
        max(daily.data_origin) as data_origin
    from {{ ref("fct_account_engagement_daily") }} as daily
    inner join claims on daily.platform = claims.platform and daily.account_id = claims.account_id
    where daily.er_followers_median_30 is not null
    group by daily.platform, daily.account_id
),

praised as (
    select
        claims.shop,
        claims.brand,
        claims.customer_id,
        claims.platform,
        claims.account_id,
        count(*) as posts_about_brand,
        min(posts.published_date) as first_post_date,
        max(posts.published_date) as last_post_date,
        count(distinct year(posts.published_date) * 12 + month(posts.published_date)) as months_active,
        sum(posts.reach) as reach,
        count(posts.reach) as posts_with_reach,
        sum(posts.engagements) as engagements,
        count(posts.engagements) as posts_with_engagements,
        count_if(coalesce(posts.published_date > agreed.contract_end_date, false) and not posts.is_linked)
            as posts_after_contract,
        max(posts.data_origin) as data_origin
    from claims
    inner join posts
        on claims.brand = posts.brand
        and claims.platform = posts.platform
        and claims.account_id = posts.account_id
        and claims.first_date <= posts.published_date
    left join agreed
        on claims.brand = agreed.brand and claims.platform = agreed.platform and claims.account_id = agreed.account_id
    group by claims.shop, claims.brand, claims.customer_id, claims.platform, claims.account_id
),

joined as (
    select
        claims.*,
        agreed.partner_type,
        coalesce(agreed.collaborations, 0) as collaborations,
        agreed.contract_end_date,
        {{ days_between("agreed.contract_end_date", "watched.last_watched_date") }} as days_after_contract,
        held_tiers.tier,
        -- Of an account no post of which was ever captured, nobody knows how many there are.
        {% for count in ["posts_about_brand", "months_active", "posts_with_reach", "posts_with_engagements"] %}
            case when watched.account_id is not null then coalesce(praised.{{ count }}, 0) end as {{ count }},
        {% endfor %}
        praised.first_post_date,
        praised.last_post_date,
        praised.reach,
        praised.engagements,
        rates.er_followers_median,
        case when agreed.codes > 0 and landed_orders.orders > 0 then coalesce(sales.orders, 0) end as orders_by_code,
        case
            when agreed.codes > 0 and landed_orders.orders > 0 and coalesce(sales.unvalued_orders, 0) = 0
                then coalesce(sales.net_revenue_base, 0)
        end as net_revenue_by_code_base,
        base.currency as base_currency,
        case
            when watched.last_watched_date > agreed.contract_end_date then coalesce(praised.posts_after_contract, 0)
        end as posts_after_contract,
        base.as_of_date,
        greatest(
            {% for part in ["agreed", "sales", "held_tiers", "rates", "praised"] %}
                coalesce({{ part }}.data_origin, 'observed'),
            {% endfor %}
            claims.data_origin
        ) as origin_of_all
    from claims
    cross join base
    cross join landed_orders
    left join agreed
        on claims.brand = agreed.brand and claims.platform = agreed.platform and claims.account_id = agreed.account_id
    left join sales
        on claims.brand = sales.brand and claims.platform = sales.platform and claims.account_id = sales.account_id
    left join watched on claims.platform = watched.platform and claims.account_id = watched.account_id
    left join held_tiers on claims.platform = held_tiers.platform and claims.account_id = held_tiers.account_id
    left join rates on claims.platform = rates.platform and claims.account_id = rates.account_id
    left join praised
        on claims.shop = praised.shop
        and claims.brand = praised.brand
        and claims.customer_id = praised.customer_id
        and claims.platform = praised.platform
        and claims.account_id = praised.account_id
),

fct_advocate as (
    select
        cast(shop as string) as shop,
        cast(brand as string) as brand,
        cast(customer_id as string) as customer_id,
        cast(platform as string) as platform,
        cast(account_id as string) as account_id,
        cast(relationship as string) as relationship,
        cast(relationship_since as date) as relationship_since,
        cast(is_current as boolean) as is_current,
        cast(consented_at as timestamp) as consented_at,
        cast(customer_since as date) as customer_since,
        cast(advocate_since as date) as advocate_since,
        cast(ambassador_since as date) as ambassador_since,
        cast(is_first_claim as boolean) as is_first_claim,
        cast(partner_type as string) as partner_type,
        cast(collaborations as integer) as collaborations,
        cast(contract_end_date as date) as contract_end_date,
        cast(tier as string) as tier,
        cast(posts_about_brand as integer) as posts_about_brand,
        cast(first_post_date as date) as first_post_date,
        cast(last_post_date as date) as last_post_date,
        cast(months_active as integer) as months_active,
        cast(reach as bigint) as reach,
        cast(posts_with_reach as integer) as posts_with_reach,
        cast(engagements as bigint) as engagements,
        cast(posts_with_engagements as integer) as posts_with_engagements,
        cast(er_followers_median as double) as er_followers_median,
        cast(orders_by_code as decimal(38, 8)) as orders_by_code,
        cast(net_revenue_by_code_base as decimal(38, 6)) as net_revenue_by_code_base,
        cast(base_currency as string) as base_currency,
        cast(posts_after_contract as integer) as posts_after_contract,
        cast(
            case when days_after_contract >= {{ least_days }} then posts_after_contract > 0 end as boolean
        ) as is_still_posting,
        cast(as_of_date as date) as as_of_date,
        cast(origin_of_all as string) as data_origin
    from joined
)

select * from fct_advocate
