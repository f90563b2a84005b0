{#- A column of the row before this one on which the same count was known, under the same definition of the count. Rows
    with a null count form a partition of their own, so a null is stepped over without `ignore nulls`, which the engines
    spell differently. -#}
{% macro last_known(count, value) -%}
    case
        when observed.{{ count }} is not null
            then lag(observed.{{ value }}) over (
                partition by observed.platform, observed.account_id, (observed.{{ count }} is null), eras.{{ count }}_era
                order by observed.snapshot_date
            )
    end
{%- endmacro %}

{#- Change of a count per elapsed day since it was last known; null beyond the look-back or where either is unknown. -#}
{% macro change_per_day(count) -%}
    cast(
        ({{ count }} - {{ count }}_before) / nullif(cast({{ count }}_gap as double), 0) as double
    )
{%- endmacro %}
