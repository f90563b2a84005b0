"""The two copies of the ledger: in memory for those who only look, in a file for a dry run."""

import sqlite3

import pytest

from ingestion import ledger
from ingestion.config import Settings


@pytest.mark.parametrize("name", ["plain", "a#b", "50%25"])
def test_a_copy_comes_from_a_folder_of_any_name(settings: Settings, name: str) -> None:
    """`#` and `%` mean something in the URI by which the file is opened."""
    here = settings.model_copy(update={"data": settings.data / name})
    with ledger.write(here) as connection:
        ledger.take_lease(connection, "token", "run", "holder", "host", 1, "0")
    target = settings.data / "copy.sqlite"
    ledger.copy_to(here, target)
    with sqlite3.connect(target) as copy:
        assert copy.execute("select count(*) from leases").fetchone()[0] == 0
    with ledger.read_copy(here) as looked:
        assert ledger.writer_of(looked) is not None
