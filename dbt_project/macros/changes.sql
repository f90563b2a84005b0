{#- Last known value of a count before this row, and the day it was known. Rows with a null count form a partition of
    their own, so a null is stepped over without `ignore nulls`, which the engines spell differently. -#}
{% macro last_known(count, value) -%}
    case
        when {{ count }} is not null
            then lag({{ value }}) over (
                partition by platform, account_id, ({{ count }} is null) order by snapshot_date
            )
    end
{%- endmacro %}

{#- Change of a count per elapsed day since it was last known; null beyond the look-back or where either is unknown. -#}
{% macro change_per_day(count) -%}
    cast(
        ({{ count }} - {{ count }}_before) / nullif(cast({{ count }}_gap as double), 0) as double
    )
{%- endmacro %}
