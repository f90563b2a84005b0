-- One row per collaboration and day from which other terms of pay hold.
{{ config(materialized="table") }}

with versions as (select * from {{ ref("int_agreement__versions") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

dim_collaboration_version as (
    select
        cast(versions.collaboration_id as string) as collaboration_id,
        cast(versions.valid_from as date) as valid_from,
        cast(versions.end_day as date) as valid_to,
        cast({{ is_within("base.as_of_date", "versions") }} as boolean) as is_current,
        cast(versions.rule_id as string) as rule_id,
        cast(versions.cookie_window_days as bigint) as cookie_window_days,
        cast(versions.partner_type as string) as partner_type,
        cast(versions.agreed_fee as decimal(20, 6)) as agreed_fee,
        cast(versions.posts_agreed as bigint) as posts_agreed,
        cast(versions.currency as string) as currency,
        cast(versions.is_undated as boolean) as is_undated,
        cast(versions.data_origin as string) as data_origin
    from versions
    cross join base
)

select * from dim_collaboration_version
