"""What was spent and what came back, for the first screen and the tables: one way of crediting orders everywhere.

A figure of some days before is what the same records say up to that day: a record that came late counts in both.
"""

from collections.abc import Iterable
from datetime import date
from statistics import median
from typing import Any
from urllib.parse import quote

from serving.report.formatting import clip, platform
from serving.report.source import Row, Source
from serving.report.tables import LONGEST_TEXT, MAX_ROWS
from serving.report.tiers import Common, label
from serving.report.words import PARTNERS, VERDICTS, WHOLE_MODELS

# Every contact has a share: no way of crediting favours those who come first, or last, less.
MODEL = "linear"
BEFORE = (7, 30)
# A campaign that took less than this share of all spend is in no list of best and worst.
LEAST_SHARE = 0.01
ALWAYS_ON = "(always-on)"
OUTSIDE_CAMPAIGNS = "Outside campaigns"
STATES = {"complete": "Final", "open": "May change", "incomplete": "Part unknown"}
VERDICT_ORDER = ("suspicious", "watch", "trusted", "insufficient_data")

# What was spent and earned by the end of each of these days; a part that is unknown empties the ratio.
SUMS = """
select
    days_before,
    sum(spend_base) as spend, sum(cost_entries) as cost_entries, sum(unrated_costs) as unrated_costs,
    sum(net_revenue_base) as net_revenue, sum(unvalued_orders) as unvalued_orders,
    case
        when sum(unrated_costs) = 0 and coalesce(sum(unvalued_orders), 0) = 0
            then (sum(net_revenue_base) - sum(spend_base)) / nullif(sum(spend_base), 0)
    end as roi_net
from marts.fct_return_daily cross join unnest([0, 7, 30, 60]) as offsets (days_before)
where
    attribution_model = $model and collaboration_id <> '(unattributed)'
    and activity_date <= cast($as_of as date) - cast(days_before as integer)
group by all
"""

AS_OF = "select max(as_of_date) as as_of, max(base_currency) as currency from marts.fct_campaign_roi"

BY_MODEL = """
select
    attribution_model,
    (sum(net_revenue_base) - sum(spend_base)) / nullif(sum(spend_base), 0) as roi_net
from marts.fct_return_daily
where
    list_contains($models, attribution_model) and collaboration_id <> '(unattributed)' and activity_date <= $as_of
group by attribution_model
"""


def _before(group: str) -> str:
    """SQL of the ROI of each campaign or collaboration up to some days before; null where a part is unknown."""
    ratios = []
    for days in BEFORE:
        then = f"filter (where activity_date <= cast($as_of as date) - {days})"
        ratios.append(f"""
        case
            when sum(unrated_costs) {then} = 0 and coalesce(sum(unvalued_orders) {then}, 0) = 0
                then (sum(net_revenue_base) {then} - sum(spend_base) {then}) / nullif(sum(spend_base) {then}, 0)
        end as roi_{days}_days""")
    return f"""
    select {group}, {",".join(ratios)}
    from marts.fct_return_daily
    where attribution_model = $model and collaboration_id <> '(unattributed)' group by {group}
"""


CAMPAIGNS = f"""
with before as ({_before("campaign_id")}),

of_campaign as (
    select
        pacts.campaign_id, list(distinct pacts.platform) filter (where pacts.platform is not null) as platforms,
        list(distinct tiers.tier) filter (where tiers.tier is not null) as tiers
    from marts.dim_collaboration as pacts
    left join marts.bridge_collaboration_tier as tiers
        on pacts.collaboration_id = tiers.collaboration_id and tiers.scheme = $scheme
    group by pacts.campaign_id
)

select
    roi.*, before.* exclude (campaign_id), coalesce(brands.brand_name, roi.brand) as brand_name,
    coalesce(of_campaign.platforms, []) as platforms, coalesce(of_campaign.tiers, []) as tiers,
    count(*) over () as total, sum(roi.spend_known_base) over () as all_spend
from marts.fct_campaign_roi as roi
left join before on roi.campaign_id = before.campaign_id
left join of_campaign on roi.campaign_id = of_campaign.campaign_id
left join marts.dim_brand as brands on roi.brand = brands.brand
where roi.attribution_model = $model
order by roi.spend_base desc nulls last, roi.campaign_id
limit $most
"""

