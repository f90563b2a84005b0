-- One row per collaboration: the clicks on its tracked link, null while no click was ever landed.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

link_days as (select * from {{ ref("int_attribution__link_days") }}),

landed as (
    select count(*) as link_days
    from link_days
),

counted as (
    select
        collaboration_id,
        sum(clicks) as clicks
    from link_days
    group by collaboration_id
),

-- Where clicks are tracked at all, a collaboration without any has none: 0 is true.
int_attribution__links_clicked as (
    select
        collaborations.collaboration_id,
        cast(case when landed.link_days > 0 then coalesce(counted.clicks, 0) end as bigint) as clicks
    from collaborations
    cross join landed
    left join counted on collaborations.collaboration_id = counted.collaboration_id
)

select * from int_attribution__links_clicked
