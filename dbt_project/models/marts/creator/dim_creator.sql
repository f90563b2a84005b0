-- One row per person behind accounts, as known now; `(unknown)` is the person whom nobody names.
{{ config(materialized="table") }}

with people as (select * from {{ ref("int_creator__people") }}),

collaborations as (
    select * from {{ ref("dim_collaboration") }}
    where is_landed
),

agreed as (
    select
        creator_id,
        count(*) as collaborations,
        count(distinct brand) as brands,
        min(start_date) as first_start_date,
        max(start_date) as last_start_date,
        max(data_origin) as data_origin
    from collaborations
    group by creator_id
),

ids as (
    select creator_id
    from people
    union
    select creator_id
    from agreed
    union
    select '(unknown)' as creator_id
),

-- Who has no collaboration has none: 0 is true. Of the unknown one nobody knows the accounts.
dim_creator as (
    select
        cast(ids.creator_id as string) as creator_id,
        cast(people.display_name as string) as display_name,
        cast(people.accounts as bigint) as accounts,
        cast(people.platforms as string) as platforms,
        cast(people.platform as string) as main_platform,
        cast(people.account_id as string) as main_account_id,
        cast(people.handle as string) as main_handle,
        cast(people.followers as bigint) as main_followers,
        cast(people.niche as string) as niche,
        cast(people.country as string) as country,
        cast(people.city as string) as city,
        cast(people.language as string) as language,
        cast(people.first_seen_date as date) as first_seen_date,
        cast(people.last_seen_date as date) as last_seen_date,
        cast(coalesce(agreed.collaborations, 0) as bigint) as collaborations,
        cast(coalesce(agreed.brands, 0) as bigint) as brands,
        cast(agreed.first_start_date as date) as first_start_date,
        cast(agreed.last_start_date as date) as last_start_date,
        cast(coalesce(greatest(people.data_origin, agreed.data_origin), 'observed') as string) as data_origin
    from ids
    left join people on ids.creator_id = people.creator_id
    left join agreed on ids.creator_id = agreed.creator_id
)

select * from dim_creator
