"""Reach rate by tier, with how much of it is known: reach is mostly told to owners alone."""

from serving.report import ranges
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

MEASURE = "reach_rate_median_30"

CELLS = f"""
with cells as (
    select * from marts.fct_tier_benchmark_daily where scheme = $scheme and niche = '*' and country = '*'
),

latest as (select platform, max(snapshot_date) as snapshot_date from cells where account_count > 0 group by platform),

-- Coverage is of the default scheme's tier, whose benchmark the row shows, suspicious accounts included.
covered as (
    select
        platform, snapshot_date, tier, count(*) filter (where posts_in_window > 0) as posting,
        count({MEASURE}) as known, median(reach_coverage) filter (where {MEASURE} is not null) as posts_known
    from marts.fct_account_engagement_daily
    where (platform, snapshot_date) in (select (platform, snapshot_date) from latest)
    group by all
),

ranks as (select tier, min(tier_rank) as tier_rank from marts.dim_tier_scheme where scheme = $scheme group by tier)

select cells.*, covered.posting, covered.known, covered.posts_known
from cells
join latest on cells.platform = latest.platform and cells.snapshot_date = latest.snapshot_date
left join covered on cells.platform = covered.platform and cells.tier = covered.tier
left join ranks on cells.tier = ranks.tier
order by cells.platform, ranks.tier_rank, cells.tier
"""


def read(source: Source, common: Common) -> Row | None:
    """Tiers of each platform; null while nobody's reach is known."""
    cells = source.rows(CELLS, scheme=source.settings.default_scheme)
    known = {cell["platform"] for cell in cells if cell["known"]}
    top = ranges.scale_top(cell[f"{MEASURE}_p90"] for cell in cells)
    rows = [
        {
            "platform": cell["platform"],
            "tier": cell["tier"],
            "label": label(cell["tier"]),
            "day": cell["snapshot_date"],
            "posting": cell["posting"] or 0,
            "known": cell["known"] or 0,
            "coverage": (cell["known"] or 0) / cell["posting"] if cell["posting"] else None,
            "posts_known": cell["posts_known"],
            "is_simulated": cell["data_origin"] == "simulated",
            "rate": ranges.spread(cell, MEASURE, top),
        }
        for cell in cells
        if cell["platform"] in known
    ]
    return {"rows": rows, "ticks": ranges.ticks(top)} if rows else None


SECTION = Section(
    "reach", "Reach", read, ("fct_tier_benchmark_daily", "fct_account_engagement_daily", "dim_tier_scheme")
)
