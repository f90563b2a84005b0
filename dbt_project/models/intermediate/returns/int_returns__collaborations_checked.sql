-- One row per collaboration: who it is with, and what is still open or missing about it on the last day built.
{{ config(materialized="table") }}

{% set window_days = 30 %}

with collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

posts as (select * from {{ ref("int_returns__posts_valued") }}),

spend as (select * from {{ ref("int_spend__spend_dated") }}),

versions as (select * from {{ ref("int_agreement__versions") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

-- What is agreed on the last day built, and whether a fee ever was.
terms as (
    select
        versions.collaboration_id,
        max(case when {{ is_within("base.as_of_date", "versions") }} then versions.partner_type end) as partner_type,
        bool_or(versions.agreed_fee > 0) as has_fee
    from versions
    cross join base
    group by versions.collaboration_id
),

fees as (
    select distinct collaboration_id
    from spend
    where cost_type = 'fee'
),

first_posts as (
    select *
    from posts
    where published_date is not null
    qualify
        row_number() over (
            partition by collaboration_id
            order by published_date nulls last, platform nulls last, post_id nulls last
        ) = 1
),

-- The tier of a collaboration is that of the account that posted, on the day of its first post; without a post, of the
-- account that was hired, on the day it began.
int_returns__collaborations_checked as (
    select
        collaborations.collaboration_id,
        collaborations.campaign_id,
        collaborations.brand,
        collaborations.creator_id,
        collaborations.platform,
        collaborations.account_id,
        terms.partner_type,
        collaborations.start_date,
        collaborations.end_date,
        collaborations.data_origin,
        coalesce(first_posts.platform, collaborations.platform) as tier_platform,
        coalesce(first_posts.account_id, collaborations.account_id) as tier_account_id,
        coalesce(first_posts.published_date, collaborations.start_date) as tier_date,
        -- Somebody who saw its last post may still buy.
        coalesce(
            {{ add_days(
                "collaborations.end_date",
                "least(coalesce(campaigns.attribution_window_days, " ~ window_days ~ "), 3650)",
            ) }} >= base.as_of_date, true
        ) as is_window_open,
        coalesce(terms.has_fee, false) and fees.collaboration_id is null as is_fee_missing,
        collaborations.campaign_id is not null and campaigns.campaign_id is null as is_campaign_unknown,
        collaborations.end_date < collaborations.start_date as is_reversed
    from collaborations
    cross join base
    inner join terms on collaborations.collaboration_id = terms.collaboration_id
    left join campaigns on collaborations.campaign_id = campaigns.campaign_id
    left join first_posts on collaborations.collaboration_id = first_posts.collaboration_id
    left join fees on collaborations.collaboration_id = fees.collaboration_id
)

select * from int_returns__collaborations_checked
