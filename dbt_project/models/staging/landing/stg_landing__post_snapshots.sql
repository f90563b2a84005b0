-- One row per post, account that shows it and capture instant, of the planned days.
with landed as {{ read_again() }} (select * from {{ source("raw", "post_snapshots") }}),

-- Two files that disagree about one key and instant are both in raw; which one counts must not depend on the order in
-- which they came, so the later `as_of` wins, then the file that was written later.
{% set key = ["platform", "post_id", "account_id", "captured_at"] %}
{{ first_of_each("landed", key, "arrival_order desc nulls last") }}

select * from first_of_each
