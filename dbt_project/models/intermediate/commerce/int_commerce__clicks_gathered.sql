-- One row per click whose customer and collaboration are known: of the touches, and of the tracked links.
{{ config(materialized="view") }}

with touches as (select * from {{ ref("int_commerce__touches_resolved") }}),

link_clicks as (select * from {{ ref("stg_landing__link_clicks") }}),

links as (select * from {{ ref("int_commerce__links_owned") }}),

int_commerce__clicks_gathered as (
    select
        touch_id as click_id,
        customer_id,
        touched_at as clicked_at,
        collaboration_id
    from touches
    where touch_type = 'click' and collaboration_id is not null

    union all

    -- A visitor is a customer where the shop gives both the same id; any other visitor matches no order.
    select
        link_clicks.click_id,
        link_clicks.visitor_id as customer_id,
        link_clicks.clicked_at,
        links.collaboration_id
    from link_clicks
    inner join links
        on link_clicks.link_id = links.link_id
        and cast(link_clicks.clicked_at as date) >= links.first_day
        and (links.next_start is null or cast(link_clicks.clicked_at as date) < links.next_start)
    where link_clicks.visitor_id is not null
)

select * from int_commerce__clicks_gathered
