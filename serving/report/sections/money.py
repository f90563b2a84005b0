"""What campaigns, tiers and collaborations cost and returned, under one way of crediting, with all nine beside it."""

from datetime import date
from decimal import Decimal

from serving.report import bars
from serving.report.formatting import compact
from serving.report.returns import MODEL
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label
from serving.report.words import MODELS, PARTNERS, model_name

# Campaigns that are drawn; the table of campaigns has all.
CAMPAIGNS = 6
COLLABORATIONS = 5
# Of a curve: rows of the table behind it, dates below it, and the share of its height that a label takes.
TABLE_ROWS, DATES, LABEL_ROOM = 15, 5, 10
TYPES = ("fee", "product", "shipping", "production", "usage_rights", "ads", "commission", "agency", "tools")

TOTALS = """
select
    max(base_currency) as currency, sum(credited_net_revenue_base) as net_revenue,
    sum(credited_net_revenue_base) filter (where collaboration_id <> '(unattributed)') as credited,
    count(distinct order_id) filter (where code_without_click) as spoken,
    count(distinct order_id) filter (where is_code_leak) as leaked
from marts.fct_attribution where attribution_model = $model
"""

CAMPAIGN_ROWS = """
select * from marts.fct_campaign_roi where attribution_model = $model
order by spend_base desc nulls last, campaign_id limit $many
"""

CAMPAIGN_COUNT = "select count(*) as campaigns from marts.fct_campaign_roi where attribution_model = $model"

BY_MODEL = """
select campaign_id, attribution_model, orders, net_revenue_base, roi_net, roas
from marts.fct_campaign_roi order by campaign_id, attribution_model
"""

CURVES = """
select campaign_id, activity_date, is_payback_date,
    case when count(spend_base) over along = count(*) over along then sum(spend_base) over along end as spend_so_far,
    case when count(gross_profit_base) over along = count(*) over along then sum(gross_profit_base) over along end
        as profit_so_far
from marts.fct_campaign_daily where attribution_model = $model
window along as (partition by campaign_id order by activity_date rows between unbounded preceding and current row)
order by campaign_id, activity_date
"""

# A row of the mart is of a platform, brand and campaign too: parts are summed, and a ratio is one of their sums.
TIERS = """
with ranks as (
    select tier, min(tier_rank) as tier_rank from marts.dim_tier_scheme where scheme = $scheme group by tier
),

sums as (
    select
        tier, partner_type, sum(collaborations) as collaborations, sum(orders) as orders, sum(emv) as emv,
        case when sum(unrated_costs) = 0 then sum(spend_known_base) end as spend_base,
        case when sum(unvalued_orders) = 0 then sum(net_revenue_known_base) end as net_revenue_base,
        case when sum(uncosted_orders) = 0 then sum(product_cost_known_base) end as product_cost_base,
        max(data_origin) as data_origin
    from marts.fct_tier_roi where scheme = $scheme and attribution_model = $model group by tier, partner_type
)

select
    sums.*, (net_revenue_base - spend_base) / nullif(spend_base, 0) as roi_net,
    (net_revenue_base - product_cost_base - spend_base) / nullif(spend_base, 0) as roi_profit,
    spend_base / nullif(orders, 0) as cpa
from sums left join ranks on sums.tier = ranks.tier
order by ranks.tier_rank nulls last, sums.tier, sums.partner_type
"""

# Best and worst of those that spent at least what half of all did: below that a sale or two decides.
RANKED = """
with leaks as (
    select collaboration_id, count(*) as days from marts.fct_promo_code_daily where is_leak group by collaboration_id
),

returned as (
    select
        *, median(cpa) over () as usual_cpa, median(spend_base) filter (where spend_base > 0) over () as least_spend
    from marts.fct_collaboration_roi where attribution_model = $model and roi_net is not null
),

ranked as (
    select
        *, row_number() over (order by roi_net desc, collaboration_id) as place, count(*) over () as places
    from returned where spend_base >= least_spend
)

select
    ranked.*, 1 as collaborations, left(accounts.display_name, 80) as display_name, coalesce(leaks.days, 0) as leak_days
from ranked
left join marts.dim_account as accounts
    on ranked.platform = accounts.platform and ranked.account_id = accounts.account_id
left join leaks on ranked.collaboration_id = leaks.collaboration_id
where place <= $most or place > places - $most
order by place
"""

ISSUES = "select feed, issue, count(*) as records from marts.fct_commerce_issue group by all order by all"


