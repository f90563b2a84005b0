-- One row per post and account of a collaboration that it is linked to.
select * from {{ source("meta", "linked_account") }}
