-- One row per collaboration with linked posts: how many, how many of them are marked as paid, and since when.
{{ config(materialized="view") }}

with posts as (select * from {{ ref("int_returns__posts_valued") }}),

int_returns__posts_delivered as (
    select
        collaboration_id,
        count(*) as posts_delivered,
        count_if(is_captured) as posts_captured,
        count(is_sponsored) as posts_with_disclosure,
        count_if(not is_sponsored) as posts_undisclosed,
        min(published_date) as first_post_date,
        max(published_date) as last_post_date
    from posts
    group by collaboration_id
)

select * from int_returns__posts_delivered
