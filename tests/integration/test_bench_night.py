"""The bench's script makes the core of a night, and its models run bare make the same tables; what differs is told."""

import json
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from bench import bare, reference
from bench.one_night import STATEMENTS
from bench.world import LAST
from ingestion.config import PROJECT_DIR, Settings


@pytest.fixture(scope="module")
def printed() -> str:
    """What a bench prints at a small size. It ends with an error where a value of the core or of a bare table differs."""
    sizes = ["--accounts", "3000", "--posts", "15000", "--history", "2", "--at-once", "2", "--pairs", "1"]
    command = [sys.executable, "-m", "bench.night", *sizes, "--no-rebuild"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT_DIR)
    # At this size most of a night is the nodes of dbt, so a ratio may be above its limit: that is told, and ends with 1.
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "pair 1:" in done.stdout, done.stderr[-2000:]
    return done.stdout


def figures(printed: str, name: str) -> list[float]:
    """The figures of one line of a table."""
    (found,) = re.findall(rf"^ *{re.escape(name)} +([\d. ]+)$", printed, re.MULTILINE)
    return [float(figure) for figure in found.split()]


def test_the_script_makes_the_core_of_a_night(printed: str) -> None:
    assert re.search(r"^core: landing and the models of its marts [\d.]+ s, script [\d.]+ s$", printed, re.MULTILINE)
    assert "core / script" in printed
    assert "peak memory, GiB" in printed


def test_a_night_is_timed_against_its_own_sql_run_bare(printed: str) -> None:
    governed, bare_seconds, ratio = figures(printed, "the price of governance")
    assert governed > bare_seconds > 0
    assert ratio == pytest.approx(governed / bare_seconds, rel=0.05)
    # A mart with a contract and tests has all four figures, and the models add up.
    assert len(figures(printed, "fct_post_daily")) == 4
    stages, models = (
        figures(printed, "models"),
        re.findall(r"^all \d+ models +([\d.]+) +([\d.]+)", printed, re.MULTILINE),
    )
    assert [float(figure) for figure in models[0]] == pytest.approx(stages[:2], abs=0.02)


# --- the script


@pytest.mark.parametrize(
    ("theirs", "found"),
    [("(1, 2.5)", 0), ("(1, 2.6)", 2), ("(1, null)", 2), ("(1, 2.5), (1, 2.5)", 1)],
)
def test_a_value_that_differs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str, found: int) -> None:
    monkeypatch.setattr(reference, "CORE", {"fct_post_daily": reference.OF_THE_NIGHT})
    files = [tmp_path / "ours.duckdb", tmp_path / "theirs.duckdb"]
    for file, rows, line in zip(files, ("(1, 2.5)", theirs), (1, 2), strict=True):
        with duckdb.connect(str(file)) as marts:
            marts.execute("create schema marts")
            marts.execute(
                f"create table marts.fct_post_daily as select *, {line} as source_line, date '{LAST}' as snapshot_date"
                f" from (values {rows}) as row (post, rate)"
            )
            # Another day's rows are no part of it.
            marts.execute(f"insert into marts.fct_post_daily values ({line}, 0, 0, '2020-01-01')")
    assert reference.differing_rows(*files, LAST) == {"fct_post_daily": found}


def test_two_empty_marts_are_not_equal_but_unmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "CORE", {"dim_account": "true"})
    files = [tmp_path / "ours.duckdb", tmp_path / "theirs.duckdb"]
    for file in files:
        with duckdb.connect(str(file)) as marts:
            marts.execute("create schema marts; create table marts.dim_account (account_id varchar)")
    with pytest.raises(AssertionError, match="dim_account is empty"):
        reference.differing_rows(*files, LAST)


# --- the bare run


RIGHT = "insert into groundswell.marts.dim_day select day + 1 from intermediate.days"


@pytest.mark.parametrize(
    ("statements", "differing"),
    [
        ([RIGHT], []),
        ([RIGHT.replace("+ 1", "+ 2")], ["dim_day"]),
        ([RIGHT, RIGHT], ["dim_day"]),
        ([], ["dim_day"]),
        (["drop table groundswell.marts.dim_day"], ["dim_day"]),
        ([RIGHT, "commit", "begin", "create table intermediate.other as select 1 as n"], ["other"]),
    ],
    ids=["same", "another value", "twice", "not made", "missing", "one more"],
)
def test_a_table_that_differs_run_bare_is_told(
    tmp_path: Path, settings: Settings, statements: list[str], differing: list[str]
) -> None:
    """The night made a day of 2 from one of 1; before it there was no day."""
    kept = tmp_path / "kept"
    for folder, made in ((settings.build_db.parent, "insert into marts.dim_day values (2)"), (kept, "checkpoint")):
        folder.mkdir(parents=True)
        with duckdb.connect(str(folder / settings.build_db.name)) as build:
            build.execute("create schema intermediate; create table intermediate.days as select 1 as day")
        with duckdb.connect(str(folder / settings.marts_db.name)) as marts:
            marts.execute(f"create schema marts; create table marts.dim_day (day integer); {made}")
    written = [("dim_day", statement) for statement in ("begin", *statements, "commit")]
    (kept / STATEMENTS).write_text(json.dumps(written))
    result = bare.run_bare(kept, settings)
    assert result["differing"] == differing
    assert set(result["models"]) == {"dim_day"}
