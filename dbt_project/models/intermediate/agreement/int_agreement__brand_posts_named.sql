-- One row per post, day on which its traits were new, and brand that a hashtag or mention of it names.
with traits as (select * from {{ ref("int_snapshot__post_traits_changed") }}),

names as (select * from {{ ref("int_agreement__brand_names_listed") }}),

words as (
    {% for column in ["hashtags", "mentions"] %}
        select
            platform,
            post_id,
            account_id,
            published_at,
            is_early,
            snapshot_date,
            {{ words_of(column) }} as word
        from traits
        where
            {{ column }} is not null
            and snapshot_date in ({{ planned_dates("int_agreement__brand_posts_named") }})
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_agreement__brand_posts_named as (
    select distinct
        words.platform,
        words.post_id,
        words.account_id,
        cast(words.published_at as date) as published_on,
        words.is_early,
        names.brand,
        names.is_rival,
        words.snapshot_date
    from words
    inner join names
        on names.platform in (words.platform, '*')
        and {{ name_key("words.word") }} = names.name_key
)

select * from int_agreement__brand_posts_named
