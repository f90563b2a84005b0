"""All campaigns in a table, the best and the worst of those that spent enough."""

from serving.report import returns
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tables import Column, table
from serving.report.tiers import Common

LISTED = 5


def read(source: Source, common: Common) -> Row | None:
    """Campaigns up to the last day of money; null where nothing was spent or sold."""
    of = returns.as_of(source)
    rows = returns.campaigns(source, of["as_of"]) if of["as_of"] else []
    if not rows:
        return None
    least = returns.least_of_campaigns(rows)
    best, worst = returns.best_and_worst(rows, "spend_base", least, LISTED)
    columns = (
        Column("name", "Campaign", "who"),
        Column("roi_net", "ROI", "roi", meaning="(back − out) / out"),
        Column("spend_base", "Out", "money", least=True, meaning="What was spent"),
        Column("net_revenue_base", "Back", "money", meaning="Net revenue credited to it"),
        Column("roi_7_days", "ROI 7 days before", "roi"),
        Column("roi_30_days", "ROI 30 days before", "roi"),
        Column("roi_profit", "Profit ROI", "roi", meaning="The cost of the goods taken off as well"),
        Column("brand_name", "Brand", filters=True),
        Column("aim", "Aim", filters=True),
        Column("platforms", "Platform", filters=True),
        Column("tiers", "Tier", filters=True, order=common.labels),
        Column("start_date", "From", "day"),
        Column("end_date", "To", "day"),
        Column("collaborations", "Collaborations", "count"),
        Column("orders", "Orders", "count"),
        Column("cpa", "Out per order", "money"),
        Column("posts", "Posts", "count"),
        Column("views_known", "Views known", "count"),
        Column("cpm_views_known", "Out per 1,000 views", "money", meaning="Over the posts whose views are known"),
        Column("state", "Figures are", filters=True),
    )
    return {
        **of,
        "best": best,
        "worst": worst,
        "least": least,
        "table": table(
            "campaigns",
            "All campaigns",
            columns,
            rows,
            of["as_of"],
            rows[0]["total"],
            "those that spent most",
        ),
    }


SECTION = Section("campaigns", "Campaigns", read, returns.MONEY_MARTS)
