-- One row per tracked link, its collaboration and UTC day with a click.
{{ config(materialized="table") }}

with link_days as (select * from {{ ref("int_attribution__link_days") }}),

fct_click_daily as (
    select
        cast(link_id as string) as link_id,
        cast(collaboration_id as string) as collaboration_id,
        cast(click_date as date) as activity_date,
        cast(clicks as bigint) as clicks,
        cast(visitors as bigint) as visitors,
        cast(data_origin as string) as data_origin
    from link_days
)

select * from fct_click_daily
