"""How many accounts of a tier equal one of a higher tier, in followers, reach and engagements, and at what price."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

MEASURES = ("followers", "reach", "engagements")

# The latest day of each platform on which a number is known, else its latest day with two tiers.
LATEST = """
with days as (
    select
        platform, snapshot_date,
        max(coalesce(account_count_followers, account_count_reach, account_count_engagements)) is not null as is_known
    from marts.fct_tier_equivalence group by platform, snapshot_date
),

shown as (
    select * from days qualify row_number() over (partition by platform order by is_known desc, snapshot_date desc) = 1
),

ranks as (select scheme, tier, min(tier_rank) as tier_rank from marts.dim_tier_scheme group by scheme, tier)

select rows.*
from marts.fct_tier_equivalence as rows
join shown on rows.platform = shown.platform and rows.snapshot_date = shown.snapshot_date
left join ranks as lower_ranks on rows.scheme = lower_ranks.scheme and rows.from_tier = lower_ranks.tier
left join ranks as higher_ranks on rows.scheme = higher_ranks.scheme and rows.to_tier = higher_ranks.tier
order by rows.platform, higher_ranks.tier_rank desc, rows.to_tier, lower_ranks.tier_rank, rows.from_tier
"""


def read(source: Source, _: Common) -> Row | None:
    """A row per platform and pair of tiers on its latest day; null while no platform has accounts of two tiers."""
    rows = [
        row
        | {
            "from_label": label(row["from_tier"]),
            "to_label": label(row["to_tier"]),
            "measures": [_measure(row, measure) for measure in MEASURES],
            "is_simulated": row["data_origin"] == "simulated",
        }
        for row in source.rows(LATEST)
    ]
    if not rows:
        return None
    return {
        "rows": rows,
        "days": [
            {"platform": name, "day": day} for name, day in sorted({(r["platform"], r["snapshot_date"]) for r in rows})
        ],
        "currency": rows[0]["base_currency"],
        "suspicious": _suspicious(rows),
    }


def _measure(row: Row, measure: str) -> Row:
    """What is known of one measure: the number with its interval, or the accounts that are too few for it."""
    n, low, high = (row[f"account_count_{measure}{end}"] for end in ("", "_low", "_high"))
    accounts = (row[f"from_account_count_{measure}"], row[f"to_account_count_{measure}"])
    return {"n": n, "low": low, "high": high, "accounts": accounts, "unreached": row[f"unreached_draws_{measure}"]}


def _suspicious(rows: list[Row]) -> int:
    """Accounts of the tiers shown that were left out, each once."""
    tiers = {(row["platform"], row["from_tier"]): row["from_suspicious_account_count"] for row in rows}
    tiers |= {(row["platform"], row["to_tier"]): row["to_suspicious_account_count"] for row in rows}
    return sum(count or 0 for count in tiers.values())


SECTION = Section("equivalence", "Equivalence", read, ("fct_tier_equivalence", "dim_tier_scheme"))
