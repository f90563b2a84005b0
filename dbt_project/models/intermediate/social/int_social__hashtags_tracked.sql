-- One row per hashtag, as it is compared, that is a brand's name or hashtag or a campaign's.
{{ config(materialized="view") }}

with names as (select * from {{ ref("int_agreement__brand_names_listed") }}),

campaigns as (
    select {{ words_of("hashtags") }} as word
    from {{ ref("stg_landing__campaigns") }}
),

-- Names of one platform alone are ids of a brand's own accounts.
int_social__hashtags_tracked as (
    select name_key as hashtag
    from names
    where platform = '*'
    union
    select {{ name_key("word") }} as hashtag
    from campaigns
    where {{ name_key("word") }} is not null
)

select * from int_social__hashtags_tracked
