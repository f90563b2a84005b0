-- One row per coming of the bytes of a batch that counts.
select * from {{ source("meta", "arrival") }}
