-- One row per tracked link and collaboration: a link is its latest collaboration's, for good, as it stays in the post.
{{ config(materialized="view") }}

with held as (
    select *
    from {{ ref("int_agreement__references_handed_over") }}
    where kind = 'link' and (end_day is null or end_day > first_day)
),

-- Two collaborations that take over one link on the same day leave it nobody's.
starts as (
    select
        reference as link_id,
        first_day,
        case when count(*) = 1 then max(collaboration_id) end as collaboration_id
    from held
    group by reference, first_day
),

spans as (
    select
        *,
        lead(first_day) over (partition by link_id order by first_day nulls last) as next_start
    from starts
),

int_agreement__link_ownership_periods as (
    select
        link_id,
        collaboration_id,
        first_day,
        next_start
    from spans
    where collaboration_id is not null
)

select * from int_agreement__link_ownership_periods
