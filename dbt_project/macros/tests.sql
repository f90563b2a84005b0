{#- Generic tests under the names and arguments of dbt_utils. -#}

{#- Grain of a table: no two rows share these columns, none of which is null (dbt_utils allows null). -#}
{% test unique_combination_of_columns(model, combination_of_columns) %}
select {{ combination_of_columns | join(", ") }}, count(*) as copies
from {{ model }}
group by all
having
    count(*) > 1
    or {% for column in combination_of_columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}

{#- An identity that holds in every row; a row for which it is false or unknown is a failure (dbt_utils passes unknown). -#}
{% test expression_is_true(model, expression) %}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}
