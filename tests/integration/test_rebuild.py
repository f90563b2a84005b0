"""Plans that can be looked at, ranges built in one pass, and what is refused."""

import errno
import os
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from warehouse import dry_run, pipeline, plan, progress
from warehouse.build import known_models, manifest
from warehouse.cli import backfill
from warehouse.release import diff, releases

from . import night, small
from .conftest import content
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("tiers_alone")


def make_five_days(folder: Path) -> Settings:
    settings = small.world(folder, "five")
    for number in (1, 2, 4, 5):
        rows = [Capture("a", number, followers=900 + 40 * number), Capture("b", number, followers=5000)]
        deliver(settings, f"day{number}", rows)
    night.run(settings, "first", day(5))
    return settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiers_alone: None) -> Settings:
    return make_five_days(tmp_path_factory.mktemp("made"))


@pytest.fixture
def five_days(made: Settings, tmp_path: Path) -> Settings:
    """Two accounts on 1, 2, 4 and 5 January, published by one night; the 3rd was never captured."""
    return small.copy_of(made, tmp_path)


def files_of(settings: Settings) -> dict[str, tuple[int, bytes | None]]:
    """Every file of a data folder: time of change and bytes; SQLite's own side files left out."""
    return {
        str(path.relative_to(settings.data)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in settings.data.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "-journal"))
    }


def test_a_plan_is_printed_and_nothing_is_written(five_days: Settings) -> None:
    deliver(five_days, "late", [Capture("a", 3, followers=1000)])
    before = files_of(five_days)
    lines = dry_run.preview(five_days, day(6))
    assert files_of(five_days) == before
    assert lines[0] == "plan  1 files in landing are not taken in yet; what they bring is not in this plan"
    planned = {line.split()[1]: line.split()[2:] for line in lines[1:]}
    assert len(planned) == len(lines) - 1
    assert {"fct_account_daily", "fct_account_tier_daily", "int_snapshot__account_days_deduplicated"} < set(planned)
    assert all(words == ["1", "date", "2026-01-06", "day", "of", "the", "run"] for words in planned.values())
    with ledger.read(five_days) as connection:
        assert connection.execute("select count(*) from plans where run_id = 'preview'").fetchone()[0] == 0


def test_a_plan_says_when_there_is_nothing_to_do(five_days: Settings) -> None:
    assert dry_run.preview(five_days, day(5)) == ["nothing new up to 2026-01-05: the marts are unchanged"]


def test_a_night_with_nothing_new_starts_no_dbt(five_days: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_models, "load", small.really_load)

    def parse(*_: object) -> Any:
        raise AssertionError("dbt was asked")

    monkeypatch.setattr(manifest, "parse", parse)
    night.run(five_days, "again", day(5))
    with ledger.read(five_days) as connection:
        assert ledger.plan_of(connection, "again")["state"] == "unchanged"
    # With a day more there is something to build.
    with pytest.raises(AssertionError, match="dbt was asked"):
        night.run(five_days, "next", day(6))


def test_a_plan_before_the_first_run(tmp_path: Path) -> None:
    settings = small.world(tmp_path, "empty")
    assert "nothing was ever landed" in dry_run.preview(settings, day(5))[-1]
    assert not settings.data.exists()


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        (4, 2, r"2026-01-04 .. 2026-01-02 is reversed.*raw holds 2026-01-01 .. 2026-01-05"),
        (0, 3, r"begins before the first raw day; raw holds 2026-01-01 .. 2026-01-05"),
    ],
)
def test_a_range_that_cannot_be_is_refused_with_the_one_that_exists(
    five_days: Settings, first: int, last: int, why: str
) -> None:
    with pytest.raises(ContractError, match=why):
        plan.resolve(five_days, day(first), day(last))


def test_a_range_in_the_future_is_refused(five_days: Settings) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with pytest.raises(ContractError, match=r"is in the future; today is .* raw holds 2026-01-01 .. 2026-01-05"):
        plan.resolve(five_days, day(2), tomorrow)
    with pytest.raises(ContractError, match="is in the future"):
        pipeline.backfill(five_days, day(2), tomorrow, (), night.quiet, progress.Bar(backfill.STEPS))


