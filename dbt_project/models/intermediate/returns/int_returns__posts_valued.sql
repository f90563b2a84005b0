-- One row per collaboration and linked post: its counts, and its earned media value 30 days after publication.
{{ config(materialized="table") }}

{% set early_days = 7 %}
{% set is_settled = add_days("posts.published_date", emv_settled_days()) ~ " <= base.as_of_date" %}
{% set days_early = days_between("posts.settled_date", add_days("posts.published_date", emv_settled_days())) %}
{% set valued = ["likes", "comments", "shares", "saves", "views", "impressions"] %}

with linked as (select * from {{ ref("stg_landing__collaboration_posts") }}),

posts as (select * from {{ ref("int_returns__posts_counted") }}),

cards as (
    select * from {{ source("meta", "config_rate_cards") }}
    where is_default
),

rates as (select * from {{ ref("int_core__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

settled_counts as (
    {% for count in valued %}
        select
            platform,
            post_id,
            '{{ count }}' as metric,
            settled_{{ count }} as value
        from posts
        where settled_{{ count }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- A card's row for the platform, or the content type, takes the place of the general one.
priced as (
    select
        posts.platform,
        posts.post_id,
        posts.published_date,
        settled_counts.metric,
        settled_counts.value,
        cards.rate,
        cards.currency
    from posts
    inner join settled_counts
        on posts.platform = settled_counts.platform and posts.post_id = settled_counts.post_id
    inner join cards
        on settled_counts.metric = cards.metric
        and cards.platform in (posts.platform, '*')
        and cards.content_type in (coalesce(posts.content_type, '*'), '*')
        and posts.published_date >= cards.valid_from
        and (cards.valid_to is null or posts.published_date < cards.valid_to)
    qualify
        row_number() over (
            partition by posts.platform, posts.post_id, settled_counts.metric
            order by cards.platform = '*', cards.content_type = '*', cards.valid_from desc nulls last
        ) = 1
),

values_of_posts as (
    select
        priced.platform,
        priced.post_id,
        sum(
            {{ in_base(
                "cast(priced.value * cast(priced.rate as decimal(18, 8)) as decimal(28, 8))",
                "cast(" ~ rate_to_base("priced.currency", "rates.rate_to_base") ~ " as decimal(18, 8))",
            ) }}
        ) as emv_base
    from priced
    cross join base
    left join rates on priced.currency = rates.currency and priced.published_date = rates.rate_day
    group by priced.platform, priced.post_id
),

int_returns__posts_valued as (
    select
        linked.collaboration_id,
        linked.platform,
        linked.post_id,
        posts.account_id,
        posts.published_date,
        posts.is_sponsored,
        posts.platform is not null as is_captured,
        posts.views,
        posts.reach,
        posts.impressions,
        posts.likes + posts.comments as engagements,
        -- Younger posts have no value yet: their counts still grow.
        case when {{ is_settled }} then values_of_posts.emv_base end as emv_base,
        {{ days_early }} > {{ early_days }} as is_valued_early,
        greatest(linked.data_origin, posts.data_origin) as data_origin
    from linked
    cross join base
    left join posts on linked.platform = posts.platform and linked.post_id = posts.post_id
    left join values_of_posts on linked.platform = values_of_posts.platform and linked.post_id = values_of_posts.post_id
)

select * from int_returns__posts_valued