def read(source: Source, _: Common) -> Row | None:
    """Campaigns, tiers, the best and the worst collaborations; null while nothing was spent or sold."""
    campaigns = source.rows(CAMPAIGN_ROWS, model=MODEL, many=CAMPAIGNS)
    if not campaigns:
        return None
    by_model = source.rows(BY_MODEL)
    days = source.rows(CURVES, model=MODEL)
    for campaign in campaigns:
        own = [day for day in days if day["campaign_id"] == campaign["campaign_id"]]
        campaign |= {
            "spend": _spend(campaign),
            "gaps": "; ".join(gaps(campaign)),
            "models": [
                row | {"model": model_name(row["attribution_model"])}
                for row in by_model
                if row["campaign_id"] == campaign["campaign_id"]
            ],
            "curve": _curve(own),
        }
    ranked = source.rows(RANKED, model=MODEL, most=COLLABORATIONS)
    half = min(COLLABORATIONS, (ranked[0]["places"] + 1) // 2) if ranked else 0
    return {
        "model": MODELS[MODEL],
        "least": ranked[0]["least_spend"] if ranked else None,
        "all_campaigns": source.row(CAMPAIGN_COUNT, model=MODEL)["campaigns"],
        "totals": source.row(TOTALS, model=MODEL),
        "campaigns": campaigns,
        "as_of": campaigns[0]["as_of_date"],
        "currency": campaigns[0]["base_currency"],
        "tiers": [
            row | {"label": label(row["tier"]), "partner": PARTNERS.get(row["partner_type"], row["partner_type"])}
            for row in source.rows(TIERS, scheme=source.settings.default_scheme, model=MODEL)
        ],
        "best": [row | _shown(row) for row in ranked[:half]],
        "worst": [row | _shown(row) for row in reversed(ranked[half:][-COLLABORATIONS:])],
        "issues": source.rows(ISSUES),
    }


def _spend(row: Row) -> list[Row]:
    """What was spent on what, largest first, with its share; empty when spend is unknown."""
    total = row["spend_base"]
    if not total:
        return []
    parts = [(kind, row[f"spend_{kind}_base"]) for kind in TYPES if row[f"spend_{kind}_base"]]
    return [
        {"type": kind.replace("_", " "), "amount": amount, "share": float(amount / total)}
        for kind, amount in sorted(parts, key=lambda part: (-part[1], part[0]))
    ]


def _shown(row: Row) -> Row:
    return {
        "reason": _reason(row),
        "partner": PARTNERS.get(row["partner_type"], row["partner_type"]),
    }


def _reason(row: Row) -> str:
    """Why a collaboration stands where it does, in words, from its own figures."""
    parts = _spend(row)
    said = [f"{row['orders']:,.1f} credited orders"]
    if row["cpa"] is not None and row["usual_cpa"] is not None:
        side = "below" if row["cpa"] < row["usual_cpa"] else "above"
        said[0] += f" at {row['cpa']:,.2f} each, {side} the median of {row['usual_cpa']:,.2f}"
    if parts:
        said.append(f"{parts[0]['share']:.0%} of its spend is {parts[0]['type']}")
    if row["leak_days"]:
        said.append(f"its code leaked on {row['leak_days']} day{'s' if row['leak_days'] > 1 else ''}")
    return "; ".join([*said, *gaps(row)])


def gaps(row: Row) -> list[str]:
    """What keeps a return from being told and what may still change it, in words, from the counts beside it."""
    fees, costs, posts = row["missing_fees"], row["unrated_costs"], row["posts"] or 0
    unvalued, uncosted, early = row["unvalued_orders"], row["uncosted_orders"], row["posts_with_early_emv"]
    young = posts - (row["posts_with_emv"] or 0)
    found = (
        (row["collaborations"] == 0, "no collaboration"),
        (row["cost_entries"] == 0, "no cost"),
        (fees, f"agreed fee not among the costs of {fees}"),
        (costs, f"no rate for {costs} costs"),
        (row["has_orders_landed"] is False, "no orders landed"),
        (unvalued, f"no rate or impossible amounts in {unvalued} orders"),
        (uncosted, f"product cost unknown in {uncosted} orders"),
        (row["is_campaign_unknown"], "campaign unknown"),
        (young > 0, f"EMV of {young} posts not known yet"),
        (early, f"EMV of {early} posts from counts of less than 23 days"),
        (row["is_attribution_open"], "attribution window still open"),
        (row["is_refund_possible"], "refunds still possible"),
    )
    return [words for holds, words in found if holds]


def _curve(days: list[Row]) -> Row | None:
    """Cumulative spend and gross profit as SVG paths on 1000 by 100; null with fewer than two known days."""
    names = {"spend": "spend_so_far", "profit": "profit_so_far"}
    points = {
        name: [(day["activity_date"], day[column]) for day in days if day[column] is not None]
        for name, column in names.items()
    }
    values = [value for line in points.values() for _, value in line]
    if len(days) < 2 or not points["spend"] or not values:
        return None
    first, last = days[0]["activity_date"], days[-1]["activity_date"]
    low, high = min(Decimal(0), *values), max(*values, Decimal(1))
    # Labels of the scale need room for a line each; the highest and 0 always stand.
    labelled = [high, Decimal(0), low]
    if _down(low, low, high) - _down(Decimal(0), low, high) <= LABEL_ROOM:
        labelled.pop()

    def place(day: date, value: Decimal) -> str:
        across = 1000 * (day - first).days / max((last - first).days, 1)
        return f"{across:.1f} {_down(value, low, high):.2f}"

    return {
        "first": first,
        "last": last,
        "marks": [{"value": value, "at": _down(value, low, high)} for value in labelled],
        "widest": max(labelled, key=lambda value: len(compact(float(value)))),
        "dates": bars.dates(first, (last - first).days + 1, DATES),
        "table": _sampled(days),
        "payback": next((day["activity_date"] for day in days if day["is_payback_date"]), None),
        **{name: "M" + "L".join(place(*point) for point in line) if line else None for name, line in points.items()},
    }


def _down(value: Decimal, low: Decimal, high: Decimal) -> float:
    """Place of a value on 100, from the top."""
    return round(100 * float((high - value) / (high - low)), 2)


def _sampled(days: list[Row]) -> list[Row]:
    """At most so many days at equal distances, the last among them, latest first: what so far means needs no other."""
    step = -(-len(days) // TABLE_ROWS)
    return days[::-1][::step]


SECTION = Section(
    "money",
    "Money",
    read,
    (
        "fct_campaign_roi",
        "fct_campaign_daily",
        "fct_tier_roi",
        "fct_collaboration_roi",
        "fct_attribution",
        "fct_promo_code_daily",
        "fct_commerce_issue",
        "dim_tier_scheme",
        "dim_account",
    ),
)