COLLABORATIONS = f"""
with before as ({_before("collaboration_id")})

select
    roi.*, before.* exclude (collaboration_id), left(accounts.display_name, 200) as display_name, tiers.tier,
    coalesce(brands.brand_name, roi.brand) as brand_name, campaigns.campaign_name, count(*) over () as total
from marts.fct_collaboration_roi as roi
left join before on roi.collaboration_id = before.collaboration_id
left join marts.dim_account as accounts on roi.platform = accounts.platform and roi.account_id = accounts.account_id
left join marts.bridge_collaboration_tier as tiers
    on roi.collaboration_id = tiers.collaboration_id and tiers.scheme = $scheme
left join marts.dim_brand as brands on roi.brand = brands.brand
left join marts.dim_campaign as campaigns on roi.campaign_id = campaigns.campaign_id
where roi.attribution_model = $model
order by roi.spend_base desc nulls last, roi.collaboration_id
limit $most
"""

ACCOUNTS = """
with paid as (
    select
        roi.platform, roi.account_id,
        list(distinct coalesce(brands.brand_name, roi.brand)) filter (where roi.brand is not null) as brands,
        case when count(roi.spend_base) = count(*) then sum(roi.spend_base) end as spend,
        case when count(roi.net_revenue_base) = count(*) then sum(roi.net_revenue_base) end as net_revenue
    from marts.fct_collaboration_roi as roi
    left join marts.dim_brand as brands on roi.brand = brands.brand
    where roi.attribution_model = $model
    group by roi.platform, roi.account_id
)

select
    latest.platform, latest.account_id, left(latest.display_name, 200) as display_name, latest.creator_id,
    latest.niche, latest.country, latest.tier, latest.followers, latest.followers_growth_7d,
    latest.followers_growth_28d,
    latest.er_followers_median_30, latest.er_views_median_30, latest.er_percentile, latest.reach_rate_median_30,
    latest.collaborations, latest.price_base, latest.data_origin, latest.followers_date,
    latest.verdict, latest.engagement_verdict, latest.trust_score,
    coalesce(paid.brands, []) as brands, paid.spend, paid.net_revenue,
    (paid.net_revenue - paid.spend) / nullif(paid.spend, 0) as roi_net, count(*) over () as total
from marts.fct_account_latest as latest
left join paid on latest.platform = paid.platform and latest.account_id = paid.account_id
order by
    latest.collaborations > 0 desc, latest.verdict in ('suspicious', 'watch')
    or latest.engagement_verdict in ('suspicious', 'watch') desc nulls last,
    latest.followers desc nulls last, latest.platform, latest.account_id
limit $most
"""

POSTS = """
select
    posts.*, left(accounts.display_name, 200) as display_name, tiers.tier, campaigns.campaign_name,
    coalesce(brands.brand_name, posts.brand) as brand_name, count(*) over () as total
from marts.fct_post as posts
left join marts.dim_account as accounts on posts.platform = accounts.platform and posts.account_id = accounts.account_id
left join marts.bridge_collaboration_tier as tiers
    on posts.collaboration_id = tiers.collaboration_id and tiers.scheme = $scheme
left join marts.dim_campaign as campaigns on posts.campaign_id = campaigns.campaign_id
left join marts.dim_brand as brands on posts.brand = brands.brand
where posts.campaign_id is not null or posts.collaboration_id is not null
order by posts.engagements desc nulls last, posts.platform, posts.post_id
limit $most
"""

MONEY_MARTS = ("fct_campaign_roi", "fct_return_daily", "dim_brand", "dim_collaboration", "bridge_collaboration_tier")
COLLABORATION_MARTS = (*MONEY_MARTS, "fct_collaboration_roi", "dim_account", "dim_campaign")
ACCOUNT_MARTS = ("fct_account_latest", "fct_collaboration_roi", "dim_brand")
POST_MARTS = ("fct_post", "dim_account", "dim_campaign", "dim_brand", "bridge_collaboration_tier")


