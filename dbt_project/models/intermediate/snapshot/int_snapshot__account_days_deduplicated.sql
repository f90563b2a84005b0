-- One row per account and UTC day with a capture: the last capture of that day.
with captures as (select * from {{ ref("stg_landing__account_snapshots") }}),

-- Several captures a day are normal. The last one is the day's value, nulls and all: an earlier count is not
-- carried over a later failure to read it.
planned as (
    select *
    from captures
    where snapshot_date in ({{ planned_dates("int_snapshot__account_days_deduplicated") }})
),

{{ first_of_each("planned", ["platform", "account_id", "snapshot_date"], "captured_at desc nulls last") }}

select * from first_of_each
