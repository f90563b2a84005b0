-- One row per brand that a mart names, as it is now; `(unknown)` is what names none.
{{ config(materialized="table") }}

with brands as (select * from {{ ref("int_agreement__brands_listed") }}),

campaigns as (
    select
        coalesce(brand, '(unknown)') as brand,
        count(*) as campaigns,
        min(start_date) as first_date,
        max(end_date) as last_date
    from {{ ref("int_agreement__campaigns_named") }}
    group by coalesce(brand, '(unknown)')
),

collaborations as (
    select
        brand,
        count(*) as collaborations,
        min(start_date) as first_date
    from {{ ref("int_agreement__collaborations_listed") }}
    where is_landed
    group by brand
),

-- A brand of which no campaign or collaboration is landed has none: 0 is true.
dim_brand as (
    select
        cast(brands.brand as string) as brand,
        cast(brands.name as string) as brand_name,
        cast(case when brands.is_landed then coalesce(brands.is_rival, false) end as boolean) as is_rival,
        cast(brands.is_landed as boolean) as is_landed,
        cast(brands.aliases as string) as aliases,
        cast(brands.hashtags as string) as hashtags,
        cast(brands.own_accounts as string) as own_accounts,
        cast(coalesce(campaigns.campaigns, 0) as bigint) as campaigns,
        cast(coalesce(collaborations.collaborations, 0) as bigint) as collaborations,
        cast(least(campaigns.first_date, collaborations.first_date) as date) as first_start_date,
        cast(campaigns.last_date as date) as last_campaign_end_date,
        cast(brands.data_origin as string) as data_origin
    from brands
    left join campaigns on brands.brand = campaigns.brand
    left join collaborations on brands.brand = collaborations.brand
)

select * from dim_brand
