-- One row per record of a commerce feed and thing that is wrong with it.
{{ config(materialized="table") }}

with flagged as (
    select * from {{ ref("int_operations__corrections_flagged") }}
    {% for model in ["int_operations__commerce_records_flagged", "int_advocacy__records_flagged",
        "int_social__records_flagged"] %}
        union all
        select
            feed,
            record_id,
            issue,
            explanation,
            record_date,
            cast(null as decimal(38, 6)) as amount,
            cast(null as varchar) as currency,
            data_origin
        from {{ ref(model) }}
    {% endfor %}
),

fct_commerce_issue as (
    select
        cast(feed as varchar) as feed,
        cast(record_id as varchar) as record_id,
        cast(issue as varchar) as issue,
        cast(explanation as varchar) as explanation,
        cast(record_date as date) as record_date,
        cast(amount as decimal(38, 6)) as amount,
        cast(currency as varchar) as currency,
        cast(data_origin as varchar) as data_origin
    from flagged
)

select * from fct_commerce_issue
