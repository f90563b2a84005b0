{#- Grain of a table: no two rows share these columns, none of which is null. -#}
{% test unique_key(model, columns) %}
select {{ columns | join(", ") }}, count(*) as copies
from {{ model }}
group by all
having count(*) > 1 or {% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %}
{% endtest %}

{#- An identity that holds in every row; a row for which it is false or unknown is a failure. -#}
{% test holds(model, expression) %}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}
