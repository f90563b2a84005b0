"""Engagement by tier: how the accounts of a tier spread, beside what vendors publish for the same formula."""

from datetime import date
from typing import Any

from serving.report import ranges
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

# What may be drawn of a platform, the first choice first.
MEASURES = {
    "er_followers_median_30": "(likes + comments) / followers, median of the latest 30 posts",
    "er_views_median_30": "(likes + comments) / views, median of the latest 30 posts",
    "like_rate_views_median_30": "likes / views, median of the latest 30 posts (the source counts no comments)",
}

# The latest day of each platform on which any account of a tier has a rate, whether 30 have or not.
CELLS = """
with cells as (
    select * from marts.fct_tier_benchmark_daily where scheme = $scheme and niche = '*' and country = '*'
),

latest as (select platform, max(snapshot_date) as snapshot_date from cells where account_count > 0 group by platform),

bounds as (
    select tier, platform, tier_rank, min_followers, max_followers
    from marts.dim_tier_scheme where scheme = $scheme
    qualify row_number() over (partition by tier, platform order by valid_from desc) = 1
)

select cells.*, bounds.tier_rank, bounds.min_followers, bounds.max_followers
from cells
join latest on cells.platform = latest.platform and cells.snapshot_date = latest.snapshot_date
left join bounds on cells.tier = bounds.tier and bounds.platform in (cells.platform, '*')
qualify row_number() over (partition by cells.platform, cells.tier order by bounds.platform = '*') = 1
order by cells.platform, bounds.tier_rank, cells.tier
"""

# The latest edition of each published band. A vendor's band need not be a tier: all that overlap it are shown.
PUBLISHED = """
select * from marts.dim_er_benchmark where level = 'average'
qualify row_number() over (partition by source, platform, statistic, denominator, band order by as_of_date desc) = 1
order by platform, min_followers, source
"""


def read(source: Source, common: Common) -> Row | None:
    """Platforms with their tiers' benchmarks and the published bands of the same formula; null without any."""
    cells = source.rows(CELLS, scheme=source.settings.default_scheme)
    published = source.rows(PUBLISHED) if source.holds("dim_er_benchmark") else []
    platforms = [
        _platform(platform, [cell for cell in cells if cell["platform"] == platform], published)
        for platform in sorted({cell["platform"] for cell in cells})
    ]
    return {"platforms": platforms} if platforms else None


def _platform(platform: str, cells: list[Row], published: list[Row]) -> Row:
    measure = _measure(cells)
    same = [band for band in published if band["platform"] == platform and band["compare_with"] == measure]
    tiers = [{**cell, "bands": [band for band in same if _overlaps(cell, band)]} for cell in cells]
    drawn: list[float | None] = [cell[f"{measure}_p90"] for cell in tiers]
    top = ranges.scale_top(
        [*drawn, *(band["high"] and float(band["high"]) for cell in tiers for band in cell["bands"])]
    )
    return {
        "platform": platform,
        "day": _day(cells),
        "measure": measure,
        "formula": MEASURES[measure],
        "ticks": ranges.ticks(top),
        "tiers": [_tier(cell, measure, top) for cell in tiers],
        "other_formula": sum(band["platform"] == platform for band in published) - len(same),
        "simulated": any(cell["data_origin"] == "simulated" for cell in cells),
    }


def _measure(cells: list[Row]) -> str:
    """The first measure that a tier has a benchmark for; else the first that any account has, else the first."""
    for is_there in ("p50", "account_count"):
        for name in MEASURES:
            if any(cell[f"{name}_{is_there}"] for cell in cells):
                return name
    return next(iter(MEASURES))


def _day(cells: list[Row]) -> date:
    day: date = cells[0]["snapshot_date"]
    return day


def _overlaps(cell: Row, band: Row) -> bool:
    """Whether a published band has followers in common with a tier."""
    low, high = cell["min_followers"], cell["max_followers"]
    if low is None:
        return False
    return (band["max_followers"] is None or band["max_followers"] > low) and (
        high is None or band["min_followers"] < high
    )


def _tier(cell: Row, measure: str, top: float) -> Row:
    return {
        "tier": cell["tier"],
        "label": label(cell["tier"]),
        "n": cell["account_count"],
        "known": cell[f"{measure}_account_count"],
        "suspicious": cell["suspicious_account_count"],
        "is_simulated": cell["data_origin"] == "simulated",
        "er": ranges.spread(cell, measure, top),
        "views": cell["er_views_median_30_p50"],
        "reach": cell["er_reach_median_30_p50"],
        "likes": cell["like_rate_views_median_30_p50"],
        "bands": [_band(band, top) for band in cell["bands"]],
    }


def _band(band: Row, top: float) -> Row:
    low, high = (None if band[end] is None else float(band[end]) for end in ("low", "high"))
    bar: Any = ranges.span(low, high, top)
    return {**band, "low": low, "high": high, "bar": bar}


SECTION = Section("engagement", "Engagement", read, ("fct_tier_benchmark_daily", "dim_tier_scheme"))
