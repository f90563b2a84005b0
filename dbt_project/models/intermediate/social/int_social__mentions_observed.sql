-- One row per mention, on the day that its latest file says.
with mentions as (select * from {{ ref("stg_landing__mentions") }}),

brands as (select * from {{ ref("int_social__brands_tracked") }}),

int_social__mentions_observed as (
    select
        mentions.mention_id,
        mentions.brand,
        mentions.platform,
        mentions.account_id,
        mentions.reach,
        mentions.data_origin,
        mentions.snapshot_date,
        brands.brand is not null as is_tracked,
        -- A hidden like is not 0: without both parts the engagements are unknown.
        mentions.likes + mentions.comments as engagements
    from mentions
    left join brands on mentions.brand = brands.brand
    where mentions.snapshot_date in ({{ planned_dates("int_social__mentions_observed") }})
)

select * from int_social__mentions_observed
