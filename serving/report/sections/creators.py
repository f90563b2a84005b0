"""Who to keep, who to question, who engages; and all accounts in a table."""

from serving.report import returns
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tables import Column, table
from serving.report.tiers import Common
from serving.report.words import VERDICTS

LISTED = 8


def read(source: Source, common: Common) -> Row | None:
    """Accounts as last known, with what their collaborations returned; null without any."""
    rows = returns.accounts(source, common)
    if not rows:
        return None
    least = returns.least_spend(rows, "spend")
    engaged = sorted(
        (row for row in rows if row["er_percentile"] is not None and row["worst"] not in ("suspicious", "watch")),
        key=lambda row: (-row["er_percentile"], -(row["er_followers_median_30"] or 0), row["name_id"]),
    )
    currency = returns.as_of(source)["currency"] if source.holds("fct_campaign_roi") else None
    columns = (
        Column("name", "Creator", "who"),
        Column("followers", "Followers", "count"),
        Column("followers_growth_7d", "In 7 days", "roi", meaning="Change of followers in 7 days"),
        Column("followers_growth_28d", "In 28 days", "roi", meaning="Change of followers in 28 days"),
        Column("er_followers_median_30", "ER", "share", meaning="Likes and comments for each follower"),
        Column("er_percentile", "ER among peers", "count", meaning="Of 100 accounts of its tier and platform"),
        Column("verdict_name", "Counts", filters=True, order=tuple(VERDICTS.values())),
        Column("trust_score", "Score", "count", meaning="Of its followers: 100 means that nothing speaks against them"),
        Column("roi_net", "ROI", "roi"),
        Column("spend", "Out", "money", least=True),
        Column("net_revenue", "Back", "money"),
        Column("platform_name", "Platform", filters=True),
        Column("tier_label", "Tier", filters=True, order=common.labels),
        Column("brands", "Brand", filters=True),
        Column("niche", "Niche", filters=True),
        Column("country", "Country", filters=True),
        Column("collaborations", "Collaborations", "count"),
        Column("price_base", "Price of a post", "money"),
        Column("followers_date", "Count of", "day", meaning="Day of the follower count"),
    )
    day = common.figures["latest_day"]
    kept = "those with a collaboration, then those whose counts need a look, then the largest"
    return {
        "currency": currency,
        "least": least,
        "keep": returns.to_keep(rows, least, LISTED),
        "question": returns.to_question(rows, least, LISTED),
        "engaged": engaged[:LISTED],
        "table": table("creators", "All creators", columns, rows, day, rows[0]["total"], kept),
    }


SECTION = Section("creators", "Creators", read, returns.ACCOUNT_MARTS)
