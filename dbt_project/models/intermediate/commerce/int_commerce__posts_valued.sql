-- One row per collaboration and linked post: its counts, and its earned media value 30 days after publication.
{{ config(materialized="table") }}

{% set settled_days = 30 %}
{% set early_days = 7 %}
{% set is_settled = add_days("published.published_date", settled_days) ~ " <= base.as_of_date" %}
{% set days_early = days_between("settled.settled_date", add_days("published.published_date", settled_days)) %}
{% set counts = ["likes", "comments", "views", "reach", "impressions"] %}
{% set valued = ["likes", "comments", "shares", "saves", "views", "impressions"] %}

with linked as (select * from {{ ref("stg_landing__collaboration_posts") }}),

days as (select * from {{ ref("int_post__days_observed") }}),

cards as (
    select * from {{ ref("emv_rate_cards") }}
    where is_default
),

rates as (select * from {{ ref("int_commerce__fx_rates_carried") }}),

base as (select * from {{ ref("stg_meta__run_context") }}),

posts as (
    select distinct
        platform,
        post_id
    from linked
),

observed as (
    select days.*
    from days
    inner join posts on days.platform = posts.platform and days.post_id = posts.post_id
),

published as (
    select
        platform,
        post_id,
        {% for count in counts %}
            max_by({{ count }}, snapshot_date) filter (where {{ count }} is not null) as {{ count }},
        {% endfor %}
        max_by(account_id, snapshot_date) as account_id,
        max_by(content_type, snapshot_date) filter (where content_type is not null) as content_type,
        cast(max_by(published_at, snapshot_date) filter (where published_at is not null) as date) as published_date,
        max(data_origin) as data_origin
    from observed
    group by platform, post_id
),

-- The counts by the 30th day: the last known ones by then.
settled as (
    select
        observed.platform,
        observed.post_id,
        {% for count in valued %}
            max_by(observed.{{ count }}, observed.snapshot_date) filter (where observed.{{ count }} is not null)
                as {{ count }},
        {% endfor %}
        max(observed.snapshot_date) as settled_date
    from observed
    inner join published on observed.platform = published.platform and observed.post_id = published.post_id
    where observed.snapshot_date <= {{ add_days("published.published_date", settled_days) }}
    group by observed.platform, observed.post_id
),

settled_counts as (
    {% for count in valued %}
        select
            platform,
            post_id,
            '{{ count }}' as metric,
            {{ count }} as value
        from settled
        where {{ count }} is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- A card's row for the platform, or the content type, takes the place of the general one.
priced as (
    select
        published.platform,
        published.post_id,
        published.published_date,
        settled_counts.metric,
        settled_counts.value,
        cards.rate,
        cards.currency
    from published
    inner join settled_counts
        on published.platform = settled_counts.platform and published.post_id = settled_counts.post_id
    inner join cards
        on settled_counts.metric = cards.metric
        and cards.platform in (published.platform, '*')
        and cards.content_type in (coalesce(published.content_type, '*'), '*')
        and published.published_date >= cards.valid_from
        and (cards.valid_to is null or published.published_date < cards.valid_to)
    qualify
        row_number() over (
            partition by published.platform, published.post_id, settled_counts.metric
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

int_commerce__posts_valued as (
    select
        linked.collaboration_id,
        linked.platform,
        linked.post_id,
        published.account_id,
        published.published_date,
        published.views,
        published.reach,
        published.impressions,
        published.likes + published.comments as engagements,
        -- Younger posts have no value yet: their counts still grow.
        case when {{ is_settled }} then values_of_posts.emv_base end as emv_base,
        {{ days_early }} > {{ early_days }} as is_valued_early,
        greatest(linked.data_origin, published.data_origin) as data_origin
    from linked
    cross join base
    left join published on linked.platform = published.platform and linked.post_id = published.post_id
    left join settled on linked.platform = settled.platform and linked.post_id = settled.post_id
    left join values_of_posts on linked.platform = values_of_posts.platform and linked.post_id = values_of_posts.post_id
)

select * from int_commerce__posts_valued
