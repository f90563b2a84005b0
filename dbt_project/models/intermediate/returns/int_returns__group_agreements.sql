-- One row per grouping and group with collaborations: how many, their clicks, and what is open or missing about them.
{{ config(materialized="view") }}

with members as (select * from {{ ref("int_returns__group_members") }}),

checked as (select * from {{ ref("int_returns__collaborations_checked") }}),

clicked as (select * from {{ ref("int_attribution__links_clicked") }}),

int_returns__group_agreements as (
    select
        members.grouped_by,
        members.group_id,
        count(*) as collaborations,
        case when count(clicked.clicks) = count(*) then sum(clicked.clicks) end as clicks,
        bool_or(checked.is_window_open) as is_window_open,
        count_if(checked.is_fee_missing) as missing_fees,
        bool_or(checked.is_campaign_unknown) as is_campaign_unknown,
        max(checked.data_origin) as data_origin
    from members
    inner join checked on members.collaboration_id = checked.collaboration_id
    left join clicked on members.collaboration_id = clicked.collaboration_id
    group by members.grouped_by, members.group_id
)

select * from int_returns__group_agreements
