"""Graduation: how many accounts of a tier turned into the next larger one, and how soon."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

ROWS = """
with ranks as (select tier, min(tier_rank) as tier_rank from marts.dim_tier_scheme where scheme = $scheme group by tier)

select graduation.*
from marts.fct_tier_graduation as graduation
left join ranks on graduation.from_tier = ranks.tier
where graduation.scheme = $scheme
order by graduation.platform, ranks.tier_rank, graduation.from_tier, graduation.horizon_days
"""


def read(source: Source, common: Common) -> Row | None:
    """One row per platform and step up, its horizons side by side; null while no account has held a tier."""
    steps: dict[tuple[str, str, str], Row] = {}
    rows = source.rows(ROWS, scheme=source.settings.default_scheme)
    for row in rows:
        step = steps.setdefault(
            (row["platform"], row["from_tier"], row["to_tier"]),
            {
                "platform": row["platform"],
                "from": label(row["from_tier"]),
                "to": label(row["to_tier"]),
                "median_days": row["median_days_in_tier"],
                "closed": row["closed_spells"],
                "is_simulated": False,
                "by_horizon": {},
            },
        )
        step["by_horizon"][row["horizon_days"]] = row
        step["is_simulated"] |= row["data_origin"] == "simulated"
    if not steps:
        return None
    horizons = sorted({row["horizon_days"] for row in rows})
    return {"steps": list(steps.values()), "horizons": horizons, "is_early": not any(row["accounts"] for row in rows)}


SECTION = Section("graduation", "Graduation", read, ("fct_tier_graduation", "dim_tier_scheme"))
