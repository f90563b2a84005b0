"""Posts of campaigns and collaborations in a table, those with most engagements first."""

from serving.report import returns
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tables import Column, table
from serving.report.tiers import Common


def read(source: Source, common: Common) -> Row | None:
    """Posts with their last known counts; null where no post belongs to a campaign."""
    rows = returns.posts(source, common)
    if not rows:
        return None
    columns = (
        Column("name", "Creator and post", "who"),
        Column("views", "Views", "count"),
        Column("engagements", "Likes and comments", "count"),
        Column("er", "ER", "share", meaning="Likes and comments for each follower at publication"),
        Column("campaign", "Campaign", filters=True),
        Column("brand_name", "Brand", filters=True),
        Column("platform_name", "Platform", filters=True),
        Column("tier_label", "Tier", filters=True, order=common.labels),
        Column("published_date", "Published", "day"),
        Column("kind", "Kind", filters=True),
        Column("sponsored", "Ad label", filters=True),
        Column("likes", "Likes", "count"),
        Column("comments", "Comments", "count"),
        Column("shares", "Shares", "count"),
        Column("reach", "Reach", "count"),
    )
    day = common.figures["latest_day"]
    kept = "those with most likes and comments"
    return {"table": table("posts", "Posts of campaigns", columns, rows, day, rows[0]["total"], kept)}


SECTION = Section("posts", "Posts", read, returns.POST_MARTS)