def test_a_range_before_anything_was_landed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="raw holds no day yet"):
        plan.resolve(small.world(tmp_path, "empty"), day(1), day(2))


def test_a_mart_that_is_none_is_refused_with_those_that_are(five_days: Settings) -> None:
    backfill_range, last = plan.resolve(five_days, day(1), day(5), ["fct_nothing"])
    with pytest.raises(ContractError, match=r"no mart is named fct_nothing; there are: .*dim_account, "):
        dry_run.preview(five_days, last, backfill_range)


def test_a_backfill_replaces_the_range_by_equal_values_and_names_the_missing_day(
    five_days: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(five_days)

    def no_network(*_: Any) -> None:
        raise AssertionError("a backfill calls no API")

    really_link = os.link

    def other_disk(source: Path, target: Path) -> None:
        """build/ is a disk of its own, to which nothing of published/ can be linked."""
        if five_days.build_db.parent in Path(target).parents:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        really_link(source, target)

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(os, "link", other_disk)
    said: list[str] = []
    found = pipeline.backfill(five_days, day(2), day(4), (), said.append, progress.Bar(backfill.STEPS))
    assert found.is_empty
    assert found.lines() == ["diff  no row of any mart differs"]
    assert content(five_days) == before
    assert "plan  no account_snapshots in raw on 1 of the days of the range: 2026-01-03" in said
    with ledger.read(five_days) as connection:
        planned = connection.execute(
            "select snapshot_date, reason from plan_dates where mart = 'fct_account_daily' and run_id like 'backfill%'"
        ).fetchall()
        assert [tuple(row) for row in planned] == [("2026-01-02", plan.IN_RANGE), ("2026-01-04", plan.IN_RANGE)]
    assert "100%" not in capsys.readouterr().err  # the last line is the caller's


def test_a_backfill_of_some_marts_leaves_the_others_alone(five_days: Settings) -> None:
    pipeline.backfill(five_days, day(2), day(2), ["fct_account_tier_daily"], night.quiet, progress.Bar(backfill.STEPS))
    with ledger.read(five_days) as connection:
        planned = connection.execute("select mart from plan_dates where run_id like 'backfill%' order by 1").fetchall()
    assert [row[0] for row in planned] == [
        "fct_account_tier_daily",
        "int_snapshot__account_days_deduplicated",
        "int_snapshot__counts_captured",
        "int_snapshot__counts_held",
    ]


def test_two_deliveries_that_disagree_about_a_past_day_the_later_capture_wins_and_the_diff_shows_it(
    five_days: Settings,
) -> None:
    # 980 at 3 o'clock on the 2nd is below nano; 4,500 at 9 is nano, and not five times as many, so it is not held. The
    # change of the 4th is measured from the new value.
    deliver(five_days, "again", [Capture("a", 2, hour=9, followers=4500)])
    found = pipeline.backfill(five_days, day(2), day(2), (), night.quiet, progress.Bar(backfill.STEPS))
    changed = {mart.mart: (mart.added, mart.removed, mart.changed) for mart in found.marts}
    assert changed["fct_account_daily"] == (0, 0, 2)
    assert found.tiers == [("below", "nano", 1)]
    assert found.moves == [("youtube", "a", "2026-01-02", 980, 4500)]
    assert "diff  tier below -> nano: 1 account days" in found.lines()
    assert "diff  followers of youtube/a on 2026-01-02: 980 -> 4,500" in found.lines()


def test_a_dry_run_says_what_would_change_and_changes_nothing(five_days: Settings) -> None:
    with ledger.read(five_days) as connection:
        batch = connection.execute("select batch_id from batches where file like '%day2%'").fetchone()[0]
    ledger.reject(five_days, batch[:12], "a test")
    before, said = files_of(five_days), []
    backfill_range, last = plan.resolve(five_days, day(1), day(5))
    found = dry_run.dry_run(five_days, last, backfill_range, said.append)
    assert {mart.mart: mart.removed for mart in found.marts}["fct_account_daily"] == 2
    assert any("2026-01-01 .. 2026-01-05" in line for line in said)
    after = files_of(five_days)
    ledger_file = "state/ledger.sqlite"  # the lease came and went
    assert {name: bytes_ for name, (_, bytes_) in after.items() if name != ledger_file} == {
        name: bytes_ for name, (_, bytes_) in before.items() if name != ledger_file
    }
    assert len(list(releases.folder_of(five_days).iterdir())) == 1


def test_a_day_whose_raw_is_lost_keeps_its_rows_and_the_rest_goes_on(five_days: Settings) -> None:
    (lost,) = (five_days.raw / "account_snapshots" / "snapshot_date=2026-01-02").glob("*.parquet")
    lost.unlink()
    before, said = content(five_days), []
    pipeline.backfill(five_days, day(1), day(5), (), said.append, progress.Bar(backfill.STEPS))
    assert content(five_days) == before
    assert "plan  2026-01-02: raw is damaged or gone; its rows stay as they are" in said


def test_a_lost_day_stays_dirty_and_a_lost_delivery_closes_the_gate(five_days: Settings) -> None:
    (lost,) = (five_days.raw / "account_snapshots" / "snapshot_date=2026-01-02").glob("*.parquet")
    lost.unlink()
    with ledger.write(five_days) as connection:
        # Posts of the day came; what is made from them and from the lost file waits.
        connection.execute(
            "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since)"
            " values ('post_snapshots', '2026-01-02', '', 'accepted', '')"
        )
    pipeline.backfill(five_days, day(1), day(5), (), night.quiet, progress.Bar(backfill.STEPS))
    with ledger.read(five_days) as connection:
        assert [row[0] for row in connection.execute("select snapshot_date from dirty_dates")] == ["2026-01-02"]
    deliver(five_days, "again", [Capture("a", 2, hour=9, followers=12000)])
    with pytest.raises(ContractError, match="is damaged or gone: restore it from a backup, or take its batch back"):
        pipeline.backfill(five_days, day(1), day(5), (), night.quiet, progress.Bar(backfill.STEPS))


def test_a_critical_check_stops_a_backfill(five_days: Settings) -> None:
    # One of 25 accounts may be 0; all of them are an outage.
    deliver(five_days, "zero", [Capture(f"z{n}", 4, hour=9, followers=0) for n in range(40)])
    before = content(five_days)
    with pytest.raises(ContractError, match="share_of_zero_followers"):
        pipeline.backfill(five_days, day(4), day(5), (), night.quiet, progress.Bar(backfill.STEPS))
    assert content(five_days) == before


def test_by_hand_from_the_command_line(tmp_path: Path) -> None:
    # The command reads the whole project, so a night of all of it comes before.
    with small.read_once():
        five_days = make_five_days(tmp_path)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("GROUNDSWELL_", "AIRFLOW"))}
        return subprocess.run(
            [sys.executable, "-m", "warehouse.cli", "backfill", *arguments],
            env={**environment, "GROUNDSWELL_DATA": str(five_days.data), "GROUNDSWELL_CONFIG": os.environ["GROUNDSWELL_CONFIG"]},
            cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = run("--from", "2026-01-05", "--to", "2026-01-01")
    assert refused.returncode == 2
    assert "is reversed; name the earlier day first" in refused.stdout
    looked = run("--from", "2026-01-01", "--to", "2026-01-05", "--dry-run")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    assert "diff  no row of any mart differs" in looked.stdout
    assert "nothing was written" in looked.stdout
    assert "[########################] 100%" in looked.stderr


def test_a_diff_counts_new_gone_and_changed_rows_and_a_new_source_apart(tmp_path: Path) -> None:
    import duckdb

    for name, rows in {
        "old": "(1, 5, 'x'), (2, 6, 'x'), (3, 7, 'x')",
        "new": "(2, 6, 'y'), (3, 8, 'x'), (4, 9, 'x')",
    }.items():
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(f"create schema marts; create table marts.t as from (values {rows}) v(k, n, batch_id)")
    found = diff.compare(tmp_path / "old", tmp_path / "new", {"t": ["k"]})
    assert found.marts == [diff.MartDiff("t", added=1, removed=1, changed=1, relineaged=1)]
    everything = diff.compare(None, tmp_path / "new", {"t": ["k"]})
    assert everything.marts == [diff.MartDiff("t", added=3, removed=0, changed=0)]
