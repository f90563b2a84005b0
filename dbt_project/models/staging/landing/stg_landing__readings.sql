-- One row per reading of a row that can be gone: its key, amount and day, and the delivery that it came with.
{#- Feed, shop, key and line of a row, its amount, its currency and its day. What has no day is spoken of whole. -#}
{% set empty = "cast('' as string)" %}
{% set no_amount = ["cast(null as decimal(18, 4))", "cast(null as string)", "cast(null as date)"] %}
{% set able = [
    ["orders", "coalesce(shop, '')", "order_id", empty, "gross_amount", "currency", "snapshot_date"],
    ["refunds", "coalesce(shop, '')", "refund_id", "coalesce(refund_line_id, '')", "amount", "currency", "snapshot_date"],
    ["costs", empty, "cost_id", empty, "amount", "currency", "snapshot_date"],
    ["campaigns", empty, "campaign_id", empty] + no_amount,
    ["collaborations", empty, "collaboration_id", empty] + no_amount,
    ["commission_rules", empty, "concat_ws('/', rule_id, valid_from)", empty] + no_amount,
    ["accounts", empty, "concat_ws('/', platform, account_id)", empty] + no_amount,
    ["rate_cards", empty, "concat_ws('/', platform, account_id, content_type, valid_from)", empty] + no_amount,
] %}

with stg_landing__readings as (
    {% for feed, shop, record, line, amount, currency, day in able %}
        select
            '{{ feed }}' as feed,
            {{ shop }} as shop,
            {{ record }} as record_id,
            {{ line }} as line_id,
            cast({{ amount }} as decimal(24, 6)) as amount,
            {{ currency }} as currency,
            {{ day }} as row_date,
            mapping,
            scope,
            arrival_order,
            data_origin
        from {{ source("raw", feed) }}
        {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from stg_landing__readings
