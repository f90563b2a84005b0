-- One row per brand and name that a post may call it by: its id, name, aliases, hashtags, and ids of its own accounts.
{{ config(materialized="view") }}

with brands as (select * from {{ ref("stg_landing__brands") }}),

named as (
    {% for column in ["brand", "name", "aliases", "hashtags"] %}
        select
            brand,
            is_rival,
            '*' as platform,
            {{ words_of(column) }} as word
        from brands
        union all
    {% endfor %}
    select
        brand,
        is_rival,
        split_part(own_account, ':', 1) as platform,
        substr(own_account, length(split_part(own_account, ':', 1)) + 2) as word
    from (
        select
            brand,
            is_rival,
            {{ words_of("own_accounts") }} as own_account
        from brands
    ) as accounts
),

int_agreement__brand_names_listed as (
    select distinct
        brand,
        coalesce(is_rival, false) as is_rival,
        lower(trim(platform)) as platform,
        {{ name_key("word") }} as name_key
    from named
    where {{ name_key("word") }} is not null
)

select * from int_agreement__brand_names_listed
