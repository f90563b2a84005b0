-- One row per collaboration and post.
with landed as (select * from {{ source("raw", "collaboration_posts") }}),

stg_landing__collaboration_posts as (
    select *
    from landed
    {{ latest_delivery(["collaboration_id", "platform", "post_id"]) }}
)

select * from stg_landing__collaboration_posts
