-- One row per collaboration and attribution model: what it cost and what it returned, up to `as_of_date`.
{{ config(materialized="table") }}

with collaborations as (select * from {{ ref("int_returns__collaborations_checked") }}),

roi as (
    select * from {{ ref("int_returns__groups") }}
    where grouped_by = 'collaboration'
),

fct_collaboration_roi as (
    select
        cast(collaborations.collaboration_id as string) as collaboration_id,
        cast(roi.model as string) as attribution_model,
        cast({{ campaign_or_always_on("collaborations.campaign_id") }} as string) as campaign_id,
        cast(collaborations.brand as string) as brand,
        cast(collaborations.creator_id as string) as creator_id,
        cast(collaborations.platform as string) as platform,
        cast(collaborations.account_id as string) as account_id,
        cast(collaborations.partner_type as string) as partner_type,
        cast(collaborations.start_date as date) as start_date,
        cast(collaborations.end_date as date) as end_date,
        {{ roi_columns() }}
    from roi
    inner join collaborations on roi.group_id = collaborations.collaboration_id
)

select * from fct_collaboration_roi
