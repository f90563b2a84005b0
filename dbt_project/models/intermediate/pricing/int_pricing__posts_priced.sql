-- One row per collaboration and date from which one of its posts had cost so much, until the next such date.
-- Spend without commission, which is paid for orders, divided by the posts linked. A collaboration whose agreed fee is
-- not among the costs, or of which a cost has no rate, has no price.
{{ config(materialized="table") }}

with collaborations as (
    select * from {{ ref("int_returns__collaborations_checked") }}
    where not is_fee_missing
),

spend as (
    select * from {{ ref("int_spend__spend_dated") }}
    where is_spend and is_of_collaboration and cost_type <> 'commission'
),

posts as (select * from {{ ref("int_returns__posts_valued") }}),

default_scheme as (
    select distinct scheme
    from {{ source("meta", "config_default_scheme") }}
),

tiers as (
    select tiered.*
    from {{ ref("int_returns__collaborations_tiered") }} as tiered
    inner join default_scheme on tiered.scheme = default_scheme.scheme
),

entries as (
    select
        collaboration_id,
        cost_date as entry_date,
        amount_base as spend_base,
        1 as cost_rows,
        case when amount_base is null then 1 else 0 end as unrated_costs,
        0 as posts,
        data_origin
    from spend

    union all

    -- A post that nobody captured has no date of its own: it counts from the collaboration's start.
    select
        posts.collaboration_id,
        coalesce(posts.published_date, collaborations.start_date) as entry_date,
        cast(0 as decimal(38, 6)) as spend_base,
        0 as cost_rows,
        0 as unrated_costs,
        1 as posts,
        posts.data_origin
    from posts
    inner join collaborations on posts.collaboration_id = collaborations.collaboration_id
),

dates as (
    select
        collaboration_id,
        entry_date,
        sum(spend_base) as spend_base,
        sum(cost_rows) as cost_rows,
        sum(unrated_costs) as unrated_costs,
        sum(posts) as posts,
        max(data_origin) as data_origin
    from entries
    group by collaboration_id, entry_date
),

so_far as (
    select
        collaboration_id,
        entry_date as valid_from,
        lead(entry_date) over (partition by collaboration_id order by entry_date) as valid_to,
        sum(spend_base) over along as spend_base,
        sum(cost_rows) over along as cost_rows,
        sum(unrated_costs) over along as unrated_costs,
        sum(posts) over along as posts,
        max(data_origin) over along as data_origin
    from dates
    window along as (partition by collaboration_id order by entry_date rows between unbounded preceding and current row)
),

int_pricing__posts_priced as (
    select
        so_far.collaboration_id,
        collaborations.tier_platform as platform,
        collaborations.tier_account_id as account_id,
        tiers.tier,
        so_far.valid_from,
        so_far.valid_to,
        so_far.spend_base,
        so_far.posts,
        {{ per_post("so_far.spend_base", "so_far.posts") }} as price_base,
        greatest(so_far.data_origin, collaborations.data_origin) as data_origin
    from so_far
    inner join collaborations on so_far.collaboration_id = collaborations.collaboration_id
    left join tiers on so_far.collaboration_id = tiers.collaboration_id
    where so_far.cost_rows > 0 and so_far.posts > 0 and so_far.unrated_costs = 0
)

select * from int_pricing__posts_priced
