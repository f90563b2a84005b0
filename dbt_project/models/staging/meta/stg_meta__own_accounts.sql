-- One row per account that a delivery of the feed `brands` names as a brand's own.
select * from {{ source("meta", "own_account") }}
