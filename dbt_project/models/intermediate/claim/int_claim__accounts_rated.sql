-- One row per account on its platform's last full day of engagement, those that look bought left out.
{{ config(materialized="table") }}

{% set days = 30 %}

with engagement as {{ read_again() }} (select * from {{ ref("fct_account_engagement_daily") }}),

trust as (select * from {{ ref("fct_follower_trust_daily") }}),

rated as (
    select
        platform,
        snapshot_date,
        count(coalesce(er_followers_median_30, like_rate_views_median_30)) as accounts
    from engagement
    group by platform, snapshot_date
),

recent as (
    select
        *,
        max(case when accounts > 0 then snapshot_date end) over (partition by platform) as last_date,
        max(accounts) over (
            partition by platform order by snapshot_date range between {{ days_preceding(days) }} and current row
        ) as most_accounts
    from rated
),

-- A day on which a handful of accounts was captured says nothing of the platform.
last_days as (
    select
        platform,
        max(snapshot_date) as snapshot_date
    from recent
    where accounts > 0 and 2 * accounts >= most_accounts and snapshot_date >= {{ add_days("last_date", -days) }}
    group by platform
),

int_claim__accounts_rated as (
    select
        engagement.platform,
        engagement.account_id,
        engagement.snapshot_date,
        engagement.followers,
        engagement.tier,
        engagement.niche,
        engagement.er_followers_median_30,
        engagement.reach_rate_median_30,
        engagement.er_sponsored,
        engagement.er_organic,
        engagement.comments_per_week,
        engagement.rival_brands_90d,
        engagement.data_origin
    from engagement
    inner join last_days
        on engagement.platform = last_days.platform and engagement.snapshot_date = last_days.snapshot_date
    left join trust
        on engagement.platform = trust.platform
        and engagement.account_id = trust.account_id
        and engagement.snapshot_date = trust.snapshot_date
    where not coalesce(trust.is_suspicious, false)
)

select * from int_claim__accounts_rated
