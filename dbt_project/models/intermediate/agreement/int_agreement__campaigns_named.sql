-- One row per campaign that is landed, or that a collaboration, cost, contest entry or live session names.
{{ config(materialized="view") }}

with campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

named as (
    {% for feed in ["campaigns", "collaborations", "costs", "contest_entries", "live_sessions"] %}
        select
            campaign_id,
            data_origin
        from {{ ref("stg_landing__" ~ feed) }}
        where campaign_id is not null
        {{ "union all" if not loop.last }}
    {% endfor %}
),

origins as (
    select
        campaign_id,
        max(data_origin) as data_origin
    from named
    group by campaign_id
),

int_agreement__campaigns_named as (
    select
        origins.campaign_id,
        campaigns.brand,
        campaigns.name,
        campaigns.objective,
        campaigns.start_date,
        campaigns.end_date,
        campaigns.hashtags,
        campaigns.attribution_window_days,
        campaigns.target_kpi,
        campaigns.target_value,
        campaigns.budget,
        campaigns.currency,
        origins.data_origin,
        campaigns.campaign_id is not null as is_landed
    from origins
    left join campaigns on origins.campaign_id = campaigns.campaign_id
)

select * from int_agreement__campaigns_named
