"""Keys of rows that are not loaded: what is written of them, and that an erased account is in none."""

import json
from typing import Any

import duckdb
import pytest

from ingestion import erasure

from ..conftest import Yard

HEADER = "platform,account_id,updated_at,country"
# A row whose time cannot be read is quarantined; which account it is of is known.
ROWS = ("youtube,stays,2026-01-05T03:00:00Z,FR", "youtube,gone,sometime,FR", "youtube,other,sometime,FR")


@pytest.fixture
def full(yard: Yard) -> Yard:
    """A yard with a full delivery of accounts, of which two rows are quarantined."""
    note = {"files": [{"name": "crm.csv", "delivers": "full"}]}
    yard.drop("accounts/_manifest.json", json.dumps(note))
    yard.drop_rows("accounts/crm.csv", *ROWS, header=HEADER)
    return yard


def keys(yard: Yard) -> list[tuple[Any, ...]]:
    files = [str(yard.settings.raw / row["path"]) for row in yard.query("select path from key_files")]
    query = "select record_id, kind from read_parquet(?, hive_partitioning = false) order by 1"
    return duckdb.execute(query, [files]).fetchall() if files else []


def test_a_quarantined_row_of_a_full_delivery_leaves_its_key(full: Yard) -> None:
    full.land()
    assert keys(full) == [("youtube/other", "held"), ("youtube/gone", "held")][::-1]


def test_an_erased_account_is_in_no_key(full: Yard) -> None:
    full.land()
    number = erasure.begin(full.settings, "youtube", "gone")
    erasure.remove(full.settings, number, "youtube", "gone")
    assert keys(full) == [("youtube/other", "held")]
    files = [path.name for path in (full.settings.raw / "accounts" / "set_aside").iterdir()]
    assert files == [row["path"].rpartition("/")[2] for row in full.query("select path from key_files")]


def test_a_redelivery_brings_no_key_of_it_back(full: Yard) -> None:
    erasure.begin(full.settings, "youtube", "gone")
    full.land()
    assert keys(full) == [("youtube/other", "held")]


def test_a_file_that_held_its_key_alone_goes(yard: Yard) -> None:
    note = {"files": [{"name": "crm.csv", "delivers": "full"}]}
    yard.drop("accounts/_manifest.json", json.dumps(note))
    yard.drop_rows("accounts/crm.csv", *ROWS[:2], header=HEADER)
    yard.land()
    erasure.remove(yard.settings, erasure.begin(yard.settings, "youtube", "gone"), "youtube", "gone")
    assert keys(yard) == []
    assert list((yard.settings.raw / "accounts" / "set_aside").iterdir()) == []
