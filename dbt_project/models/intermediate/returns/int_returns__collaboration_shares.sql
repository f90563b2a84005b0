-- One row per collaboration with linked posts: its spend on those whose counts are known, shared evenly over its posts.
{{ config(materialized="view") }}

with linked as (select * from {{ ref("int_returns__posts_valued") }}),

spend as (
    select * from {{ ref("int_spend__spend_dated") }}
    where is_spend and is_of_collaboration
),

costs as (
    select
        collaboration_id,
        count_if(amount_base is null) as unrated_costs,
        sum(amount_base) as spend_base
    from spend
    group by collaboration_id
),

posts as (
    select
        collaboration_id,
        {% for count in paid_counts() %}
            count({{ count }}) as posts_with_{{ count }},
        {% endfor %}
        count(*) as posts
    from linked
    group by collaboration_id
),

-- A collaboration without a cost adds none to its group: 0 is true. One with a cost without a rate adds no post either.
int_returns__collaboration_shares as (
    select
        posts.collaboration_id,
        {% for count in paid_counts() %}
            {% set share = ratio("coalesce(costs.spend_base, 0) * posts.posts_with_" ~ count, "posts.posts") %}
            case
                when posts.posts_with_{{ count }} = posts.posts then coalesce(costs.spend_base, 0)
                else {{ as_decimal(share, 38, 6) }}
            end as spend_with_{{ count }}_base,
        {% endfor %}
        coalesce(costs.unrated_costs, 0) = 0 as is_spend_known
    from posts
    left join costs on posts.collaboration_id = costs.collaboration_id
)

select * from int_returns__collaboration_shares
