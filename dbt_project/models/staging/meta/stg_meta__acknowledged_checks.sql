-- One row per check, date and subject that a person acknowledged: that it failed, and that its data are right.
select * from {{ source("meta", "acknowledged_checks") }}
