-- One row per account, planned day and rate that is known from enough posts: its logarithm, and the cell of its peers.
{% set min_posts = 5 %}

with rated as (
    select *
    from {{ ref("int_engagement__accounts_rated") }}
    where
        snapshot_date in ({{ planned_dates("int_trust__rates_compared") }})
        and followers >= {{ least_followers() }}
),

rates as (
    {% for rate in ["er_followers_median_30", "like_rate_views_median_30", "comment_like_ratio"] %}
        select
            platform,
            account_id,
            snapshot_date,
            followers,
            data_origin,
            '{{ rate }}' as metric,
            {{ rate }} as rate
        from rated
        where {{ rate }}_posts >= {{ min_posts }} and {{ rate }} > 0
        {{ "union all" if not loop.last }}
    {% endfor %}
),

-- Peers are of about the same size, by powers of ten: rates fall as followers rise.
int_trust__rates_compared as (
    select
        platform,
        account_id,
        snapshot_date,
        followers,
        data_origin,
        metric,
        cast(length(cast(followers as string)) as string) as cell,
        rate,
        ln(rate) as log_rate
    from rates
)

select * from int_trust__rates_compared
