-- One row per setting that a model reads.
select * from {{ source("meta", "setting") }}
