-- One row per record of a commerce feed and thing that is wrong with it.
{{ config(materialized="table") }}

with lost as (
    select
        *,
        kind || ' unknown' as issue
    from {{ ref("int_operations__references_lost") }}
),

nearest as (select * from {{ ref("int_operations__references_nearest") }}),

flagged as (
    select * from {{ ref("int_operations__corrections_flagged") }}
    union all
    {% for model in ["int_operations__commerce_records_flagged", "int_advocacy__records_flagged",
        "int_social__records_flagged"] %}
        select
            feed,
            record_id,
            issue,
            explanation,
            record_date,
            cast(null as decimal(38, 6)) as amount,
            cast(null as string) as currency,
            data_origin
        from {{ ref(model) }}
        union all
    {% endfor %}
    select
        lost.feed,
        lost.record_id,
        lost.issue,
        lost.kind || ' ' || lost.reference || ' leads nowhere: ' || lost.effect as explanation,
        lost.record_date,
        lost.amount,
        case when lost.amount is not null then base.currency end as currency,
        lost.data_origin
    from lost
    cross join {{ ref("stg_meta__run_context") }} as base
    where lost.effect is not null
),

fct_commerce_issue as (
    select
        cast(flagged.feed as string) as feed,
        cast(flagged.record_id as string) as record_id,
        cast(flagged.issue as string) as issue,
        cast(
            flagged.explanation || coalesce('; the nearest known one is ' || nearest.known_reference, '') as string
        ) as explanation,
        cast(nearest.known_reference as string) as nearest_known,
        cast(flagged.record_date as date) as activity_date,
        cast(lost.orders as bigint) as orders,
        cast(flagged.amount as decimal(38, 6)) as amount,
        cast(flagged.currency as string) as currency,
        cast(flagged.data_origin as string) as data_origin
    from flagged
    left join lost
        on flagged.feed = lost.feed and flagged.record_id = lost.record_id and flagged.issue = lost.issue
    left join nearest on lost.kind = nearest.kind and lost.reference = nearest.reference
)

select * from fct_commerce_issue
