{#- Identities of money. Each is critical: where one fails a number would be wrong. -#}

{#- No join has lost or doubled a row: the model has as many as what it was made from. -#}
{% test same_rows_as(model, other, rows="true") %}
select
    (select count(*) from {{ model }} where {{ rows }}) as rows_here,
    (select count(*) from {{ other }}) as rows_there
where rows_here <> rows_there
{% endtest %}

{#- Credits of an order are exactly 1 in every model but `any_touch`, where each is 1. -#}
{% test credits_sum_to_one(model) %}
select shop, order_id, attribution_model, sum(credit) as credits
from {{ model }}
group by shop, order_id, attribution_model
having case when attribution_model = 'any_touch' then min(credit) <> 1 or max(credit) <> 1 else sum(credit) <> 1 end
{% endtest %}

{#- Every model has every order. -#}
{% test has_every_order(model, orders) %}
select orders.shop, orders.order_id, models.model
from {{ orders }} as orders
cross join (
    {% for model in attribution_models() %}select '{{ model }}' as model{{ " union all " if not loop.last }}{% endfor %}
) as models
left join {{ model }} as attributed
    on {{ same_in_shop("orders", "attributed", "order_id") }} and models.model = attributed.attribution_model
where attributed.order_id is null
{% endtest %}

{#- Attributed and unattributed together are the net revenue, per day of the order and currency. -#}
{% test revenue_is_conserved(model, events, orders) %}
with net as (
    select orders.order_date, orders.currency, sum(events.net_revenue_base) as base
    from {{ events }} as events
    inner join {{ orders }} as orders on {{ same_in_shop("events", "orders", "order_id") }}
    group by orders.order_date, orders.currency
),

credited as (
    select activity_date, currency, attribution_model, sum(credited_net_revenue_base) as base
    from {{ model }}
    where attribution_model <> 'any_touch'
    group by activity_date, currency, attribution_model
)

select
    coalesce(net.order_date, credited.activity_date) as activity_date,
    credited.attribution_model,
    net.base,
    credited.base as credited
from net
full outer join credited on net.order_date = credited.activity_date and net.currency = credited.currency
where net.base is distinct from credited.base
{% endtest %}

{#- Net revenue before refunds is what the feed says, per day and currency, by a sum of its own. -#}
{% test revenue_equals_feed(model, orders) %}
with fed as (
    select
        order_date,
        currency,
        sum(gross_amount - coalesce(discount_amount, 0) - coalesce(tax_amount, 0) - coalesce(shipping_amount, 0)) as net
    from {{ orders }}
    where gross_amount - coalesce(discount_amount, 0) >= coalesce(tax_amount, 0) + coalesce(shipping_amount, 0)
    group by order_date, currency
),

here as (
    select event_date, currency, sum(net_amount) as net
    from {{ model }}
    where event_type = 'order' and net_amount is not null
    group by event_date, currency
)

select coalesce(fed.order_date, here.event_date) as order_date, fed.net as fed, here.net
from fed
full outer join here on fed.order_date = here.event_date and fed.currency = here.currency
where fed.net is distinct from here.net
{% endtest %}

{#- No order gives back more than it brought. -#}
{% test no_order_below_zero(model) %}
select shop, order_id, sum(net_amount) as net
from {{ model }}
group by shop, order_id
having sum(net_amount) < 0 or sum(net_revenue_base) < 0
{% endtest %}

{#- The ledger holds the costs of the feed, by type and currency. -#}
{% test costs_equal_feed(model, costs) %}
with fed as (
    select cost_type, currency, sum(amount) as amount
    from {{ costs }}
    group by cost_type, currency
),

here as (
    select cost_type, currency, sum(amount) as amount
    from {{ model }}
    where source = 'costs'
    group by cost_type, currency
)

select coalesce(fed.cost_type, here.cost_type) as cost_type, fed.amount as fed, here.amount
from fed
full outer join here on fed.cost_type = here.cost_type and fed.currency = here.currency
where fed.amount is distinct from here.amount
{% endtest %}

{#- Commission that is spent is accruals less reversals, by collaboration. -#}
{% test commissions_equal_ledger(model, ledger) %}
with accrued as (
    select
        collaboration_id,
        sum(case when entry_type = 'accrual' then amount_base end) as accruals,
        coalesce(sum(case when entry_type = 'reversal' then amount_base end), 0) as reversals
    from {{ ledger }}
    group by collaboration_id
),

spent as (
    select collaboration_id, sum(amount_base) as amount
    from {{ model }}
    where source = 'commission_ledger' and is_spend
    group by collaboration_id
)

select coalesce(accrued.collaboration_id, spent.collaboration_id) as collaboration_id, accrued.accruals, spent.amount
from accrued
full outer join spent on accrued.collaboration_id = spent.collaboration_id
where accrued.accruals + accrued.reversals is distinct from spent.amount
{% endtest %}

{#- A reversal has an accrual, and all reversals of an order stay within it. -#}
{% test reversals_within_accrual(model) %}
select shop, order_id, sum(amount) as left_over
from {{ model }}
group by shop, order_id
having sum(amount) < 0 or count_if(entry_type = 'accrual') <> 1
{% endtest %}

{#- Spend of a group is that of the ledger: whole, or unknown where an entry has no rate. -#}
{% test spend_equals_ledger(model, ledger, group, entry_group) %}
with entries as (
    select
        {{ entry_group }} as group_id,
        case when count(amount_base) = count(*) then sum(amount_base) end as spend
    from {{ ledger }}
    where is_spend
    group by 1
)

select roi.{{ group }}, roi.attribution_model, roi.spend_base, entries.spend
from {{ model }} as roi
full outer join entries on roi.{{ group }} = entries.group_id
where roi.spend_base is distinct from entries.spend
{% endtest %}

{#- All of the ledger is in some tier, once for each scheme and model. -#}
{% test tiers_hold_all_spend(model, ledger) %}
with spent as (
    select case when count(amount_base) = count(*) then coalesce(sum(amount_base), 0) end as spend
    from {{ ledger }}
    where is_spend
)

select roi.scheme, roi.attribution_model, coalesce(sum(roi.spend_base), 0) as spend
from {{ model }} as roi
cross join spent
where spent.spend is not null
group by roi.scheme, roi.attribution_model, spent.spend
having coalesce(sum(roi.spend_base), 0) <> spent.spend
{% endtest %}

{#- Net revenue of a group is what attribution credits to its collaborations, where all of it is known. -#}
{% test revenue_equals_attribution(model, attribution, collaborations, group) %}
with credited as (
    select
        coalesce(collaborations.{{ group }}, '(always-on)') as group_id,
        attribution.attribution_model,
        case when count(attribution.credited_net_revenue_base) = count(*) then sum(attribution.credited_net_revenue_base) end
            as net
    from {{ attribution }} as attribution
    inner join {{ collaborations }} as collaborations
        on attribution.collaboration_id = collaborations.collaboration_id
    where attribution.attribution_model <> 'any_touch'
    group by 1, 2
)

select credited.group_id, credited.attribution_model, credited.net, roi.net_revenue_base
from credited
left join {{ model }} as roi
    on credited.group_id = roi.{{ group }} and credited.attribution_model = roi.attribution_model
where credited.net is distinct from roi.net_revenue_base
{% endtest %}

{#- The days of a campaign sum to its totals, as far as these are known. -#}
{% test days_sum_to_totals(model, totals) %}
with days as (
    select
        campaign_id,
        attribution_model,
        sum(spend_base) as spend_base,
        sum(net_revenue_base) as net_revenue_base
    from {{ model }}
    group by campaign_id, attribution_model
)

select totals.campaign_id, totals.attribution_model, days.spend_base, totals.spend_base as total_spend_base
from {{ totals }} as totals
left join days
    on totals.campaign_id = days.campaign_id and totals.attribution_model = days.attribution_model
where
    coalesce(days.spend_base, 0) <> coalesce(totals.spend_base, days.spend_base, 0)
    or coalesce(days.net_revenue_base, 0) <> coalesce(totals.net_revenue_base, days.net_revenue_base, 0)
{% endtest %}

{#- Nothing is wrong with any record; one row per feed and thing that is. Totals hold nevertheless, so it only warns. -#}
{% test nothing_flagged(model) %}
select feed, issue, count(*) as records, min(record_id) as example
from {{ model }}
group by feed, issue
{% endtest %}

{#- Versions follow each other: each ends where the next begins, and the last one is open. -#}
{% test one_version_is_last(model) %}
select collaboration_id, valid_from, valid_to, next_from
from (
    select
        collaboration_id,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by collaboration_id order by valid_from) as next_from
    from {{ model }}
) as versions
where valid_to is distinct from next_from
{% endtest %}

{#- Sums over the whole are the same as elsewhere, to the last digit: `columns` names each sum here and there. What is
    repeated for each attribution model is compared model by model (`attribution_model`); a group without a row sums to 0. -#}
{% test sums_equal(model, other, columns, by_model=false, rows="true", other_rows="true") %}
{%- set models = conserving_models() if by_model else [none] -%}
{% for attribution_model in models %}
    {%- set of_model = "attribution_model = '" ~ attribution_model ~ "'" if attribution_model else "true" -%}
    {% for here, there in columns.items() %}
        select
            {{ "'" ~ attribution_model ~ "'" if attribution_model else "''" }} as attribution_model,
            '{{ here }}' as sum_of,
            (select coalesce(sum({{ here }}), 0) from {{ model }} where {{ rows }} and {{ of_model }}) as sum_here,
            (select coalesce(sum({{ there }}), 0) from {{ other }} where {{ other_rows }}) as sum_there
        where sum_here <> sum_there
        {{ "union all" if not loop.last }}
    {% endfor %}
    {{ "union all" if not loop.last }}
{% endfor %}
{% endtest %}
