-- One row per collaboration as it is now, and one for each word that takes the place of one in fct_return_daily.
{{ config(materialized="table") }}

{#- What belongs to no collaboration: the word, its campaign, and its kind of partner. -#}
{% set others = [
    ("(campaign)", "cast(null as string)", "unallocated"),
    ("(overhead)", "'(always-on)'", "unallocated"),
    ("(unattributed)", "'(unattributed)'", "(unattributed)"),
] %}

with collaborations as (select * from {{ ref("int_agreement__collaborations_listed") }}),

posts as (select * from {{ ref("int_returns__posts_delivered") }}),

words as (
    {% for word, campaign_id, partner_type in others %}
        select
            '{{ word }}' as collaboration_id,
            {{ campaign_id }} as campaign_id,
            '{{ partner_type }}' as partner_type
        {{ "union all" if not loop.last }}
    {% endfor %}
),

ids as (
    select collaboration_id
    from collaborations
    union all
    select collaboration_id
    from words
),

-- A collaboration without a linked post has delivered none: 0 is true. An advocate, given nothing for a post, has
-- nothing to disclose.
dim_collaboration as (
    select
        cast(ids.collaboration_id as string) as collaboration_id,
        cast(
            case
                when words.collaboration_id is null then coalesce(collaborations.campaign_id, '(always-on)')
                else words.campaign_id
            end as string
        ) as campaign_id,
        cast(coalesce(collaborations.brand, '(unknown)') as string) as brand,
        cast(coalesce(collaborations.creator_id, '(unknown)') as string) as creator_id,
        cast(collaborations.platform as string) as platform,
        cast(collaborations.account_id as string) as account_id,
        cast(coalesce(words.partner_type, collaborations.partner_type, '(unknown)') as string) as partner_type,
        cast(coalesce(collaborations.is_landed, false) as boolean) as is_landed,
        cast(collaborations.start_date as date) as start_date,
        cast(collaborations.end_date as date) as end_date,
        cast(collaborations.is_open as boolean) as is_open,
        cast(collaborations.codes as string) as promo_codes,
        cast(collaborations.links as string) as link_ids,
        cast(collaborations.rule_id as string) as rule_id,
        cast(collaborations.cookie_window_days as bigint) as cookie_window_days,
        cast(collaborations.agreed_fee as decimal(20, 6)) as agreed_fee,
        cast(collaborations.currency as string) as currency,
        cast(collaborations.posts_agreed as bigint) as posts_agreed,
        cast(case when words.collaboration_id is null then coalesce(posts.posts_delivered, 0) end as bigint)
            as posts_delivered,
        cast(case when words.collaboration_id is null then coalesce(posts.posts_captured, 0) end as bigint)
            as posts_captured,
        cast(
            case
                when collaborations.partner_type = 'advocate' then 0
                when posts.posts_with_disclosure > 0 then posts.posts_undisclosed
            end as bigint
        ) as posts_undisclosed,
        cast(posts.first_post_date as date) as first_post_date,
        cast(posts.last_post_date as date) as last_post_date,
        cast(coalesce(collaborations.data_origin, 'observed') as string) as data_origin
    from ids
    left join words on ids.collaboration_id = words.collaboration_id
    left join collaborations on ids.collaboration_id = collaborations.collaboration_id
    left join posts on ids.collaboration_id = posts.collaboration_id
)

select * from dim_collaboration
