"""The seeds and the package's tables hold what the design says, worked by hand from its text."""

import csv

import pytest

from ingestion.user_config.load import DEFAULTS
from warehouse.build.dbt import DBT_PROJECT

# Design, section 2, "There is no standard for tier cut-offs": "-100,000" begins where the tier before ends,
# "from there" and a tier without an end have no upper bound, a gap has no row.
SCHEMES = {
    ("standard", "*"): [
        ("nano", 1_000, 10_000),
        ("micro", 10_000, 100_000),
        ("macro", 100_000, 1_000_000),
        ("mega", 1_000_000, None),
    ],
    ("advocacy", "*"): [
        ("nano", 3_000, 5_000),
        ("micro", 5_000, 100_000),
        ("mega", 1_000_000, None),
    ],
    ("four_layers", "*"): [
        ("nano", 500, 10_000),
        ("micro", 10_000, 100_000),
        ("macro", 100_000, 700_000),
        ("mega", 700_000, None),
    ],
    ("ecommerce", "instagram"): [
        ("nano", 0, 10_000),
        ("micro", 10_000, 50_000),
        ("celebrity", 50_000_000, None),
    ],
    ("breakout", "*"): [
        ("nano", 1_000, 5_000),
        ("micro", 10_000, 50_000),
        ("mega", 1_000_000, None),
    ],
    ("kol", "*"): [
        ("nano", 1_000, 10_000),
        ("micro", 10_000, 100_000),
        ("kol", 100_000, None),
    ],
    ("hypeauditor_2021", "*"): [
        ("nano", 1_000, 5_000),
        ("micro", 5_000, 20_000),
        ("mid", 20_000, 100_000),
        ("macro", 100_000, 1_000_000),
        ("mega", 1_000_000, None),
    ],
    ("iab_uk", "*"): [
        ("nano", 1_000, 10_000),
        ("micro", 10_000, 50_000),
        ("mid", 50_000, 500_000),
        ("macro", 500_000, 1_000_000),
        ("top", 1_000_000, 5_000_000),
        ("vip", 5_000_000, None),
    ],
}


def read_default(name: str) -> list[dict[str, str]]:
    """Rows of a table that a user may change, as the package has them."""
    with (DEFAULTS / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_seed(name: str) -> list[dict[str, str]]:
    with (DBT_PROJECT / "seeds" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def tier_rows() -> list[dict[str, str]]:
    return read_default("tier_schemes")


def test_tier_schemes_are_those_of_the_design(tier_rows):
    expected = {
        (scheme, platform, tier, rank, low, high)
        for (scheme, platform), tiers in SCHEMES.items()
        for rank, (tier, low, high) in enumerate(tiers, start=1)
    }
    seeded = [
        (
            row["scheme"],
            row["platform"],
            row["tier"],
            int(row["tier_rank"]),
            int(row["min_followers"]),
            int(row["max_followers"]) if row["max_followers"] else None,
        )
        for row in tier_rows
    ]
    assert len(seeded) == len(set(seeded)) == 31
    assert set(seeded) == expected


def test_tier_schemes_hold_since_ever_and_name_their_source(tier_rows):
    assert {(row["valid_from"], row["valid_to"]) for row in tier_rows} == {("1970-01-01", "")}
    assert all(row["source_note"].strip() for row in tier_rows)


def test_youtube_floors_subscribers_to_three_significant_digits():
    # Design, section 4, "Counts keep their reason".
    rows = [(row["platform"], row["metric"], row["significant_digits"]) for row in read_seed("count_resolutions")]
    assert rows == [("youtube", "followers", "3")]
