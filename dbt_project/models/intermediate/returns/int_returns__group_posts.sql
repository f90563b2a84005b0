-- One row per grouping and group with linked posts: their counts, what was spent on them, and their earned media value.
{{ config(materialized="view") }}

with linked as (select * from {{ ref("int_returns__posts_valued") }}),

members as (select * from {{ ref("int_returns__group_members") }}),

shares as (select * from {{ ref("int_returns__collaboration_shares") }}),

-- A post of several collaborations of a group is seen once.
posts as (
    select
        members.grouped_by,
        members.group_id,
        linked.platform,
        linked.post_id,
        bool_and(shares.is_spend_known) as is_spend_known,
        {% for count in paid_counts() %}
            max(linked.{{ count }}) as {{ count }},
        {% endfor %}
        max(linked.emv_base) as emv_base,
        bool_or(linked.is_valued_early) as is_valued_early,
        max(linked.data_origin) as data_origin
    from linked
    inner join members on linked.collaboration_id = members.collaboration_id
    inner join shares on linked.collaboration_id = shares.collaboration_id
    group by members.grouped_by, members.group_id, linked.platform, linked.post_id
),

spent as (
    select
        members.grouped_by,
        {% for count in paid_counts() %}
            sum(shares.spend_with_{{ count }}_base) as spend_with_{{ count }}_base,
        {% endfor %}
        members.group_id
    from shares
    inner join members on shares.collaboration_id = members.collaboration_id
    where shares.is_spend_known
    group by members.grouped_by, members.group_id
),

-- A sum over posts of which one is unknown is unknown; beside it stands that of the posts which are known, and whose
-- spend is. EMV is the value of those posts that have one.
counted as (
    select
        grouped_by,
        group_id,
        count(*) as posts,
        {% for count in paid_counts() %}
            case when count({{ count }}) = count(*) then sum({{ count }}) end as {{ count }},
            count({{ count }}) filter (where is_spend_known) as posts_with_{{ count }},
            sum({{ count }}) filter (where is_spend_known) as {{ count }}_known,
        {% endfor %}
        sum(emv_base) as emv,
        count(emv_base) as posts_with_emv,
        count_if(is_valued_early and emv_base is not null) as posts_with_early_emv,
        max(data_origin) as data_origin
    from posts
    group by grouped_by, group_id
),

int_returns__group_posts as (
    select
        {% for count in paid_counts() %}
            spent.spend_with_{{ count }}_base,
        {% endfor %}
        counted.*
    from counted
    left join spent on counted.grouped_by = spent.grouped_by and counted.group_id = spent.group_id
)

select * from int_returns__group_posts
