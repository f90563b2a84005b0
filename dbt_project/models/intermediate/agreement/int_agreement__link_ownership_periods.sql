-- One row per tracked link and collaboration: a link is its latest collaboration's, for good, as it stays in the post.
{{ config(materialized="view") }}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

-- Two collaborations that take over one link on the same day leave it nobody's.
starts as (
    select
        link_id,
        start_date,
        case when count(*) = 1 then max(collaboration_id) end as collaboration_id
    from collaborations
    where link_id is not null
    group by link_id, start_date
),

spans as (
    select
        *,
        lead(start_date) over (partition by link_id order by start_date nulls last) as next_start
    from starts
),

int_agreement__link_ownership_periods as (
    select
        link_id,
        collaboration_id,
        start_date as first_day,
        next_start
    from spans
    where collaboration_id is not null
)

select * from int_agreement__link_ownership_periods
