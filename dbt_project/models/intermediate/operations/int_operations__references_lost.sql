-- One row per reference that leads nowhere, by feed and record; of codes, links and touches by day, as they are many.
-- One model, as each of its selects is a place where a reference stands: a list, read one by one.
{{ config(materialized="table") }}

{#- Feed, kind, relation, reference, record, day, and what it means; none where another list says so. -#}
{% set collaborations, costs = ref("stg_landing__collaborations"), ref("stg_landing__costs") %}
{% set places = [
    ("collaborations", "rule", ref("stg_landing__collaboration_deliveries"), "case when is_latest then rule_id end",
        "collaboration_id", "start_date", "no commission accrues by it"),
    ("collaborations", "account", collaborations, account_key(), "collaboration_id", "start_date",
        "it has no followers and no tier"),
    ("rate_cards", "account", ref("stg_landing__rate_cards"), account_key(),
        "concat_ws(' ', platform, account_id, content_type, valid_from)", "valid_from", "no account has its price"),
    ("collaborations", "campaign", collaborations, "campaign_id", "collaboration_id", "start_date", none),
    ("collaboration_posts", "collaboration", ref("stg_landing__collaboration_posts"), "collaboration_id",
        "concat_ws(' ', collaboration_id, platform, post_id)", "cast(null as date)", "the post is of no collaboration"),
    ("costs", "campaign", costs, "campaign_id", "cost_id", "cost_date", "shown under its id alone"),
    ("costs", "collaboration", costs, "collaboration_id", "cost_id", "cost_date", none),
    ("refunds", "order", ref("stg_landing__refunds"), entry_name("shop", "order_id", "'#1'"),
        entry_name("shop", "refund_id", "refund_line_id"), "cast(refunded_at as date)", none),
    ("contest_entries", "campaign", ref("stg_landing__contest_entries"), "campaign_id", "entry_id",
        "cast(entered_at as date)", none),
    ("live_sessions", "campaign", ref("stg_landing__live_sessions"), "campaign_id", "live_session_id",
        "cast(started_at as date)", none),
    ("orders", "live session", ref("stg_landing__orders"), "live_session_id",
        entry_name("shop", "order_id", "'#1'"), "order_date", none),
] %}

with orders as (
    select * from {{ ref("int_order__orders_valued") }}
    where renewal_number = 0
),

touches as (select * from {{ ref("stg_landing__touches") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

known as (select * from {{ ref("int_operations__references_known") }}),

-- Where nothing of a platform is captured its accounts cannot be known.
captured as (
    select distinct split_part(reference, ' ', 1) as platform
    from known
    where kind = 'account'
),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

house as (
    select distinct {{ words_of(normal_codes("code")) }} as reference
    from {{ source("meta", "config_house_codes") }}
),

-- Codes that nobody owned on the day, with what was sold under them.
order_codes as (
    select
        used.promo_code as reference,
        used.order_date as record_date,
        sum(orders.order_count) as orders,
        case when count(orders.net_revenue_base) = count(*) then sum(orders.net_revenue_base) end as amount,
        max(orders.data_origin) as data_origin
    from {{ ref("int_order__codes_used") }} as used
    inner join orders on {{ same_in_shop("used", "orders", "order_id") }}
    where used.collaboration_id is null
    group by used.promo_code, used.order_date
),

touch_codes as (
    select
        {{ words_of("promo_code") }} as reference,
        cast(touched_at as date) as record_date,
        data_origin
    from touches
    where promo_code is not null
),

clicked as (
    select
        'link_clicks' as feed,
        'link' as kind,
        link_id as reference,
        cast(clicked_at as date) as record_date,
        data_origin
    from {{ ref("stg_landing__link_clicks") }}

    {% for kind, column in {
        "link": "link_id", "collaboration": "collaboration_id", "campaign": "campaign_id",
        "live session": "live_session_id",
    }.items() %}
        union all

        select
            'touches' as feed,
            '{{ kind }}' as kind,
            {{ column }} as reference,
            cast(touched_at as date) as record_date,
            data_origin
        from touches
        where {{ column }} is not null
    {% endfor %}
),

by_day as (
    select
        clicked.feed,
        clicked.kind,
        clicked.reference,
        clicked.record_date,
        count(*) as records,
        max(clicked.data_origin) as data_origin
    from clicked
    left join known on clicked.kind = known.kind and clicked.reference = known.reference
    where known.reference is null
    group by clicked.feed, clicked.kind, clicked.reference, clicked.record_date

    union all

    select
        'touches' as feed,
        'code' as kind,
        touch_codes.reference,
        touch_codes.record_date,
        count(*) as records,
        max(touch_codes.data_origin) as data_origin
    from touch_codes
    left join codes
        on touch_codes.reference = codes.promo_code
        and touch_codes.record_date >= codes.first_day
        and (codes.last_day is null or touch_codes.record_date <= codes.last_day)
    where codes.promo_code is null
    group by touch_codes.reference, touch_codes.record_date
),

-- Where a reference stands, and what it means that it leads nowhere; null where another list says so.
by_record as (
    {% for feed, kind, relation, reference, record, day, effect in places %}
        select
            '{{ feed }}' as feed,
            '{{ kind }}' as kind,
            {{ reference }} as reference,
            {{ record }} as record_id,
            {{ "'" ~ effect ~ "'" if effect else "cast(null as string)" }} as effect,
            {{ day }} as record_date,
            data_origin
        from {{ relation }}
        where {{ reference }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_operations__references_lost as (
    select
        'orders' as feed,
        'code' as kind,
        order_codes.reference,
        order_codes.reference || ' on ' || order_codes.record_date as record_id,
        order_codes.orders || ' orders without an owner by it, net '
        || coalesce(cast(cast(order_codes.amount as decimal(38, 2)) as string) || ' ' || base.currency, 'unknown')
            as effect,
        order_codes.record_date,
        order_codes.orders,
        order_codes.amount,
        order_codes.data_origin
    from order_codes
    cross join base
    left join house on order_codes.reference = house.reference
    where house.reference is null

    union all

    select
        by_day.feed,
        by_day.kind,
        by_day.reference,
        by_day.reference || ' on ' || by_day.record_date as record_id,
        by_day.records
        || case when by_day.feed = 'touches' then ' touches lead back to nobody by it' else ' clicks are nobody''s' end
            as effect,
        by_day.record_date,
        cast(null as decimal(38, 0)) as orders,
        cast(null as decimal(38, 6)) as amount,
        by_day.data_origin
    from by_day
    left join house on by_day.kind = 'code' and by_day.reference = house.reference
    where house.reference is null

    union all

    select
        by_record.feed,
        by_record.kind,
        by_record.reference,
        by_record.record_id,
        by_record.effect,
        by_record.record_date,
        cast(null as decimal(38, 0)) as orders,
        cast(null as decimal(38, 6)) as amount,
        by_record.data_origin
    from by_record
    left join known on by_record.kind = known.kind and by_record.reference = known.reference
    left join captured on by_record.kind = 'account' and split_part(by_record.reference, ' ', 1) = captured.platform
    where known.reference is null and (by_record.kind <> 'account' or captured.platform is not null)
)

select * from int_operations__references_lost
