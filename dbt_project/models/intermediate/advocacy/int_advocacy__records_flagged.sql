-- One row per record of the feed `customer_accounts` and thing that is wrong with it, and what was done about it.
{{ config(materialized="table") }}

{% set span = "concat_ws('/', nullif(dated.shop, ''), dated.customer_id) || ', ' || dated.brand || ', '"
    ~ " || dated.platform || ':' || dated.account_id" %}

with dated as (select * from {{ ref("int_advocacy__relationships_dated") }}),

brands as (select * from {{ ref("stg_landing__brands") }}),

account_days as (select * from {{ ref("int_snapshot__account_days_deduplicated") }}),

watched as (select * from {{ ref("int_advocacy__accounts_watched") }}),

claims as (
    select
        {{ span }} as record_id,
        dated.shop,
        dated.customer_id,
        dated.brand,
        dated.platform,
        dated.account_id,
        min(dated.valid_from) as first_day,
        max(dated.data_origin) as data_origin
    from dated
    group by dated.shop, dated.customer_id, dated.brand, dated.platform, dated.account_id
),

ranked as (
    select
        *,
        count(*) over (partition by brand, platform, account_id) as customers
    from claims
),

captured as (
    select
        platform,
        account_id
    from watched
    union
    select distinct
        account_days.platform,
        account_days.account_id
    from account_days
    inner join claims on account_days.platform = claims.platform and account_days.account_id = claims.account_id
),

int_advocacy__records_flagged as (
    select
        'customer_accounts' as feed,
        {{ span }} || ' from ' || dated.valid_from as record_id,
        'ends before it starts' as issue,
        'counted as ended on its first day' as explanation,
        dated.valid_from as record_date,
        dated.data_origin
    from dated
    where dated.is_reversed

    union all

    select
        'customer_accounts' as feed,
        {{ span }} || ' from ' || dated.valid_from as record_id,
        'overlaps the next relationship' as issue,
        'ended where the next one begins, on ' || dated.next_from as explanation,
        dated.valid_from as record_date,
        dated.data_origin
    from dated
    where dated.is_overlapping

    union all

    select
        'customer_accounts' as feed,
        ranked.record_id,
        'account never captured' as issue,
        'shown without posts, tier and engagement: these are unknown' as explanation,
        ranked.first_day as record_date,
        ranked.data_origin
    from ranked
    left join captured on ranked.platform = captured.platform and ranked.account_id = captured.account_id
    where captured.account_id is null

    union all

    select
        'customer_accounts' as feed,
        record_id,
        'account of several customers' as issue,
        customers || ' customers claim it: each is shown, totals count the account once, for who came first'
            as explanation,
        first_day as record_date,
        data_origin
    from ranked
    where customers > 1

    union all

    select
        'customer_accounts' as feed,
        ranked.record_id,
        'brand unknown' as issue,
        'not in the feed brands: only posts that its collaborations name are counted' as explanation,
        ranked.first_day as record_date,
        ranked.data_origin
    from ranked
    left join brands on ranked.brand = brands.brand
    where brands.brand is null
)

select * from int_advocacy__records_flagged