def as_of(source: Source) -> Row:
    """The last day up to which money is counted, null where none is, and the currency of all amounts."""
    return source.row(AS_OF)


def totals(source: Source, day: date) -> Row | None:
    """Spend, credited net revenue and ROI up to the day, and up to 7 and 30 days before; null before any money.

    `by_model` has the lowest and the highest ROI under the ways of crediting whose credits are whole orders.
    """
    sums = {row["days_before"]: row for row in source.rows(SUMS, model=MODEL, as_of=day)}
    now = sums.get(0)
    if now is None:
        return None
    others = [
        row["roi_net"]
        for row in source.rows(BY_MODEL, models=list(WHOLE_MODELS), as_of=day)
        if row["roi_net"] is not None
    ]
    month, earlier = (
        {key: _less(sums.get(first), sums.get(last), key) for key in ("spend", "net_revenue")}
        for first, last in ((0, 30), (30, 60))
    )
    changes = [
        (days, None if now["roi_net"] is None or before["roi_net"] is None else now["roi_net"] - before["roi_net"])
        for days in BEFORE
        if (before := sums.get(days))
    ]
    is_known = now["roi_net"] is not None and others
    return now | {
        "changes": changes,
        "month": month,
        "earlier": earlier if sums.get(30) else None,
        "models": (min(others), max(others)) if is_known else None,
    }


def _less(row: Row | None, taken: Row | None, key: str) -> Any:
    if row is None or row[key] is None:
        return None
    return row[key] - ((taken or {}).get(key) or 0)


def campaign_name(row: Row) -> str:
    """A campaign's name as people read it, no longer than a cell of a table."""
    if row["campaign_id"] in (None, ALWAYS_ON):
        return OUTSIDE_CAMPAIGNS
    return clip(str(row["campaign_name"] or "").strip() or str(row["campaign_id"]), LONGEST_TEXT)


def posts_href(name: str) -> str:
    """A link that shows the posts of one campaign in the table of posts."""
    return f"#posts?Campaign={quote(name, safe='')}"


def campaigns(source: Source, day: date) -> list[Row]:
    """Every campaign with what it cost and returned, and its ROI 7 and 30 days before; the largest spend first."""
    scheme = source.settings.default_scheme
    found = []
    for row in source.rows(CAMPAIGNS, model=MODEL, scheme=scheme, as_of=day, most=MAX_ROWS):
        name = campaign_name(row)
        found.append(
            row
            | {
                "name": name,
                "name_id": row["campaign_id"],
                "name_href": posts_href(name) if row["posts"] else None,
                "is_simulated": row["data_origin"] == "simulated",
                "platforms": sorted(platform(code) for code in row["platforms"]),
                "tiers": [label(tier) for tier in row["tiers"]],
                "aim": row["objective"] and str(row["objective"]).replace("_", " ").capitalize(),
                "state": STATES.get(row["roi_basis"], row["roi_basis"]),
            }
        )
    return found


def collaborations(source: Source, common: Common, day: date) -> list[Row]:
    """Collaborations with what each cost and returned, the largest spend first, as many as a table holds."""
    scheme = source.settings.default_scheme
    found = source.rows(COLLABORATIONS, model=MODEL, scheme=scheme, as_of=day, most=MAX_ROWS)
    for row in found:
        row |= _person(common, row, row["collaboration_id"]) | {
            "campaign": campaign_name(row),
            "partner": PARTNERS.get(row["partner_type"], row["partner_type"]),
            "state": STATES.get(row["roi_basis"], row["roi_basis"]),
        }
    return found


