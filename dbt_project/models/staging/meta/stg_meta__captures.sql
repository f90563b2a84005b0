-- One row per source, platform, UTC day, kind of target and outcome.
select * from {{ source("meta", "capture") }}
