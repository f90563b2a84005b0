-- One row per campaign and attribution model, its own costs whole; `(always-on)` is what belongs to no campaign.
{{ config(materialized="table") }}

with campaigns as (select * from {{ ref("int_returns__campaigns_listed") }}),

roi as (
    select * from {{ ref("int_returns__groups") }}
    where grouped_by = 'campaign'
),

fct_campaign_roi as (
    select
        cast(campaigns.campaign_id as string) as campaign_id,
        cast(roi.model as string) as attribution_model,
        cast(campaigns.brand as string) as brand,
        cast(campaigns.name as string) as campaign_name,
        cast(campaigns.objective as string) as objective,
        cast(campaigns.start_date as date) as start_date,
        cast(campaigns.end_date as date) as end_date,
        cast(campaigns.budget as decimal(20, 6)) as budget,
        cast(campaigns.currency as string) as currency,
        cast(roi.collaborations as bigint) as collaborations,
        {{ roi_columns() }}
    from roi
    inner join campaigns on roi.group_id = campaigns.campaign_id
)

select * from fct_campaign_roi
