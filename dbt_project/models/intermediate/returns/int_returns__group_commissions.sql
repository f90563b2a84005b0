-- One row per grouping and group with collaborations: commission accrued and paid under their rules.
{{ config(materialized="view") }}

with members as (select * from {{ ref("int_returns__group_members") }}),

commission_days as (select * from {{ ref("int_spend__commission_days") }}),

-- No entry is no commission: 0 is true. An entry without a rate makes its sum unknown.
int_returns__group_commissions as (
    select
        members.grouped_by,
        members.group_id,
        {% for sum in ["accrued_base", "paid_base"] %}
            case
                when count(commission_days.collaboration_id) = count(commission_days.{{ sum }})
                    then coalesce(sum(commission_days.{{ sum }}), 0)
            end as commission_{{ sum }}{{ "," if not loop.last }}
        {% endfor %}
    from members
    left join commission_days on members.collaboration_id = commission_days.collaboration_id
    group by members.grouped_by, members.group_id
)

select * from int_returns__group_commissions
