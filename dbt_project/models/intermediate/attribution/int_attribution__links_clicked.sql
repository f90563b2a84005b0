-- One row per collaboration: the clicks on its tracked link, null while no click was ever landed.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

link_clicks as (select * from {{ ref("stg_landing__link_clicks") }}),

links as (select * from {{ ref("int_agreement__link_ownership_periods") }}),

landed as (
    select count(*) as clicks
    from link_clicks
),

counted as (
    select
        links.collaboration_id,
        count(*) as clicks
    from link_clicks
    inner join links
        on link_clicks.link_id = links.link_id
        and cast(link_clicks.clicked_at as date) >= links.first_day
        and (links.next_start is null or cast(link_clicks.clicked_at as date) < links.next_start)
    group by links.collaboration_id
),

-- Where clicks are tracked at all, a collaboration without any has none: 0 is true.
int_attribution__links_clicked as (
    select
        collaborations.collaboration_id,
        case when landed.clicks > 0 then coalesce(counted.clicks, 0) end as clicks
    from collaborations
    cross join landed
    left join counted on collaborations.collaboration_id = counted.collaboration_id
)

select * from int_attribution__links_clicked
