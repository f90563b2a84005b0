"""Claims of the trade press on this warehouse's own data, as a scorecard."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common
from serving.report.words import MODELS

VERDICTS = ("holds", "does not hold", "simulated", "not enough data")

ROWS = "select * from marts.fct_claim_check order by claim, platform"
SIDES = "select * from marts.fct_claim_side order by claim, platform, side"


def read(source: Source, common: Common) -> Row | None:
    """One row per claim with its checks, the evaluated ones first; null before the first build of the mart."""
    sides: dict[tuple[str, str], list[str]] = {}
    for row in source.rows(SIDES):
        text = f"{row['side_name']}: {significant(row['observed'])} ({row['unit_count']:,})"
        sides.setdefault((row["claim"], row["platform"]), []).append(text)
    claims: dict[str, Row] = {}
    for row in source.rows(ROWS):
        claim = claims.setdefault(row["claim"], {**row, "tested_as": plain(row["tested_as"]), "checks": []})
        claim["checks"].append(_check(row, sides.get((row["claim"], row["platform"]), [])))
    if not claims:
        return None
    found = [check["verdict"] for claim in claims.values() for check in claim["checks"]]
    return {
        "claims": sorted(claims.values(), key=_rank),
        "counts": [(verdict, found.count(verdict)) for verdict in VERDICTS],
        "as_of": next(iter(claims.values()))["as_of_date"],
    }


def plain(tested_as: str) -> str:
    """How a claim was tested, with ways of crediting by the name that people read."""
    for code, (name, _) in MODELS.items():
        tested_as = tested_as.replace(f"model {code}", f"credited by {name.lower()}")
    return tested_as


def _rank(claim: Row) -> tuple[int, str]:
    return min(VERDICTS.index(check["verdict"]) for check in claim["checks"]), str(claim["claim"])


def _check(row: Row, sides: list[str]) -> Row:
    """A check in words: its figure with the interval, and on which side that lies."""
    interval = None
    if row["interval_low"] is not None:
        interval = f"{significant(row['interval_low'])} to {significant(row['interval_high'])}"
    return {
        **row,
        "figure": significant(row["observed"]),
        "interval": interval,
        "sides": "; ".join(sides),
        "leans": {"claimed": "on the claimed side", "other": "on the other side"}.get(row["interval_side"]),
    }


def significant(value: float | None) -> str:
    """A figure to three significant digits, whatever its unit."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


SECTION = Section("claims", "Claims", read, ("fct_claim_check", "fct_claim_side"))
