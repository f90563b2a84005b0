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
