-- One row per grouping and group with linked posts: their counts and their earned media value.
{{ config(materialized="view") }}

with linked as (select * from {{ ref("int_returns__posts_valued") }}),

members as (select * from {{ ref("int_returns__group_members") }}),

-- A post of several collaborations of a group is seen once.
posts as (
    select distinct
        members.grouped_by,
        members.group_id,
        linked.platform,
        linked.post_id,
        linked.views,
        linked.impressions,
        linked.engagements,
        linked.emv_base,
        linked.is_valued_early,
        linked.data_origin
    from linked
    inner join members on linked.collaboration_id = members.collaboration_id
),

-- A sum over posts of which one is unknown is unknown; EMV is the value of those posts that have one.
int_returns__group_posts as (
    select
        grouped_by,
        group_id,
        count(*) as posts,
        {% for count in ["views", "impressions", "engagements"] %}
            case when count({{ count }}) = count(*) then sum({{ count }}) end as {{ count }},
        {% endfor %}
        sum(emv_base) as emv,
        count(emv_base) as valued_posts,
        count_if(is_valued_early and emv_base is not null) as early_posts,
        max(data_origin) as data_origin
    from posts
    group by grouped_by, group_id
)

select * from int_returns__group_posts
