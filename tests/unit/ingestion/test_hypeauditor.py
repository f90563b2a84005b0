"""Three real layouts with YAML alone. The files carry no licence, so they are read where they lie, beside the project.

Each count stands there twice, as people read it (48.5M) and as a number: an answer key for the parser, read here by the
csv module alone.
"""

import csv
import json
import os
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR

from ..conftest import Yard

SHARED = Path(os.environ.get("GROUNDSWELL_SHARED_DATA", PROJECT_DIR.parent / "shared" / "data")) / "hype"
NULLS = {"-", "N/A", "N/A'", "#VALOR!", ""}
# File, position of the followers' text and number, of the id, of the country; rows of one id that differ.
FILES = {"ig_2022_00.csv": (4, 5, 0, 6), "tt_2022_06.csv": (2, 3, 0, None), "yt_2022_00.csv": (3, 4, 0, 5)}

# ISO 3166 of the names that the lists hold.
COUNTRIES = {
    "Albania": "AL", "Algeria": "DZ", "Argentina": "AR", "Bangladesh": "BD", "Brazil": "BR", "Chile": "CL", "China":
    "CN", "Colombia": "CO", "Cyprus": "CY", "Ecuador": "EC", "Egypt": "EG", "France": "FR", "Germany": "DE",
    "India": "IN", "Indonesia": "ID", "Iran": "IR", "Iraq": "IQ", "Italy": "IT", "Japan": "JP", "Mexico": "MX",
    "Morocco": "MA", "Nigeria": "NG", "Pakistan": "PK", "Peru": "PE", "Philippines": "PH", "Poland": "PL", "Russia":
    "RU", "Saudi Arabia": "SA", "Serbia": "RS", "Singapore": "SG", "South Korea": "KR", "Spain": "ES", "Syria":
    "SY", "Thailand": "TH", "Turkey": "TR", "Ukraine": "UA", "United Arab Emirates": "AE", "United Kingdom": "GB",
    "United States": "US",
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="needs the HypeAuditor lists, which carry no licence to copy"
)


def source(name: str) -> list[list[str]]:
    with (SHARED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.mark.parametrize("name", FILES)
def test_text_counts_equal_their_number_twins_and_nulls_are_null(yard: Yard, name: str) -> None:
    text_at, number_at, id_at, country_at = FILES[name]
    yard.drop(f"hype/{name}", (SHARED / name).read_bytes())
    yard.land()
    rows = source(name)
    batch = yard.batch(f"hype/{name}")
    assert batch["rows_read"] == len(rows)
    landed = {
        row[0]: row[1:] for row in yard.rows(f"hype/{name}", "account_id, followers, country, followers_null_reason")
    }
    seen: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        seen.setdefault(row[id_at].strip(), set()).add(tuple(row))
    once = {row[id_at].strip(): row for row in rows if len(seen[row[id_at].strip()]) == 1}
    assert set(landed) == set(once), "rows of one id that differ are quarantined, all others land"
    for account, row in once.items():
        followers, country, why = landed[account]
        number = row[number_at].strip()
        assert followers == (None if number in NULLS else int(number)), row
        assert (why is None) == (followers is not None)
        assert (row[text_at] in NULLS) == (followers is None)
        if country_at is not None:
            assert country == COUNTRIES.get(row[country_at].strip()), row


def test_every_twin_column_of_text_counts_equals_its_numbers(yard: Yard) -> None:
    """All twin columns, not the followers' alone, through the same parser: a mapping per pair."""
    from ingestion import contracts, values
    from ingestion.mapping import grammar

    column = contracts.FeedColumn(type="count")
    way = grammar.ColumnSource.model_validate({"from": "x", "parse": "number"})
    mapping = grammar.Mapping.model_validate({"mapping": "m", "pattern": "*", "feed": "brands", "columns": {}})
    import duckdb

    pairs = {"ig_2022_00.csv": [(4, 5), (7, 8), (9, 10)], "tt_2022_06.csv": [(2, 3), (4, 5), (6, 7), (8, 9), (10, 11)],
             "yt_2022_00.csv": [(3, 4), (6, 7), (8, 9), (10, 11)]}  # fmt: skip
    compared = 0
    for name, columns in pairs.items():
        for text_at, number_at in columns:
            cells = [(row[text_at].strip(), row[number_at].strip()) for row in source(name)]
            known = [(text, number) for text, number in cells if text not in NULLS and number not in NULLS]
            found = duckdb.execute(
                f"select text, {values.Reading(column, way, mapping).value('text')} from (select unnest($texts) as text)",
                {"texts": [text for text, _ in known]},
            ).fetchall()
            assert [value for _, value in found] == [int(float(number)) for _, number in known]
            compared += len(known)
    assert compared > 10_000


def test_what_else_stands_in_a_row_is_kept(yard: Yard) -> None:
    yard.drop("hype/ig_2022_00.csv", (SHARED / "ig_2022_00.csv").read_bytes())
    yard.land()
    extra = json.loads(yard.rows("hype/ig_2022_00.csv", "extra")[0][0])
    assert extra["Followers Numbers"] == source("ig_2022_00.csv")[0][5]
