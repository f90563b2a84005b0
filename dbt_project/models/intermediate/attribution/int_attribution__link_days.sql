-- One row per tracked link, its collaboration and UTC day with a click; `(unattributed)` has what is nobody's that day.
{{ config(materialized="table") }}

with link_clicks as (select * from {{ ref("stg_landing__link_clicks") }}),

links as (select * from {{ ref("int_agreement__link_ownership_periods") }}),

clicks as (
    select
        *,
        cast(clicked_at as date) as click_date
    from link_clicks
),

-- A visitor without an id cannot be told from others: unknown, not 0.
int_attribution__link_days as (
    select
        clicks.link_id,
        clicks.click_date,
        coalesce(links.collaboration_id, '(unattributed)') as collaboration_id,
        count(*) as clicks,
        case when count(clicks.visitor_id) = count(*) then count(distinct clicks.visitor_id) end as visitors,
        max(clicks.data_origin) as data_origin
    from clicks
    left join links
        on clicks.link_id = links.link_id
        and clicks.click_date >= links.first_day
        and (links.next_start is null or clicks.click_date < links.next_start)
    group by clicks.link_id, clicks.click_date, coalesce(links.collaboration_id, '(unattributed)')
)

select * from int_attribution__link_days
