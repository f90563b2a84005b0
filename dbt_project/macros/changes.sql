{#- Last known value of an expression on the rows of the account before this one. -#}
{% macro last_known_before(value) -%}
    {{ last_value_before(value, "(partition by platform, account_id order by snapshot_date)") }}
{%- endmacro %}

{#- A value that belongs to the last known count: null where the count is unknown today, or was defined anew since. -#}
{% macro unless_redefined(count, value) -%}
    case
        when {{ count }} is not null and ({{ count }}_since is null or {{ count }}_known_on >= {{ count }}_since)
            then {{ value }}
    end
{%- endmacro %}

{#- Days since the count was last known; null beyond the look-back. -#}
{% macro gap_within(count, look_back_days) -%}
    case
        when {{ days_between(count ~ "_known_on", "snapshot_date") }} <= {{ look_back_days }}
            then {{ unless_redefined(count, days_between(count ~ "_known_on", "snapshot_date")) }}
    end
{%- endmacro %}

{#- Change of a count per elapsed day since it was last known; null beyond the look-back or where either is unknown. -#}
{% macro change_per_day(count) -%}
    cast(
        ({{ count }} - {{ count }}_before) / nullif(cast({{ count }}_gap as double), 0) as double
    )
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
{% macro forget_checkpoints(keep) -%}
    delete from {{ this }}
    where snapshot_date < (select {{ add_days("max(newest.snapshot_date)", -keep) }} from {{ this }} as newest)
{%- endmacro %}
