-- One row per account, capture instant and day of arrival, of the planned days.
with landed as {{ read_again() }} (select * from {{ source("raw", "follower_arrivals") }}),

{% set key = ["platform", "account_id", "captured_at", "arrival_date"] %}
{{ first_of_each("landed", key, "arrival_order desc nulls last") }}

select * from first_of_each
