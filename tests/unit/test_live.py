"""The live test says what it needs before it starts anything; what it expects of arrivals is what it plays."""

import gzip
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tests.live.bluesky import named_in
from tests.live.follows import arrivals_on
from tests.live.network import FILES, PROGRAMS, NotThere, tools_of

FIRST = date(2026, 1, 5)


def test_without_the_folder_it_says_how_to_name_it() -> None:
    with pytest.raises(NotThere, match="make live-test BLUESKY_TOOLS=/path/to/folder"):
        tools_of({})


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(NotThere) as found:
        tools_of({"BLUESKY_TOOLS": str(tmp_path), "PATH": str(tmp_path)})
    assert [line.partition(" is not ")[0] for line in str(found.value).splitlines()[:-1]] == [
        *(str(tmp_path / file) for file in FILES),
        *PROGRAMS,
    ]
    for file in (*FILES, *PROGRAMS):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch(mode=0o755)
    assert tools_of({"BLUESKY_TOOLS": str(tmp_path), "PATH": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize(
    ("creator", "day", "counted"),
    [
        # 13 came before the first day. The first of two a year before is in no count.
        (0, 1, {"2024-11-30": 1, "2025-12-05": 2, "2026-01-04": 9}),
        # Of the 6 of the second day one came after its capture, a millisecond before the one of the third day.
        (0, 2, {"2024-11-30": 1, "2025-12-05": 2, "2026-01-04": 9, "2026-01-06": 5}),
        (0, 3, {"2024-11-30": 1, "2025-12-05": 2, "2026-01-04": 9, "2026-01-06": 6, "2026-01-07": 1}),
        # The first came long before, so that all 4 of the third day are counted; one of them leaves on the sixth.
        (1, 3, {"2026-01-07": 4}),
        (1, 6, {"2026-01-07": 3, "2026-01-08": 1}),
        # The only one of the fourth day leaves on the seventh, and comes back on the eighth.
        (1, 7, {"2026-01-07": 3}),
        (1, 8, {"2026-01-07": 3, "2026-01-12": 1}),
        # The first of all leaves: another is the first.
        (1, 10, {"2026-01-07": 2, "2026-01-12": 1}),
        (2, 12, {}),
        (3, 12, {}),
        (4, 5, {}),
        (4, 6, {"2026-01-10": 1}),
        (5, 3, {"2026-01-06": 2}),
        (5, 4, {}),
    ],
)
def test_what_a_capture_must_count(creator: int, day: int, counted: dict[str, int]) -> None:
    found = {str(arrival): followers for whose, arrival, followers in arrivals_on(FIRST, day) if whose == creator}
    assert found == counted


def _parquet(path: Path, name: str) -> None:
    duckdb.sql(f"copy (select '{name}' as account) to '{path}.parquet' (compression zstd)")


def _database(path: Path, name: str) -> None:
    with duckdb.connect(f"{path}.duckdb") as database:
        database.execute("create schema marts")
        database.execute(f"create table marts.rows as select '{name}' as account from range(5000)")


WRITE: dict[str, Callable[[Path, str], object]] = {
    "plain": lambda path, name: path.write_text(f"line\n{name}\n"),
    "packed": lambda path, name: path.write_bytes(gzip.compress(name.encode())),
    "parquet": _parquet,
    "database": _database,
}


@pytest.mark.parametrize("kind", WRITE)
def test_a_name_is_found_however_it_is_packed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "below").mkdir()
    WRITE[kind](tmp_path / "below" / "file", "did:plc:somebody")
    assert list(named_in(tmp_path, ["did:plc:nobody"])) == []
    [place] = named_in(tmp_path, ["did:plc:nobody", "did:plc:somebody"])
    assert place.startswith("below/file")
