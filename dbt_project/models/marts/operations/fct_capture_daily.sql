-- One row per source, platform and UTC day: what the source was asked for, and what came.
{{ config(materialized="table") }}

{% set reasons = [
    "not_found", "private", "suspended", "not_supported", "throttled", "budget", "unreachable", "auth", "contract"
] %}

with captures as (select * from {{ ref("stg_meta__captures") }}),

context as (select as_of_date from {{ ref("stg_meta__run_context") }}),

-- A day that is not over is not built.
built as (
    select captures.*
    from captures
    inner join context on captures.snapshot_date <= context.as_of_date
),

fct_capture_daily as (
    select
        cast(source as string) as source,
        cast(platform as string) as platform,
        cast(snapshot_date as date) as snapshot_date,
        cast(coalesce(sum(targets) filter (where kind = 'account'), 0) as bigint) as accounts_asked,
        cast(coalesce(sum(targets) filter (where kind = 'account' and outcome = 'received'), 0) as bigint)
            as accounts_received,
        {% for reason in reasons %}
            cast(coalesce(sum(targets) filter (where kind = 'account' and outcome = '{{ reason }}'), 0) as bigint)
                as accounts_{{ reason }},
        {% endfor %}
        cast(coalesce(sum(targets) filter (where kind = 'post'), 0) as bigint) as posts_asked,
        cast(coalesce(sum(targets) filter (where kind = 'post' and outcome = 'received'), 0) as bigint)
            as posts_received,
        cast(max(calls) as bigint) as calls,
        cast(max(units) as bigint) as units,
        cast(max(money) as decimal(18, 6)) as money_spent
    from built
    group by source, platform, snapshot_date
)

select * from fct_capture_daily
