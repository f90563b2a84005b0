-- One row per sha-256 of a landed file.
select * from {{ source("meta", "landed_file") }}
