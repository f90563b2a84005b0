-- One row per order, path model and touch that has a share in the order.
{{ config(materialized="view") }}

with touches as (select * from {{ ref("int_attribution__paths_ordered") }}),

paths as (
    select
        *,
        max(case when not is_direct then place end) over (partition by shop, order_id) as last_non_direct
    from touches
),

-- Weights are relative: a share is a weight over the sum of its order's weights. 0.4, 0.2 between and 0.4 of n touches
-- are 2(n-2), 1 and 2(n-2) of 5(n-2). A decay counted from the last touch instead of the order has the same shares, and
-- its last weight is 2^59 units of 10^-18, so that no sum of weights is 0: whole units are the same on every engine.
weights as (
    {% set weights = {
        "first_touch": "case when paths.place = 1 then 1 else 0 end",
        "last_touch": "case when paths.place = paths.touches then 1 else 0 end",
        "last_non_direct": "case when paths.place = paths.last_non_direct then 1 else 0 end",
        "linear": "1",
        "position_40_20_40": "case when paths.touches <= 2 then 1"
            ~ " when paths.place in (1, paths.touches) then 2 * (paths.touches - 2) else 1 end",
        "time_decay": "cast(cast(floor(power(2, 59 - cast("
            ~ micros_between("paths.touched_at", "paths.last_touched_at")
            ~ " as double) / (7 * 86400000000))) as decimal(19, 0)) * cast(0.000000000000000001 as decimal(18, 18))"
            ~ " as decimal(28, 18))",
    } %}
    {% for model, weight in weights.items() %}
        select
            paths.shop,
            paths.order_id,
            paths.touch_id,
            paths.collaboration_id,
            paths.place,
            '{{ model }}' as model,
            -- A weight is at most twice the touches of a path; 18 decimals keep a decay of 400 days apart from 0.
            cast({{ weight }} as decimal(28, 18)) as weight
        from paths
        {{ "union all" if not loop.last }}
    {% endfor %}
),

int_attribution__touches_weighted as (
    select
        shop,
        order_id,
        touch_id,
        collaboration_id,
        model,
        weight,
        sum(weight) over (partition by shop, order_id, model) as weight_of_all,
        place = max(place) over (partition by shop, order_id, model) as is_last
    from weights
    where weight > 0
)

select * from int_attribution__touches_weighted
