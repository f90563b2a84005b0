-- One row per source, platform, statistic, date, follower band and level of a published engagement rate.
{{ config(materialized="table") }}

with published as (select * from {{ source("meta", "config_benchmarks") }}),

-- A rate by another formula, or one whose formula nobody states, stands beside nothing of ours.
dim_er_benchmark as (
    select
        cast(source as string) as source,
        cast(platform as string) as platform,
        cast(denominator as string) as denominator,
        cast(statistic as string) as statistic,
        cast(as_of as date) as as_of_date,
        cast(band as string) as band,
        cast(level as string) as level,
        cast(min_followers as bigint) as min_followers,
        cast(max_followers as bigint) as max_followers,
        cast(low as decimal(9, 6)) as low,
        cast(high as decimal(9, 6)) as high,
        cast(compare_with as string) as compare_with,
        cast(source_note as string) as source_note
    from published
    where compare_with is not null
)

select * from dim_er_benchmark
