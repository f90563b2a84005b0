"""What a source may keep no longer is nowhere after a night, and the days that are kept are as if nothing had gone.

The clock moves over 90 nights. Counts are marked: each tells its account and its day, so that one that is past is found
wherever it lies. Every night lets go as a real one does before it takes files in. As a whole night costs half a minute,
every fifth takes in what has come, and every 45th builds and publishes; in between a night ends as one whose gate is
closed, now and then.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings
from warehouse import pipeline, retention
from warehouse.build import known_models, manifest
from warehouse.release import releases

from . import night, small
from .conftest import reading

KEPT_DAYS = 65
NIGHTS = 90
# A night that builds comes after so many; fewer than are kept, as of every night. Files are taken in every fifth night.
EACH, TAKEN_IN = 45, 5
FIRST = date(2026, 1, 1)
ACCOUNTS = ("did:plc:anna", "did:plc:ben")


def followers(account: int, day: date) -> int:
    """A count that nothing else holds, and that is no rise that anybody would doubt."""
    return 4_400_000 + 1_000 * (day - FIRST).days + 100 * account + 17


class World:
    """A data folder with answers of a source, and a clock."""

    def __init__(self, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, sources: str) -> None:
        config = folder / f"{name}-config"
        config.mkdir()
        (config / "sources.yml").write_text(sources, encoding="utf-8")
        self.settings = Settings(
            _env_file=None,
            data=folder / name,
            config=config,
            settle_seconds=0.0,
            lease_wait_seconds=10.0,  # type: ignore[call-arg]
        )
        self.sources_file = config / "sources.yml"
        self.now = datetime.combine(FIRST, time(22))
        self.said: list[str] = []
        self.patched = monkeypatch

    def at(self, now: datetime) -> None:
        """Set the clock of all that asks it."""
        self.now = now
        for module in list(sys.modules.values()):
            name = getattr(module, "__name__", "")
            if name.startswith(("ingestion", "warehouse", "serving", "expectations")) and hasattr(module, "utc_now"):
                self.patched.setattr(module, "utc_now", lambda: self.now)

    def answer(self, day: date, accounts: tuple[str, ...] = ACCOUNTS) -> Path:
        """Profiles of a day, as the source writes them."""
        folder = self.settings.landing / "bluesky"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"profiles_{day}T220000Z.jsonl.gz"
        rows = [
            {
                "did": account, "handle": f"{account[8:]}.test", "followersCount": followers(ACCOUNTS.index(account), day),
                "followsCount": 50, "postsCount": 10,
            }
            for account in accounts
        ]  # fmt: skip
        file.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode(), mtime=0))
        return file

    def land(self, day: date) -> None:
        """The first step of the night of a day."""
        self.at(datetime.combine(day + timedelta(days=1), time(2)))
        with night.hold(self.settings, f"night-{day}", "land_files", night.quiet):
            pipeline.land_files(self.settings, f"night-{day}", self.said.append)

    def let_go(self, day: date) -> None:
        """What the first step of a night does before it takes files in."""
        self.at(datetime.combine(day + timedelta(days=1), time(2)))
        with night.hold(self.settings, f"night-{day}", "land_files", night.quiet):
            retention.let_go(self.settings, self.said.append)

    def build(self, day: date) -> None:
        run_id = f"night-{day}"
        with night.hold(self.settings, run_id, "build", night.quiet) as lease:
            night.build.build_marts(self.settings, run_id, day, lease, self.said.append)
            night.publish.publish_release(self.settings, run_id, lease, self.said.append)

    def end(self, day: date) -> None:
        """The last step of the night, without its report."""
        retention.let_go_of_releases(self.settings, f"night-{day}", self.said.append)


def marks(days: list[date]) -> dict[str, str]:
    """Every marked count of some days, with its day."""
    return {str(followers(number, day)): str(day) for day in days for number in range(len(ACCOUNTS))}


def holders(settings: Settings, past: dict[str, str], folders: tuple[str, ...] = ("",)) -> dict[str, set[str]]:
    """Where a count of a past day lies, read as each file is read: by file, and table, its days."""
    paths = sorted(path for folder in folders for path in (settings.data / folder).rglob("*"))
    files = [path for path in paths if path.is_file() and not path.is_symlink()]
    found: dict[str, set[str]] = {}
    for place, text in _texts(files):
        if hits := {day for mark, day in past.items() if mark in text}:
            found.setdefault(place.replace(f"{settings.data}/", ""), set()).update(hits)
    return found


def _texts(files: list[Path]) -> Iterator[tuple[str, str]]:
    """What each file, and each table of a database, says."""
    if parquet := [str(path) for path in files if path.suffix == ".parquet"]:
        yield from duckdb.sql(
            "select filename, string_agg(cast(t as varchar), '\n') from"
            f" read_parquet({parquet}, union_by_name = true, filename = true, hive_partitioning = false) t group by all"
        ).fetchall()
    for path in files:
        if path.suffix == ".duckdb":
            with closing(duckdb.connect(str(path), read_only=True)) as database:
                for (table,) in database.execute(
                    "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'meta'"
                ).fetchall():
                    rows = database.execute(f"select string_agg(cast(t as varchar), '\n') from {table} t")
                    yield f"{path} {table}", str(rows.fetchall()[0][0])
        elif path.suffix != ".parquet":
            content = path.read_bytes()
            text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
            yield str(path), text.decode("utf-8", "replace")


def values(settings: Settings, since: date) -> dict[str, list[tuple[object, ...]]]:
    """Rows of the marts by day from a day on, without where they came from."""
    with reading(settings) as marts:
        found = {}
        for (mart,) in marts.execute(
            "select table_name from duckdb_columns() where schema_name = 'marts' and column_name = 'snapshot_date'"
        ).fetchall():
            columns = [row[0] for row in marts.execute(f"describe marts.{mart}").fetchall()]
            kept = ", ".join(name for name in columns if name not in ("batch_id", "source_file", "source_line"))
            query = f"select {kept} from marts.{mart} where snapshot_date >= ? order by all"
            found[mart] = marts.execute(query, [since]).fetchall()
        return found


@contextmanager
def without_tests() -> Iterator[None]:
    """The models that a world of snapshots builds, without dbt's tests, which look at other worlds as well."""

    def lean(settings: Settings) -> Any:
        project = small.read_accounts(settings)
        tests = [
            unique_id
            for unique_id, node in project.nodes.items()
            if node.resource_type == "test"
            and (node.test_metadata is None or node.test_metadata.name != manifest.GRAIN_TEST)
        ]
        manifest.leave_out(project, tests)
        return project

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest, "parse", lean)
        patched.setattr(known_models, "load", lambda *_: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def read_once() -> Iterator[None]:
    with without_tests():
        yield


BLUESKY = "bluesky:\n"
SHORT = f"bluesky:\n  retention_days: {KEPT_DAYS}\n  keep_derived: false\n"


def test_nothing_past_its_day_is_left_over_90_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, "short", monkeypatch, SHORT)
    whole = World(tmp_path, "whole", monkeypatch, BLUESKY)
    let_go: set[str] = set()
    for number in range(NIGHTS):
        day = FIRST + timedelta(days=number)
        whole.answer(day)
        world.answer(day)
        is_built = number % EACH == EACH - 1
        if number % TAKEN_IN == TAKEN_IN - 1:
            world.land(day)
        else:
            world.let_go(day)
        if is_built:
            world.build(day)
        first_kept = day + timedelta(days=1 - KEPT_DAYS)
        past = [FIRST + timedelta(days=n) for n in range(max(0, (first_kept - FIRST).days))]
        folders = ("landing", "raw", "state", "quarantine")
        if is_built or number == NIGHTS - 20:
            world.end(day)
            folders = ("",)
        assert holders(world.settings, marks(past), folders) == {}, day
        seen = releases.latest(world.settings)
        assert (seen is not None) == (number >= EACH - 1)
        let_go |= {str(each) for each in past}
    # A day that is kept is found in each kind of file.
    kept = holders(world.settings, marks([day]))
    for kind in (".jsonl.gz", ".parquet", "build.duckdb intermediate.", "groundswell.duckdb marts.fct_account_daily"):
        assert [place for place in kept if kind in place], kind
    with ledger.read(world.settings) as connection:
        gone = ledger.let_go(connection)
        assert {row["snapshot_date"] for row in gone} == let_go
        assert {(row["feed"], row["files"], row["rows"]) for row in gone if row["files"]} == {
            ("account_snapshots", 1, 2)
        }
    whole.land(day)
    whole.build(day)
    mine, theirs = values(world.settings, first_kept), values(whole.settings, first_kept)
    assert {row[2] for row in mine["fct_account_daily"]} == {first_kept + timedelta(days=n) for n in range(KEPT_DAYS)}
    # No verdict is given of so few days.
    trust, other = mine.pop("fct_follower_trust_daily"), theirs.pop("fct_follower_trust_daily")
    assert len(trust) == len(other)
    assert mine == theirs
    with reading(world.settings) as marts:
        assert marts.execute(
            "select distinct verdict, engagement_verdict, coverage_reason, trust_score from marts.fct_follower_trust_daily"
        ).fetchall() == [("insufficient_data", "insufficient_data", "retention", None)]
        assert marts.execute(
            "select distinct tier, insufficient_reason, direction, valid_from, valid_to"
            " from marts.dim_account_tier_history"
        ).fetchall() == [("insufficient_data", "retention", "entry", FIRST, None)]
        assert marts.execute("select count(*) from marts.fct_follower_flag").fetchone() == (0,)
    with reading(whole.settings) as marts:
        assert ("insufficient_data",) not in marts.execute("select tier from marts.dim_account_tier_history").fetchall()
