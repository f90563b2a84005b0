"""Erasure, doctor and the command reach PostgreSQL; what fails there changes nothing of the files."""

import os
import subprocess
import sys

import pytest

from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import TargetUnavailable
from serving import postgres as target
from tests.postgres import Database, settings_for, write_release
from warehouse import pipeline
from warehouse.doctor.postgres import check_postgres
from warehouse.release import releases

from . import night


def found(settings: Settings) -> list[tuple[str, str]]:
    return [(finding.level, finding.text) for finding in check_postgres(settings)]


def test_an_erasure_is_told_that_a_reader_keeps_the_release_before(
    settings: Settings, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files hold the new release alone; what PostgreSQL still has of the one before keeps the erasure open."""
    world = settings_for(settings, postgres.url())
    before = write_release(world, 1, {"dim_account": "select 'gone' as account_id"})
    target.follow(world, night.quiet)
    after = write_release(world, 2, {"dim_account": "select 'stays' as account_id"})
    releases.remove_others(world)
    monkeypatch.setattr(target.follow, "__defaults__", (print, 0.3))
    with postgres.connect(autocommit=False) as reader:
        reader.execute("select * from marts.dim_account")
        with pytest.raises(TargetUnavailable, match=r"PostgreSQL may still hold it.*readers held the views"):
            pipeline._load_without(world, night.quiet)
    assert {level for level, _ in found(world)} == {"WRONG"}
    # A reader of the schema itself, which the views have left.
    with postgres.connect(autocommit=False) as reader:
        reader.execute(f"select * from {target.schema_of(before)}.dim_account")
        with pytest.raises(TargetUnavailable, match=r"PostgreSQL still holds release_\w+, whose release is gone"):
            pipeline._load_without(world, night.quiet)
    pipeline._load_without(world, night.quiet)
    assert postgres.schemas() == [target.schema_of(after)]
    assert found(world) == [("ok", f"it shows {after}, as the file does")]


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
