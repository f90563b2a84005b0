"""Hostile small files in bulk: no crash, no row unaccounted for. `make fuzz` lands 20,000."""

from pathlib import Path

import pytest

from ingestion import raw
from ingestion.config import Settings

from ..conftest import GOOD_FILE, Yard
from . import hostile


@pytest.mark.parametrize("seed", [1, 2])
def test_hostile_files_neither_stop_the_run_nor_lose_a_row(settings: Settings, seed: int) -> None:
    raw.write_empty_schemas(settings)
    landed, *_ = hostile.land(settings, seed, 300)
    states = hostile.account(settings)
    assert landed.files_new + len(landed.files_waiting) <= landed.files_seen
    # A maker whose files all fail, or all land, would test one half alone.
    assert min(states["accepted"], states["quarantined"]) > 20


def test_the_accounting_notices_a_lost_row(yard_with_good: Yard) -> None:
    yard_with_good.land()
    hostile.account(yard_with_good.settings)
    file = next(Path(yard_with_good.settings.raw / "account_snapshots").glob("snapshot_date=*/*.parquet"))
    import duckdb

    duckdb.execute(f"copy (select * from '{file}' limit 1) to '{file}.new' (format parquet)")
    Path(f"{file}.new").replace(file)
    with pytest.raises(AssertionError):
        hostile.account(yard_with_good.settings)
    assert yard_with_good.batch(GOOD_FILE)["rows_accepted"] == 2


def test_each_of_many_broken_lines_is_found(yard: Yard) -> None:
    # Compared pair by pair, as a join with more conditions than the offset does, these would take minutes.
    broken = 20_000
    path = "account_snapshots/commas.csv"
    rows = (
        line
        for number in range(broken)
        for line in (f"youtube,a{number},2026-01-05T03:00:00Z,1", f"youtube,b{number},2026-01-05T03:00:00Z,1,Doe, Ann")
    )
    yard.drop_rows(path, *rows, header="platform,account_id,captured_at,followers")
    yard.land()
    (batch,) = yard.batches()
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_quarantined"]) == (2 * broken, broken, broken)
    # The header is line 1, so the good rows stand in the even lines and the broken ones in the odd.
    assert [row[0] for row in yard.rejects(path)] == [3 + 2 * number for number in range(broken)]
    assert yard.rows(path, "source_line, account_id")[-1] == (2 * broken, f"a{broken - 1}")