def accounts(source: Source, common: Common) -> list[Row]:
    """Accounts as last known: those with a collaboration first, then those with evidence, then the largest."""
    found = source.rows(ACCOUNTS, model=MODEL, most=MAX_ROWS)
    for row in found:
        verdicts = [verdict for verdict in (row["verdict"], row["engagement_verdict"]) if verdict]
        worst = min(verdicts, key=VERDICT_ORDER.index, default="insufficient_data")
        row |= _person(common, row, row["account_id"]) | {"worst": worst, "verdict_name": VERDICTS[worst]}
    return found


def posts(source: Source, common: Common) -> list[Row]:
    """Posts of campaigns and collaborations, those with most engagements first, as many as a table holds."""
    found = source.rows(POSTS, scheme=source.settings.default_scheme, most=MAX_ROWS)
    for row in found:
        row |= _person(common, row, row["post_id"]) | {
            "campaign": campaign_name(row),
            "sponsored": {True: "Marked as ad", False: "Not marked", None: None}[row["is_sponsored"]],
            "kind": row["content_type"] and str(row["content_type"]).replace("_", " ").capitalize(),
            "er": row["er_followers"],
        }
    return found


def _person(common: Common, row: Row, shown_id: str) -> Row:
    """Who a row is about, as a cell of a table shows it."""
    name = (row["display_name"] or "").strip() or row["account_id"] or "unknown"
    return {
        "name": name,
        "name_id": shown_id,
        "name_href": common.pages.get((row["platform"], row["account_id"])),
        "is_simulated": row["data_origin"] == "simulated",
        "platform_name": None if row["platform"] is None else platform(row["platform"]),
        "tier_label": None if row["tier"] is None else label(row["tier"]),
    }


def least_spend(rows: Iterable[Row], key: str) -> Any:
    """The median spend of those that spent anything; null when nobody did."""
    spent = [row[key] for row in rows if row[key]]
    return median(spent) if spent else None


def least_of_campaigns(rows: list[Row]) -> float | None:
    """What a campaign has to have spent to be best or worst: a share of all spend; null when nothing was spent."""
    spent = rows[0]["all_spend"] if rows else None
    return float(spent) * LEAST_SHARE if spent else None


def best_and_worst(rows: Iterable[Row], key: str, least: Any, most: int) -> tuple[list[Row], list[Row]]:
    """Those of highest and of lowest ROI among rows that spent at least so much, each row in one list alone."""
    ranked = sorted(
        (row for row in rows if row["roi_net"] is not None and least is not None and row[key] and row[key] >= least),
        key=lambda row: (-row["roi_net"], str(row["name_id"])),
    )
    half = min(most, (len(ranked) + 1) // 2)
    best, worst = ranked[:half], list(reversed(ranked[half:][-most:]))
    # A loss is among the best only where nobody gained, and a gain among the worst only where nobody lost.
    return (
        [row for row in best if row["roi_net"] >= 0] or best,
        [row for row in worst if row["roi_net"] < 0] or worst,
    )


def to_keep(rows: Iterable[Row], least: Any, most: int) -> list[Row]:
    """Accounts whose collaborations earned more than they cost and whose counts nothing speaks against."""
    kept = [row for row in rows if row["worst"] not in ("suspicious", "watch") and (row["roi_net"] or 0) > 0]
    return best_and_worst(kept, "spend", least, len(kept) * 2)[0][:most]


def to_question(rows: Iterable[Row], least: Any, most: int) -> list[Row]:
    """Paid accounts whose counts look bought, then those whose are worth a look, then those that lost most money."""
    paid = [row for row in rows if row["collaborations"]]
    doubted = sorted(
        (row for row in paid if row["worst"] in ("suspicious", "watch")),
        key=lambda row: (VERDICT_ORDER.index(row["worst"]), -(row["spend"] or 0), str(row["name_id"])),
    )
    lost = sorted(
        (
            row
            for row in paid
            if row not in doubted and (row["roi_net"] or 0) < 0 and least is not None and row["spend"] >= least
        ),
        key=lambda row: (row["net_revenue"] - row["spend"], str(row["name_id"])),
    )
    share = max(most - len(lost), (most + 1) // 2)
    return [*doubted[:share], *lost][:most]
