"""A small landing yard: drop bytes, land, and look at what became of every row."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import landing, ledger, raw
from ingestion.config import Settings

HEADER = "platform,account_id,captured_at,followers"
GOOD = f"{HEADER}\nyoutube,good-1,2026-01-05T03:00:00Z,10\nyoutube,good-2,2026-01-05T03:00:00Z,20\n".encode()
GOOD_FILE = "account_snapshots/zz_good.csv"


@cache
def _empty_schemas() -> Path:
    """The files without rows that a first landing writes, made once for all yards of a process."""
    settings = Settings(_env_file=None, data=Path(tempfile.mkdtemp(prefix="groundswell-raw-")))  # type: ignore[call-arg]
    raw.write_empty_schemas(settings)
    return settings.raw


@dataclass
class Yard:
    """A data folder with its landing; every `land` checks the one equation over all batches."""

    settings: Settings
    said: list[str] = field(default_factory=list)

    def drop(self, path: str, content: bytes | str) -> Path:
        target = self.settings.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def drop_rows(self, path: str, *rows: str, header: str = HEADER) -> Path:
        return self.drop(path, "".join(f"{line}\n" for line in (header, *rows)))

    def land(self, run_id: str = "run") -> landing.Landed:
        if not self.settings.raw.exists():
            shutil.copytree(_empty_schemas(), self.settings.raw)
        landed = landing.land_files(self.settings, run_id, self.said.append)
        for batch in self.batches():
            read = batch["rows_accepted"] + batch["rows_quarantined"] + batch["rows_duplicate"]
            assert batch["rows_read"] == read, batch
            assert (batch["state"] == "quarantined") <= (batch["rows_accepted"] == 0), batch
            in_raw = sum(f["rows"] for f in self.query("select * from raw_files where batch_id = ?", batch["batch_id"]))
            assert in_raw == batch["rows_accepted"], batch
        return landed

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        with ledger.read(self.settings) as connection:
            return [dict(row) for row in connection.execute(sql, values)]

    def batches(self) -> list[dict[str, Any]]:
        return self.query("select * from batches order by file, batch_id")

    def batch(self, path: str) -> dict[str, Any]:
        found = self.query("select * from batches where file = ?", path)
        assert len(found) == 1, found
        return found[0]

    def rows(self, path: str, columns: str = "account_id, followers") -> list[tuple[Any, ...]]:
        """Raw rows of a file's accepted batches, in the order of their lines."""
        files = self.query(
            "select r.path from raw_files r join batches b using (batch_id) where b.file = ? and b.state = 'accepted'",
            path,
        )
        if not files:
            return []
        paths = [str(self.settings.raw / row["path"]) for row in files]
        return duckdb.execute(
            f"select {columns} from read_parquet(?, hive_partitioning = false, filename = true, file_row_number = true)"
            " order by source_line, filename, file_row_number",
            [paths],
        ).fetchall()

    def rows_of(self, feed: str, columns: str) -> list[tuple[Any, ...]]:
        """Raw rows of a feed, of all accepted batches, in order of their values."""
        files = self.query(
            "select r.path from raw_files r join batches b using (batch_id) where b.feed = ? and b.state = 'accepted'",
            feed,
        )
        paths = [str(self.settings.raw / row["path"]) for row in files]
        query = f"select {columns} from read_parquet(?, hive_partitioning = false) order by all"
        return duckdb.execute(query, [paths]).fetchall() if paths else []

    def rejects(self, path: str) -> list[tuple[int, str | None, str | None, str, str]]:
        """Quarantined rows of a file: line, column, value, reason, row."""
        batch = self.batch(path)
        stored = self.settings.quarantine / batch["feed"] / f"{batch['batch_id']}.parquet"
        return duckdb.sql(
            f"select source_line, column_name, value, reason, \"row\" from '{stored}' order by source_line"
        ).fetchall()

    def kept_bytes(self, path: str) -> bytes:
        """What the quarantine keeps of a file that was quarantined whole."""
        batch = self.batch(path)
        return (self.settings.quarantine / batch["feed"] / "files" / batch["sha256"] / "file").read_bytes()

    def assert_quarantined_whole(self, path: str, reason: str) -> dict[str, Any]:
        """The file is quarantined whole for this reason, and the good file beside it is in raw."""
        batch = self.batch(path)
        assert (batch["state"], batch["rows_accepted"]) == ("quarantined", 0)
        assert reason in batch["reason"]
        assert self.rows(path) == []
        assert self.rows(GOOD_FILE) == [("good-1", 10), ("good-2", 20)]
        return batch

    def age(self, path: str, seconds: float) -> None:
        """Make a file look as if it was written so long ago."""
        target = self.settings.landing / path
        info = target.stat()
        os.utime(target, (info.st_atime - seconds, info.st_mtime - seconds))


@pytest.fixture
def yard(settings: Settings) -> Yard:
    """An empty yard."""
    return Yard(settings)


@pytest.fixture
def yard_with_good(yard: Yard) -> Yard:
    """A yard in which a good file lies, which is landed last: whatever comes before must not stop it."""
    yard.drop(GOOD_FILE, GOOD)
    return yard


__all__ = ["GOOD", "GOOD_FILE", "HEADER", "Yard", "raw"]


@pytest.fixture
def groundswell() -> Callable[..., int]:
    """Call the `groundswell` command in this process; returns its exit code."""
    from warehouse.cli.main import cli

    def call(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            cli.main(list(arguments), prog_name="groundswell")
        return int(ended.value.code or 0)

    return call
