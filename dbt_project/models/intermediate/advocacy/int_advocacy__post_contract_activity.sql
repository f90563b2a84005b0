-- One row per collaboration whose account was watched for 30 days or more after its end: whether it praised on.
{{ config(materialized="table") }}

{% set least_days = 30 %}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

posts as (select * from {{ ref("int_advocacy__posts_gathered") }}),

watched as (select * from {{ ref("int_advocacy__accounts_watched") }}),

changes as (select * from {{ ref("int_tier__changes_detected") }}),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

ended as (
    select * from collaborations
    where end_date >= start_date and platform <> 'web'
),

-- The first day under another agreement of the brand with the account or the person: what is posted then is work again.
hired_again as (
    select
        ended.collaboration_id,
        min(greatest(further.start_date, {{ add_days("ended.end_date", 1) }})) as first_day
    from ended
    inner join collaborations as further
        on ended.brand = further.brand
        and ended.collaboration_id <> further.collaboration_id
        and (
            (ended.platform = further.platform and ended.account_id = further.account_id)
            or ended.creator_id = further.creator_id
        )
        and (further.end_date is null or ended.end_date < further.end_date)
    group by ended.collaboration_id
),

followed as (
    select
        ended.*,
        least(
            watched.last_watched_date,
            coalesce({{ add_days("hired_again.first_day", -1) }}, watched.last_watched_date)
        ) as last_day
    from ended
    inner join watched on ended.platform = watched.platform and ended.account_id = watched.account_id
    left join hired_again on ended.collaboration_id = hired_again.collaboration_id
),

-- The tier that was held at the start; of an account first seen later, the first one known.
tiers as (
    select
        followed.collaboration_id,
        coalesce(
            max_by(changes.tier, changes.snapshot_date) filter (
                where changes.snapshot_date <= followed.start_date and changes.tier is not null
            ),
            {{ value_at_first("changes.tier", "changes.snapshot_date") }}
        ) as tier,
        coalesce(min(changes.snapshot_date) <= max(followed.start_date), false) as is_tier_of_start,
        max(changes.data_origin) as data_origin
    from followed
    inner join changes on followed.platform = changes.platform and followed.account_id = changes.account_id
    inner join default_scheme on changes.scheme = default_scheme.scheme
    group by followed.collaboration_id
),

praised as (
    select
        followed.collaboration_id,
        count(*) as posts,
        max(posts.data_origin) as data_origin
    from followed
    inner join posts
        on followed.brand = posts.brand
        and followed.platform = posts.platform
        and followed.account_id = posts.account_id
        and followed.end_date < posts.published_date
        and followed.last_day >= posts.published_date
    where not posts.is_linked
    group by followed.collaboration_id
),

int_advocacy__post_contract_activity as (
    select
        followed.collaboration_id,
        followed.brand,
        followed.platform,
        followed.account_id,
        tiers.tier,
        tiers.is_tier_of_start,
        followed.partner_type,
        followed.end_date,
        {{ days_between("followed.end_date", "followed.last_day") }} as days_observed_after_end,
        coalesce(praised.posts, 0) as posts_after_end,
        coalesce(praised.posts, 0) > 0 as is_still_posting,
        greatest(
            followed.data_origin,
            coalesce(tiers.data_origin, followed.data_origin),
            coalesce(praised.data_origin, followed.data_origin)
        ) as data_origin
    from followed
    left join tiers on followed.collaboration_id = tiers.collaboration_id
    left join praised on followed.collaboration_id = praised.collaboration_id
    where {{ days_between("followed.end_date", "followed.last_day") }} >= {{ least_days }}
)

select * from int_advocacy__post_contract_activity
