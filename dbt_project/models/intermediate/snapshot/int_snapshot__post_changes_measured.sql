-- One row per post and planned day: its counts beside the ones last known before, at most 35 days back.
-- One model: counts and owners are told from the same observed and carried rows, which are read once.
{{ config(materialized="view") }}

{% set look_back_days = 35 %}
{% set in_order = "(partition by platform, post_id, account_id order by snapshot_date)" %}
{% set post_hash = key_hash(["platform", "post_id"]) %}

with days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

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

-- What was known of each post before the first planned day, where a checkpoint tells; then only the days after it are
-- read, and else those of the look-back.
carried as (
    {{ newest_checkpoint(ref("int_snapshot__post_last_known_values")) }}
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
        days.snapshot_date,
        {{ post_hash }} as post_hash
    from days
    inner join reach on days.snapshot_date between reach.first_day and reach.last_day
    where days.snapshot_date > {{ checkpoint_day() }}
),

-- Of a usual night each post has one row, and only what is carried stands before it: the others alone are put in order.
repeated as {{ made_first() }} (
    select post_hash
    from observed
    group by post_hash
    having count(*) > 1
),

within as (
    select
        *,
        {% for count in post_counts() %}
            {{ last_value_before(count, in_order) }} as {{ count }}_before,
            {{ last_value_before("case when " ~ count ~ " is not null then captured_at end", in_order) }}
                as {{ count }}_known_at,
        {% endfor %}
        lag(captured_at) over {{ in_order }} as captured_before
    from observed
    where post_hash in (select repeated.post_hash from repeated)
    union all
    select
        *,
        {% for count in post_counts() %}
            null as {{ count }}_before,
            null as {{ count }}_known_at,
        {% endfor %}
        null as captured_before
    from observed
    where post_hash not in (select repeated.post_hash from repeated)
),

last_known as (
    select
        within.platform,
        within.post_id,
        within.account_id,
        within.content_type,
        within.captured_at,
        {% for count in post_counts() %}
            within.{{ count }},
            coalesce(within.{{ count }}_before, carried.{{ count }}) as {{ count }}_before,
            coalesce(within.{{ count }}_known_at, carried.{{ count }}_known_at) as {{ count }}_known_at,
        {% endfor %}
        coalesce(within.captured_before, carried.captured_at) as captured_before,
        within.snapshot_date
    from within
    left join carried
        on within.platform = carried.platform
        and within.post_id = carried.post_id
        and within.account_id = carried.account_id
    where within.snapshot_date in (select planned.snapshot_date from planned)
),

owned as (
    select
        platform,
        post_id,
        account_id,
        snapshot_date,
        post_hash
    from observed
    union all
    select
        platform,
        post_id,
        account_id,
        last_seen_date as snapshot_date,
        {{ post_hash }} as post_hash
    from carried
),

-- Few posts ever change their account, so the others are spared a second ordering.
moved as {{ made_first() }} (
    select post_hash
    from owned
    group by post_hash
    having min({{ key_hash(["account_id"]) }}) <> max({{ key_hash(["account_id"]) }})
),

owners as (
    select
        platform,
        post_id,
        snapshot_date,
        account_id,
        lag(account_id) over by_day as account_before,
        lag(snapshot_date) over by_day as date_before
    from owned
    where post_hash in (select moved.post_hash from moved)
    window by_day as (partition by platform, post_id order by snapshot_date)
),

-- The last redefinition of a count up to a day. Of a post whose kind is unknown any kind's counts, for it may be one.
kinds as (
    select distinct
        platform,
        content_type,
        snapshot_date
    from observed
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
),

int_snapshot__post_changes_measured as (
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

select * from int_snapshot__post_changes_measured
