-- One row per account and UTC day with a capture: the last capture of that day.
with captures as (select * from {{ ref("stg_landing__account_snapshots") }}),

-- Several captures a day are normal. The last one is the day's value, nulls and all: an earlier count is not
-- carried over a later failure to read it.
int_account__days_observed as (
    select *
    from captures
    where snapshot_date in ({{ planned_dates("int_account__days_observed") }})
    qualify
        row_number() over (
            partition by platform, account_id, snapshot_date order by captured_at desc nulls last
        ) = 1
)

select * from int_account__days_observed
