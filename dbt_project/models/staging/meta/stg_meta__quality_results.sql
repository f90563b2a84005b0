-- One row per run, suite and expectation.
select * from {{ source("meta", "quality_result") }}
