-- One row per grouping and group with collaborations: how many, their clicks, commission, and what is open or missing.
{{ config(materialized="view") }}

with members as (select * from {{ ref("int_returns__group_members") }}),

checked as (select * from {{ ref("int_returns__collaborations_checked") }}),

clicked as (select * from {{ ref("int_attribution__links_clicked") }}),

days as (select * from {{ ref("int_spend__commission_days") }}),

-- No entry is no commission: 0 is true. An entry without a rate makes its sum unknown.
commissions as (
    select
        members.grouped_by,
        members.group_id,
        case when count(days.accrued_base) = count(days.collaboration_id) then coalesce(sum(days.accrued_base), 0) end
            as accrued_base,
        case when count(days.paid_base) = count(days.collaboration_id) then coalesce(sum(days.paid_base), 0) end
            as paid_base
    from members
    left join days on members.collaboration_id = days.collaboration_id
    group by members.grouped_by, members.group_id
),

int_returns__group_agreements as (
    select
        members.grouped_by,
        members.group_id,
        count(*) as collaborations,
        case when count(clicked.clicks) = count(*) then sum(clicked.clicks) end as clicks,
        bool_or(checked.is_window_open) as is_window_open,
        count_if(checked.is_fee_missing) as missing_fees,
        bool_or(checked.is_campaign_unknown) as is_campaign_unknown,
        max(commissions.accrued_base) as commission_accrued_base,
        max(commissions.paid_base) as commission_paid_base,
        max(checked.data_origin) as data_origin
    from members
    inner join checked on members.collaboration_id = checked.collaboration_id
    inner join commissions
        on members.grouped_by = commissions.grouped_by and members.group_id = commissions.group_id
    left join clicked on members.collaboration_id = clicked.collaboration_id
    group by members.grouped_by, members.group_id
)

select * from int_returns__group_agreements
