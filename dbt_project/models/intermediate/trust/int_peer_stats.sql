-- One row per platform, day, metric and cell of peers: what all accounts of the cell do, as median and deviation.
-- Nobody is left out, suspicious accounts neither: what is compared must not depend on the verdict.
{{ config(materialized="view") }}

with growth as (select * from {{ ref("int_trust__growth_peers_measured") }}),

engagement as (select * from {{ ref("int_trust__engagement_peers_measured") }}),

int_peer_stats as (
    select * from growth
    union all
    select * from engagement
)

select * from int_peer_stats
