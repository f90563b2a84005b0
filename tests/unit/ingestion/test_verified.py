"""A raw file is hashed once by a run, and again as soon as it is not the file that was hashed."""

import os

import pytest

from ingestion import ledger, raw
from ingestion.errors import ContractError

from ..conftest import HEADER, Yard

CSV = "account_snapshots/a.csv"


def verify(yard: Yard, run_id: str | None) -> None:
    with ledger.read(yard.settings) as connection:
        files = [file.seal for file in ledger.accepted_raw_files(connection)]
    raw.verify(yard.settings, files, run_id)


@pytest.fixture
def landed(yard: Yard, hashed: list[str]) -> Yard:
    yard.drop(CSV, f"{HEADER}\nyoutube,a,2026-01-05,1\n")
    yard.land("one")
    hashed.clear()
    return yard


def test_the_run_that_wrote_it_reads_it_no_more(landed: Yard, hashed: list[str]) -> None:
    verify(landed, "one")
    assert hashed == []


def test_another_run_hashes_it_once(landed: Yard, hashed: list[str]) -> None:
    for _ in range(3):
        verify(landed, "two")
    assert len(hashed) == 1
    # What one run has seen says nothing to the next.
    verify(landed, "one")
    assert len(hashed) == 2


def test_who_is_no_run_always_hashes(landed: Yard, hashed: list[str]) -> None:
    verify(landed, None)
    verify(landed, None)
    assert len(hashed) == 2


@pytest.mark.parametrize("keeps_its_time", [False, True])
def test_other_bytes_are_found_by_the_same_run(landed: Yard, keeps_its_time: bool) -> None:
    """Of the same length as well; where the time is put back too, another inode betrays it."""
    [path] = (landed.settings.raw / "account_snapshots").rglob("snapshot_date=*/*.parquet")
    before, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)
    if keeps_its_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ContractError, match="is damaged or gone"):
        verify(landed, "one")


def test_a_damaged_file_is_damaged_each_time_it_is_requested_for(landed: Yard) -> None:
    [path] = (landed.settings.raw / "account_snapshots").rglob("snapshot_date=*/*.parquet")
    path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(ContractError, match="is damaged or gone"):
            verify(landed, "two")
