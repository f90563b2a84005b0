{#- Last known value of an expression on the rows of the account before this one. -#}
{% macro last_known_before(value) -%}
    {{ last_value_before(value, "(partition by platform, account_id order by snapshot_date)") }}
{%- endmacro %}

{#- A value that belongs to the last known count: null where the count is unknown today, or was defined anew since. -#}
{% macro unless_redefined(count, value) -%}
    case
        when {{ count }} is not null and ({{ count }}_since is null or {{ count }}_known_at >= {{ count }}_since)
            then {{ value }}
    end
{%- endmacro %}

{#- UTC days since the day on which a count was last known. -#}
{% macro days_since_known(count) -%}
    {{ days_between("cast(" ~ count ~ "_known_at as date)", "snapshot_date") }}
{%- endmacro %}

{#- Time between the capture that last read a count and this one. -#}
{% macro micros_since_known(count) -%} {{ micros_between(count ~ "_known_at", "captured_at") }} {%- endmacro %}

{#- A value that belongs to the last known count, where that is at most so many days old. -#}
{% macro within_days(count, value, days) -%}
    case when {{ days_since_known(count) }} <= {{ days }} then {{ unless_redefined(count, value) }} end
{%- endmacro %}

{#- What is known of a count before a row of `last_known`; where that is too close to tell a pace, what `known_earlier`
    says. -#}
{% macro known_in_time(count, value) -%}
    case
        when
            {{ micros_between("last_known." ~ count ~ "_known_at", "last_known.captured_at") }}
            < {{ least_hours_apart() * 3600000000 }}
            then known_earlier.{{ count }}_{{ value }}
        else last_known.{{ count }}_{{ value }}
    end
{%- endmacro %}

{#- Hours between two captures under which they tell no pace. -#}
{% macro least_hours_apart() -%} {{ return(12) }} {%- endmacro %}

{#- Change of a count per elapsed day since it was last known; null beyond the look-back or where either is unknown. It is
    multiplied first, as a decimal, so that a whole day gives a whole number. -#}
{% macro change_per_day(count) -%}
    cast(cast({{ count }} - {{ count }}_before as decimal(38, 0)) * 86400000000 as double)
    / nullif({{ count }}_micros, 0)
{%- endmacro %}

{#- Rows of the newest checkpoint before the first day of a CTE `planned`. -#}
{% macro newest_checkpoint(checkpoints) -%}
    select *
    from {{ checkpoints }}
    where
        snapshot_date = (
            select max(earlier.snapshot_date)
            from {{ checkpoints }} as earlier
            where earlier.snapshot_date < (select min(planned.snapshot_date) from planned)
        )
{%- endmacro %}

{#- Day of the checkpoint in a CTE `carried`, after which the days are read; before all days where it is empty. -#}
{% macro checkpoint_day() -%}
    (select coalesce(max(carried.snapshot_date), date '0001-01-01') from carried)
{%- endmacro %}

{#- Statement that forgets checkpoints which are so many days older than the newest; a run that must go back further
    reads the days themselves. -#}
{% macro forget_checkpoints(keep) -%} {{ return(adapter.dispatch("forget_checkpoints")(keep)) }} {%- endmacro %}

{% macro duckdb__forget_checkpoints(keep) -%}
    delete from {{ this }}
    where snapshot_date < (select {{ add_days("max(newest.snapshot_date)", -keep) }} from {{ this }} as newest)
{%- endmacro %}

{#- Of Spark the parts go, a checkpoint being one; nothing is left to run afterwards. -#}
{% macro spark__forget_checkpoints(keep) -%}
    {%- if execute -%}
        {%- set days = [] -%}
        {%- for row in run_query("show partitions " ~ this).columns[0].values() -%}
            {%- do days.append(modules.datetime.date.fromisoformat(row.split("=")[1])) -%}
        {%- endfor -%}
        {%- set dropped = [] -%}
        {%- for day in days if (days | max - day).days > keep -%}
            {%- do dropped.append("partition (snapshot_date = date '" ~ day ~ "')") -%}
        {%- endfor -%}
        {%- if dropped -%} {%- do run_query("alter table " ~ this ~ " drop if exists " ~ dropped | join(", ")) -%} {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Rows of checkpoints of posts from which a run goes on: on DuckDB all before the first day of a CTE `planned`, since a
    checkpoint there holds those posts alone that were captured since the one before it. -#}
{% macro checkpoints_before(checkpoints) -%} {{ return(adapter.dispatch("checkpoints_before")(checkpoints)) }} {%- endmacro %}

{% macro duckdb__checkpoints_before(checkpoints) -%}
    select standing.*
    from {{ checkpoints }} as standing
    where standing.snapshot_date < (select min(planned.snapshot_date) from planned)
{%- endmacro %}

{% macro spark__checkpoints_before(checkpoints) -%} {{ newest_checkpoint(checkpoints) }} {%- endmacro %}

{#- CTEs up to one of the given name: of each post the newest row of a CTE of checkpoints. Nearly all have it in the last
    checkpoint, so only the others are looked for before it.
    posts: a CTE with the posts that are asked for; on Spark, where each checkpoint holds all posts, all are given. -#}
{% macro newest_of_each_post(name, checkpoints, posts=none) -%}
    {{ return(adapter.dispatch("newest_of_each_post")(name, checkpoints, posts)) }}
{%- endmacro %}

{% macro duckdb__newest_of_each_post(name, checkpoints, posts) -%}
{%- set asked = "semi join " ~ posts ~ " as asked on standing.platform = asked.platform and standing.post_id = asked.post_id"
    if posts else "" -%}
{{ name }}_at_last as (
    select standing.*
    from {{ checkpoints }} as standing
    {{ asked }}
    where standing.snapshot_date = (select max(newest.snapshot_date) from {{ checkpoints }} as newest)
),

{{ name }}_before as (
    select standing.*
    from {{ checkpoints }} as standing
    {{ asked }}
    anti join {{ name }}_at_last as found on standing.platform = found.platform and standing.post_id = found.post_id
    qualify row_number() over (partition by standing.platform, standing.post_id order by standing.snapshot_date desc) = 1
),

{{ name }} as (
    select * from {{ name }}_at_last
    union all
    select * from {{ name }}_before
)
{%- endmacro %}

{% macro spark__newest_of_each_post(name, checkpoints, posts) -%}
{{ name }} as (
    select *
    from {{ checkpoints }}
    where snapshot_date = (select max(newest.snapshot_date) from {{ checkpoints }} as newest)
)
{%- endmacro %}

{#- Statement that forgets rows of checkpoints of posts, and leaves what was known at any time of the last so many days: the
    first checkpoint holds all posts, and moves on once it is twice as old. A run that must go back further finds none, and
    reads the days themselves. -#}
{% macro forget_posts_before(keep) -%} {{ return(adapter.dispatch("forget_posts_before")(keep)) }} {%- endmacro %}

{% macro duckdb__forget_posts_before(keep) -%}
    create or replace temporary table first_checkpoint as
    select max(standing.snapshot_date) as snapshot_date
    from {{ this }} as standing
    where
        standing.snapshot_date <= (select {{ add_days("max(newest.snapshot_date)", -keep) }} from {{ this }} as newest)
        and exists (
            select 1
            from {{ this }} as earliest
            where earliest.snapshot_date < (
                select {{ add_days("max(newest.snapshot_date)", -2 * keep) }} from {{ this }} as newest
            )
        );
    delete from {{ this }} as older
    using {{ this }} as newer, first_checkpoint as first
    where
        older.platform = newer.platform
        and older.post_id = newer.post_id
        and older.snapshot_date < newer.snapshot_date
        and newer.snapshot_date <= first.snapshot_date;
    update {{ this }} set snapshot_date = first.snapshot_date
    from first_checkpoint as first
    where {{ this.identifier }}.snapshot_date < first.snapshot_date;
    drop table first_checkpoint
{%- endmacro %}

{% macro spark__forget_posts_before(keep) -%} {{ forget_checkpoints(keep) }} {%- endmacro %}
