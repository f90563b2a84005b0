"""All collaborations in a table: what each agreement with a creator cost and returned."""

from serving.report import returns
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tables import Column, table
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row | None:
    """Collaborations up to the last day of money; null where there is none."""
    of = returns.as_of(source)
    rows = returns.collaborations(source, common, of["as_of"]) if of["as_of"] else []
    if not rows:
        return None
    columns = (
        Column("name", "Creator", "who"),
        Column("roi_net", "ROI", "roi", meaning="(back − out) / out"),
        Column("spend_base", "Out", "money", least=True, meaning="What was spent"),
        Column("net_revenue_base", "Back", "money", meaning="Net revenue credited to it"),
        Column("roi_7_days", "ROI 7 days before", "roi"),
        Column("roi_30_days", "ROI 30 days before", "roi"),
        Column("campaign", "Campaign", filters=True),
        Column("brand_name", "Brand", filters=True),
        Column("platform_name", "Platform", filters=True),
        Column("tier_label", "Tier", filters=True, order=common.labels),
        Column("partner", "Partner", filters=True),
        Column("start_date", "From", "day"),
        Column("orders", "Orders", "count"),
        Column("cpa", "Out per order", "money"),
        Column("posts", "Posts", "count"),
        Column("views_known", "Views known", "count"),
        Column("engagements_known", "Likes and comments", "count"),
        Column("emv", "Media value", "money", meaning="Earned media value: no money, and in no ROI"),
        Column("state", "Figures are", filters=True),
    )
    kept = "those that spent most"
    return {
        **of,
        "table": table("collaborations", "All collaborations", columns, rows, of["as_of"], rows[0]["total"], kept),
    }


SECTION = Section("collaborations", "Collaborations", read, returns.COLLABORATION_MARTS)
