-- One row per run that builds: there is one.
select * from {{ source("meta", "run") }}
