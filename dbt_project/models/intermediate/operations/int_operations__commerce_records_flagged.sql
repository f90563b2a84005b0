-- One row per record of a commerce feed and thing that is wrong with it: what was done about it, so that totals hold.
-- One model, as each of its selects is a thing that can be wrong: a list, read one by one.
{{ config(materialized="table") }}

with orders as (select * from {{ ref("int_order__orders_valued") }}),

refunds as (select * from {{ ref("int_order__refunds_applied") }}),

spend as (select * from {{ ref("int_spend__spend_dated") }}),

order_codes as (select * from {{ ref("int_order__codes_matched") }}),

collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

campaigns as (select * from {{ ref("int_returns__campaigns_listed") }}),

touches as (select * from {{ ref("int_attribution__touches_resolved") }}),

rules as (select * from {{ ref("int_commission__rules_dated") }}),

commissions as (select * from {{ ref("int_commission__commissions_accrued") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

deliveries as (select * from {{ ref("stg_landing__collaboration_deliveries") }}),

post_authors as (select * from {{ ref("int_snapshot__post_authors") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

credited as (
    select
        collaboration_id,
        sum(credited_orders) as orders
    from {{ ref("int_attribution__revenue_credited") }}
    where model = 'promo_code'
    group by collaboration_id
),

int_operations__commerce_records_flagged as (
    select
        'orders' as feed,
        concat_ws('/', nullif(shop, ''), order_id) as record_id,
        issue,
        case issue
            when 'no rate'
                then 'no ' || currency || ' rate within 5 days before ' || order_date || ': not in base currency'
            else 'no revenue: sums that hold it are unknown'
        end as explanation,
        order_date as record_date,
        data_origin
    from orders
    where issue is not null

    union all

    select
        'orders' as feed,
        concat_ws('/', nullif(shop, ''), order_id) as record_id,
        'not the currency of its shop' as issue,
        'its shop sells in ' || shop_currency || ': counted as ' || currency || ', as it says' as explanation,
        order_date as record_date,
        data_origin
    from orders
    where currency <> shop_currency

    union all

    select
        'orders' as feed,
        concat_ws('/', nullif(shop, ''), order_id) as record_id,
        'renewal without its first order' as issue,
        'credited to (unattributed)' as explanation,
        order_date as record_date,
        data_origin
    from orders
    where first_order_id is null

    union all

    select
        'orders' as feed,
        concat_ws('/', nullif(orders.shop, ''), orders.order_id) as record_id,
        'code of several owners' as issue,
        replace(orders.promo_code, '|', ', ') || ' had ' || order_codes.owners
        || ' owners that day: nobody''s by code, the last click decides'
            as explanation,
        orders.order_date as record_date,
        orders.data_origin
    from order_codes
    inner join orders on {{ same_in_shop("order_codes", "orders", "order_id") }}
    where order_codes.owners > 1

    union all

    select
        'refunds' as feed,
        {{ entry_name("shop", "refund_id", "refund_line_id") }} as record_id,
        issue,
        case issue
            when 'order unknown' then 'takes nothing off until order ' || order_id || ' is landed'
            when 'before its order' then 'counted on the day of its order'
            when 'more than its order' then 'capped at what was left of order ' || order_id
            when 'takes back more than was refunded' then 'counted as nothing refunded on order ' || order_id
            else 'takes nothing off'
        end as explanation,
        applied_date as record_date,
        data_origin
    from refunds
    where issue not in ('order cancelled', 'order withdrawn')

    union all

    select
        'costs' as feed,
        cost_id as record_id,
        'no rate' as issue,
        'no ' || currency || ' rate within 5 days before ' || cost_date || ': spend of its owner is unknown'
            as explanation,
        cost_date as record_date,
        data_origin
    from spend
    where source = 'costs' and fx_rate is null

    union all

    select
        'costs' as feed,
        cost_id as record_id,
        case
            when collaboration_id is not null then 'collaboration unknown'
            else 'names neither collaboration nor campaign'
        end as issue,
        'counted as a cost of campaign ' || coalesce(campaign_id, '(always-on)') as explanation,
        cost_date as record_date,
        data_origin
    from spend
    where source = 'costs' and not is_of_collaboration and (collaboration_id is not null or campaign_id is null)

    union all

    -- A payout that says for how many orders it is, against the orders that its collaboration's code brought.
    select
        'costs' as feed,
        spend.cost_id as record_id,
        'payout contradicts tracked orders' as issue,
        'it is for ' || spend.claimed_orders || ' orders, tracked are ' || cast(coalesce(credited.orders, 0) as bigint)
        || ': counted as delivered' as explanation,
        spend.cost_date as record_date,
        spend.data_origin
    from spend
    left join credited on spend.collaboration_id = credited.collaboration_id
    where
        spend.source = 'costs'
        and spend.is_of_collaboration
        and spend.claimed_orders <> coalesce(credited.orders, 0)

    union all

    select
        'collaborations' as feed,
        collaboration_id as record_id,
        'campaign unknown' as issue,
        'campaign ' || campaign_id || ' is not landed: shown under its id alone' as explanation,
        start_date as record_date,
        data_origin
    from collaborations
    where is_campaign_unknown

    union all

    select
        'collaborations' as feed,
        collaboration_id as record_id,
        'ends before it starts' as issue,
        'its promo code is valid on no day' as explanation,
        start_date as record_date,
        data_origin
    from collaborations
    where is_reversed

    union all

    select
        'collaborations' as feed,
        collaboration_id || ' from ' || valid_from as record_id,
        'terms_changed_undated' as issue,
        'other terms of pay came without valid_from: they hold from the day of their file' as explanation,
        valid_from as record_date,
        data_origin
    from versions
    where is_undated

    union all

    select
        'collaborations' as feed,
        deliveries.collaboration_id || ' from ' || deliveries.valid_from as record_id,
        'version_before_start' as issue,
        'valid_from lies before its start of ' || collaborations.start_date || ': its terms hold from the start'
            as explanation,
        deliveries.valid_from as record_date,
        max(deliveries.data_origin) as data_origin
    from deliveries
    inner join collaborations on deliveries.collaboration_id = collaborations.collaboration_id
    where deliveries.valid_from < collaborations.start_date
    group by deliveries.collaboration_id, deliveries.valid_from, collaborations.start_date

    union all

    select
        'campaigns' as feed,
        campaign_id as record_id,
        'ends before it starts' as issue,
        'its costs and its collaborations count as they are' as explanation,
        start_date as record_date,
        data_origin
    from campaigns
    where end_date < start_date

    union all

    select
        'touches' as feed,
        concat_ws('/', nullif(touches.shop, ''), touches.touch_id) as record_id,
        'years old' as issue,
        'no window reaches it: no credit' as explanation,
        cast(touches.touched_at as date) as record_date,
        touches.data_origin
    from touches
    cross join base
    where {{ days_between("cast(touches.touched_at as date)", "base.as_of_date") }} > 730 and touches.window_days < 730

    union all

    select
        'commission_rules' as feed,
        rule_id || ' from ' || first_day as record_id,
        'rate_changed_undated' as issue,
        'another rate under valid_from ' || valid_from || ' holds from the day of its file, not before'
            as explanation,
        first_day as record_date,
        'observed' as data_origin
    from rules
    where is_rate_changed

    union all

    select
        'commission_rules' as feed,
        rules.rule_id || ' from ' || rules.first_day as record_id,
        'first_x without its number' as issue,
        'only first orders earn' as explanation,
        rules.first_day as record_date,
        'observed' as data_origin
    from rules
    where rules.applies_to = 'first_x' and rules.first_x is null

    union all

    select
        'commission_rules' as feed,
        commissions.rule_id || ' for ' || {{ entry_name("commissions.shop", "commissions.order_id", "'#1'") }}
            as record_id,
        'no rate' as issue,
        'no ' || commissions.currency || ' rate within 5 days before ' || commissions.entry_date
        || ': spend of its owner is unknown' as explanation,
        commissions.entry_date as record_date,
        commissions.data_origin
    from commissions
    inner join orders
        on {{ same_in_shop("commissions", "orders", "order_id") }} and orders.fx_rate is not null
    where commissions.entry_type = 'accrual' and commissions.fx_rate is null

    {% for feed, relation, key in [
        ("collaborations", ref("stg_landing__collaborations"), "collaboration_id"),
        ("campaigns", ref("stg_landing__campaigns"), "campaign_id"),
        ("commission_rules", ref("stg_landing__commission_rules"), "rule_id"),
    ] %}
        union all

        select
            '{{ feed }}' as feed,
            max({{ key }}) as record_id,
            'key_differs_only_in_case' as issue,
            'it is another than ' || min({{ key }}) || ': ids are compared exactly' as explanation,
            cast(null as date) as record_date,
            max(data_origin) as data_origin
        from {{ relation }}
        group by lower({{ key }})
        having min({{ key }}) <> max({{ key }})
    {% endfor %}

    union all

    select
        'post_snapshots' as feed,
        platform || '/' || post_id as record_id,
        'several authors named' as issue,
        'captures name ' || named_authors || ' as its author: it belongs to ' || author_account_id
        || ', who was named first' as explanation,
        snapshot_date as record_date,
        data_origin
    from post_authors
    where is_disputed
    qualify row_number() over (partition by platform, post_id order by snapshot_date desc) = 1
)

select * from int_operations__commerce_records_flagged
