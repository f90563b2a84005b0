-- One row per touch: the collaboration that it leads back to, and how many days it may wait for an order.
{{ config(materialized="table") }}

{% set window_days = 30 %}
{% set named = "coalesce(touches.link_id, touches.promo_code, touches.collaboration_id, touches.campaign_id,"
    ~ " touches.live_session_id)" %}

with touches as (select * from {{ ref("stg_landing__touches") }}),

collaborations as (select * from {{ ref("stg_landing__collaborations") }}),

campaigns as (select * from {{ ref("stg_landing__campaigns") }}),

links as (select * from {{ ref("int_agreement__link_ownership_periods") }}),

codes as (select * from {{ ref("int_agreement__code_ownership_periods") }}),

-- However many blanks a source writes.
came_directly as (
    select distinct replace(alias, ' ', '') as channel
    from {{ source("meta", "config_channel_aliases") }}
    where channel = 'direct'
),

used as (
    select
        shop,
        touch_id,
        agreement_day,
        brand,
        {{ words_of("promo_code") }} as promo_code
    from touches
    where promo_code is not null
),

touch_codes as (
    select
        used.shop,
        used.touch_id,
        case when count(distinct codes.collaboration_id) = 1 then max(codes.collaboration_id) end as collaboration_id
    from used
    inner join codes
        on used.promo_code = codes.promo_code
        and used.agreement_day >= codes.first_day
        and (codes.last_day is null or used.agreement_day <= codes.last_day)
        and (used.brand is null or used.brand = codes.brand)
    group by used.shop, used.touch_id
),

-- What a touch names itself comes first, then its link, then its code.
owned as (
    select
        touches.shop,
        touches.touch_id,
        touches.customer_id,
        touches.touched_at,
        touches.agreement_day,
        touches.touch_type,
        touches.channel,
        touches.data_origin,
        touches.campaign_id as named_campaign_id,
        coalesce(named.collaboration_id, links.collaboration_id, touch_codes.collaboration_id) as collaboration_id,
        -- A touch without a channel that names nothing at all came directly.
        came_directly.channel is not null or (touches.channel is null and {{ named }} is null) as is_direct
    from touches
    left join collaborations as named on touches.collaboration_id = named.collaboration_id
    left join links
        on touches.link_id = links.link_id
        and touches.agreement_day >= links.first_day
        and (links.next_start is null or touches.agreement_day < links.next_start)
    left join came_directly on replace(touches.channel, ' ', '') = came_directly.channel
    left join touch_codes on {{ same_in_shop("touches", "touch_codes", "touch_id") }}
),

int_attribution__touches_resolved as (
    select
        owned.shop,
        owned.touch_id,
        owned.customer_id,
        owned.touched_at,
        owned.agreement_day,
        owned.touch_type,
        owned.collaboration_id,
        owned.is_direct,
        -- Ten years hold any campaign; a window beyond what an instant can be moved by would end the night.
        least(coalesce(campaigns.attribution_window_days, {{ window_days }}), 3650) as window_days,
        owned.data_origin
    from owned
    left join collaborations on owned.collaboration_id = collaborations.collaboration_id
    left join campaigns on coalesce(collaborations.campaign_id, owned.named_campaign_id) = campaigns.campaign_id
)

select * from int_attribution__touches_resolved
