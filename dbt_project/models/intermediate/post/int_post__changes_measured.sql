-- One row per post and planned day: its counts beside the ones last known before, at most 35 days back.
{{ config(materialized="view") }}

{% set look_back_days = 35 %}
{% set in_order = "(partition by platform, post_id, account_id order by snapshot_date)" %}

with days as (select * from {{ ref("int_post__days_observed") }}),

definitions as (select * from {{ ref("metric_definitions") }}),

planned as (
    {{ planned_dates("fct_post_daily") }}
),

reach as (
    select
        {{ add_days("min(snapshot_date)", -look_back_days) }} as first_day,
        max(snapshot_date) as last_day
    from planned
),

observed as (
    select
        days.platform,
        days.post_id,
        days.account_id,
        days.content_type,
        days.captured_at,
        {% for count in post_counts() %}
            days.{{ count }},
        {% endfor %}
        days.snapshot_date
    from days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
),

last_known as (
    select
        *,
        {% for count in post_counts() %}
            {{ last_value_before(count, in_order) }} as {{ count }}_before,
            {{ last_value_before("case when " ~ count ~ " is not null then captured_at end", in_order) }}
                as {{ count }}_known_at,
        {% endfor %}
        lag(captured_at) over {{ in_order }} as captured_before
    from observed
),

-- Few posts ever change their account, so the others are spared a second ordering.
moved as (
    select
        platform,
        post_id
    from observed
    group by platform, post_id
    having min(account_id) <> max(account_id)
),

owners as (
    select
        observed.platform,
        observed.post_id,
        observed.snapshot_date,
        observed.account_id,
        lag(observed.account_id) over by_day as account_before,
        lag(observed.snapshot_date) over by_day as date_before
    from observed
    inner join moved on observed.platform = moved.platform and observed.post_id = moved.post_id
    window by_day as (partition by observed.platform, observed.post_id order by observed.snapshot_date)
),

-- The last redefinition of a count up to a day. Of a post whose kind is unknown any kind's counts, for it may be one.
kinds as (
    select distinct
        platform,
        content_type,
        snapshot_date
    from last_known
    where snapshot_date in (select planned.snapshot_date from planned)
),

redefined as (
    select
        kinds.platform,
        kinds.content_type,
        {% for count in post_counts() %}
            max(definitions.valid_from) filter (where definitions.metric = '{{ count }}') as {{ count }}_redefined_on,
        {% endfor %}
        kinds.snapshot_date
    from kinds
    inner join definitions
        on kinds.platform = definitions.platform
        and kinds.snapshot_date >= definitions.valid_from
        and (definitions.content_type in ('*', kinds.content_type) or kinds.content_type is null)
    group by kinds.platform, kinds.content_type, kinds.snapshot_date
),

measured as (
    select
        last_known.*,
        {% for count in post_counts() %}
            redefined.{{ count }}_redefined_on,
        {% endfor %}
        {{ add_days("last_known.snapshot_date", -look_back_days) }} as first_day,
        coalesce(
            owners.account_before <> owners.account_id
            and {{ days_between("owners.date_before", "owners.snapshot_date") }} <= {{ look_back_days }},
            false
        ) as has_changed_account
    from last_known
    left join redefined
        on last_known.platform = redefined.platform
        and last_known.content_type is not distinct from redefined.content_type
        and last_known.snapshot_date = redefined.snapshot_date
    left join owners
        on last_known.platform = owners.platform
        and last_known.post_id = owners.post_id
        and last_known.snapshot_date = owners.snapshot_date
    where last_known.snapshot_date in (select planned.snapshot_date from planned)
),

int_post__changes_measured as (
    select
        platform,
        post_id,
        has_changed_account,
        case when not has_changed_account and captured_before >= first_day then captured_before end as captured_before,
        {% for count in post_counts() %}
            case when {{ is_comparable(count) }} then {{ count }} - {{ count }}_before end as {{ count }}_change,
            case when {{ is_comparable(count) }} then {{ micros_between(count ~ "_known_at", "captured_at") }} end
                as {{ count }}_micros,
        {% endfor %}
        snapshot_date
    from measured
)

select * from int_post__changes_measured
