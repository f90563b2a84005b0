-- One row per brand and post about it of a listed account: when it was published, and its last known counts.
{{ config(materialized="table") }}

with named as (select * from {{ ref("int_agreement__brand_posts_named") }}),

links as (select * from {{ ref("stg_landing__collaboration_posts") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

listed as (select * from {{ ref("int_advocacy__accounts_listed") }}),

days as (select * from {{ ref("int_snapshot__post_days_deduplicated") }}),

linked as (
    select distinct
        collaborations.brand,
        links.platform,
        links.post_id
    from links
    inner join collaborations on links.collaboration_id = collaborations.collaboration_id
),

-- A post is about a brand that its hashtags or mentions name, and about one that it was made for.
about as (
    select distinct
        named.brand,
        named.platform,
        named.post_id
    from named
    inner join listed
        on named.brand = listed.brand
        and named.platform = listed.platform
        and named.account_id = listed.account_id
    union
    select * from linked
),

posts as (
    select distinct
        platform,
        post_id
    from about
),

observed as (
    select
        days.platform,
        days.post_id,
        {{ value_at_last("days.account_id", "days.snapshot_date") }} as account_id,
        cast(
            max_by(days.published_at, days.snapshot_date) filter (where days.published_at is not null) as date
        ) as published_date,
        {% for count in ["likes", "comments", "reach"] %}
            max_by(days.{{ count }}, days.snapshot_date) filter (where days.{{ count }} is not null) as {{ count }},
        {% endfor %}
        max(days.snapshot_date) as last_captured_date,
        max(days.data_origin) as data_origin
    from days
    inner join posts on days.platform = posts.platform and days.post_id = posts.post_id
    group by days.platform, days.post_id
),

-- What was never captured, or published after the capture that shows it, has no day that one could count it on.
int_advocacy__posts_gathered as (
    select
        about.brand,
        about.platform,
        about.post_id,
        observed.account_id,
        observed.published_date,
        observed.reach,
        observed.data_origin,
        linked.post_id is not null as is_linked,
        observed.likes + observed.comments as engagements
    from about
    inner join observed on about.platform = observed.platform and about.post_id = observed.post_id
    left join linked
        on about.brand = linked.brand and about.platform = linked.platform and about.post_id = linked.post_id
    where observed.published_date <= observed.last_captured_date
)

select * from int_advocacy__posts_gathered
