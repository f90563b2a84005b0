-- One row per earlier release and mart.
select * from {{ source("meta", "publication") }}
