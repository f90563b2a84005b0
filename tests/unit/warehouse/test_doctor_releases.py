"""The doctor's look at releases, disk and versions; and how all findings are shown."""

import io
import json
import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ingestion import ledger
from ingestion.config import Settings, utc_now
from ingestion.lease import hold
from warehouse.doctor import releases as doctor
from warehouse.doctor.landing import Context, Finding
from warehouse.release import releases


def release(settings: Settings, name: str, hours: float = 1, rows: int = 2, is_known: bool = True) -> Path:
    """A small release on disk, and in the ledger unless told otherwise. Readers are not led to it."""
    published_at = ledger.stamp(utc_now() - timedelta(hours=hours))
    if is_known:
        with ledger.write(settings) as connection:
            connection.execute(
                "insert into releases values (?, 'run', '2026-01-05', null, null, ?, '0')", (name, published_at)
            )
    folder = releases.folder_of(settings) / name
    folder.mkdir(parents=True)
    note = {"release_id": name, "day": "2026-01-05", "published_at": published_at, "marts": {"t": {"row_count": 2}}}
    (folder / releases.NOTE).write_text(json.dumps(note))
    with duckdb.connect(str(folder / releases.DATABASE)) as made:
        made.execute(f"create schema marts; create table marts.t as from range({rows})")
    return folder


def examine(settings: Settings, is_quick: bool = False, is_running: bool = False) -> list[Finding]:
    with ledger.read_copy(settings) as connection:
        return list(doctor.check_releases(Context(settings, connection, is_quick, is_running)))


def that_say(findings: list[Finding], words: str) -> Finding:
    found = [finding for finding in findings if words in finding.text]
    assert len(found) == 1, [finding.text for finding in findings]
    return found[0]


@pytest.fixture
def published(settings: Settings) -> Settings:
    """A warehouse with one published release and passed checks."""
    release(settings, "1")
    releases.point_readers_to(settings, "1")
    check(settings, "passes", passed=True)
    return settings


def check(settings: Settings, name: str, passed: bool, severity: str = "critical", run_id: str = "night") -> None:
    result: dict[str, object] = {
        "suite": f"suite of {name}", "expectation": name, "severity": severity, "observed": "3",
        "threshold": "at most 1", "passed": passed, "detail": "orders/x.csv",
    }  # fmt: skip
    ledger.record_checks(settings, run_id, [result])


# --- releases


def test_a_release_that_is_well(published: Settings) -> None:
    findings = examine(published)
    assert {finding.level for finding in findings} == {"ok"}
    assert that_say(findings, "1 of day 2026-01-05, published 1 h ago")
    assert that_say(findings, "as many rows as were published")


def test_no_release_yet(settings: Settings) -> None:
    assert [(finding.level, finding.text) for finding in examine(settings)] == [
        ("note", "none were run yet"),
        ("note", "none yet"),
    ]


def test_a_link_that_leads_nowhere_comes_with_the_command(published: Settings) -> None:
    shutil.rmtree(releases.folder_of(published) / "1")
    release(published, "2")
    finding = that_say(examine(published), "readers are led nowhere")
    assert (finding.level, finding.details) == (
        "WRONG",
        ("published/latest leads to releases/1, which is no release",),
    )
    assert finding.remedy == f"ln -sfn releases/2 {published.published}/latest"
    assert os.system(finding.remedy) == 0
    assert "nowhere" not in " ".join(finding.text for finding in examine(published))


@pytest.mark.parametrize("state", ["is missing", "is no link"])
def test_a_database_that_is_no_link(published: Settings, state: str) -> None:
    database = published.published / releases.DATABASE
    database.unlink()
    if state == "is no link":
        database.touch()
    finding = that_say(examine(published), "readers are led nowhere")
    assert finding.details == (f"published/groundswell.duckdb {state}",)


def test_no_whole_release_is_left(published: Settings) -> None:
    shutil.rmtree(releases.folder_of(published) / "1")
    assert "the next run publishes anew" in that_say(examine(published), "readers are led nowhere").remedy


def test_a_file_of_the_release_that_is_not_as_written(published: Settings) -> None:
    seen = releases.folder_of(published) / "1"
    part = seen / "marts" / "t" / "data.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"whole")
    (seen / releases.FILES).write_text(json.dumps({"marts/t/data.parquet": releases.written(part)}))
    # Another time and the same bytes, as after a copy.
    os.utime(part, (1, 1))
    assert not [finding for finding in examine(published) if finding.level == "WRONG"]
    part.write_bytes(b"whol")
    finding = that_say(examine(published, is_quick=True), "1 file of 1 not as written")
    assert (finding.level, finding.details) == ("WRONG", ("marts/t/data.parquet",))


def test_a_log_beside_the_published_database(published: Settings) -> None:
    wal = releases.folder_of(published) / "1" / "groundswell.duckdb.wal"
    wal.touch()
    finding = that_say(examine(published, is_quick=True), "write-ahead log")
    assert finding.level == "WRONG"
    assert finding.remedy.endswith(f"rm {wal}")


def test_a_release_with_other_rows_than_were_published(settings: Settings) -> None:
    release(settings, "1", rows=3)
    releases.point_readers_to(settings, "1")
    finding = that_say(examine(settings), "is not what was published")
    assert (finding.level, finding.details) == ("WRONG", ("t holds 3 rows, 2 were published",))
    assert "is not what" not in " ".join(finding.text for finding in examine(settings, is_quick=True))


def test_a_release_that_does_not_open(published: Settings) -> None:
    (releases.folder_of(published) / "1" / releases.DATABASE).write_bytes(b"no database" * 1000)
    finding = that_say(examine(published), "is not what was published")
    assert finding.details[0].startswith("it cannot be opened: ")


@pytest.mark.parametrize(("hours", "level"), [(35, "ok"), (37, "note")])
def test_a_night_that_was_missed(settings: Settings, hours: float, level: str) -> None:
    release(settings, "1", hours=hours)
    releases.point_readers_to(settings, "1")
    assert that_say(examine(settings), "of day 2026-01-05").level == level


def test_readers_that_were_led_back(published: Settings) -> None:
    release(published, "2", hours=0.1)
    finding = that_say(examine(published), "of day 2026-01-05")
    assert finding.level == "note"
    assert finding.text.endswith("a newer one was published: 2")


def test_a_release_that_the_ledger_does_not_know(published: Settings) -> None:
    release(published, "2", is_known=False)
    finding = that_say(examine(published), "that the ledger does not know")
    assert (finding.level, finding.details) == ("note", ("2",))
    assert finding.remedy.startswith("left by a crash")
    releases.point_readers_to(published, "2")
    assert that_say(examine(published), "does not know").remedy.startswith("the next run records")


def test_a_release_that_is_no_longer_on_disk(published: Settings) -> None:
    release(published, "2", hours=0.1)
    releases.point_readers_to(published, "2")
    shutil.rmtree(releases.folder_of(published) / "1")
    finding = that_say(examine(published), "no longer on disk")
    assert (finding.level, finding.details) == ("note", ("1",))
    pruned = published.model_copy(update={"keep_releases": 1})
    assert "no longer on disk" not in " ".join(finding.text for finding in examine(pruned))


def test_an_unfinished_release_of_a_crash(published: Settings) -> None:
    (releases.folder_of(published) / ".partial-2").mkdir()
    finding = that_say(examine(published), "unfinished release")
    assert (finding.level, finding.details) == ("note", (".partial-2",))
    assert "unfinished" not in " ".join(finding.text for finding in examine(published, is_running=True))


@pytest.mark.parametrize(("severity", "level"), [("critical", "WRONG"), ("warning", "note")])
def test_failing_checks_of_the_last_run(published: Settings, severity: str, level: str) -> None:
    check(published, "fails", passed=False, severity=severity)
    finding = that_say(examine(published), "of 2 failed in run night")
    assert finding.level == level
    assert finding.details[0].split() == (
        f"{severity} suite of fails.fails: observed 3, expected at most 1; orders/x.csv".split()
    )


def test_only_the_last_run_counts(published: Settings) -> None:
    check(published, "fails", passed=False, run_id="night")
    check(published, "passes", passed=True, run_id="next night")
    assert that_say(examine(published), "all 1 of run next night passed").level == "ok"


# --- disk


@pytest.mark.parametrize(("free", "level"), [(511, "WRONG"), (513, "note"), (3 * 512 + 1, "ok")])
def test_room_for_the_next_run(published: Settings, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    """Without a build and a file that waits, 512 MiB are asked for."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=free << 20))
    with ledger.read_copy(published) as connection:
        [finding] = doctor.check_disk(Context(published, connection))
    assert finding.level == level


def test_what_the_next_run_needs(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Marts of 100 MiB are written 3 times, a waiting file of 200 MiB 4 times: 1100 MiB, or 1.2 GB."""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda place: SimpleNamespace(free=1099 << 20))
    for path, size in ((published.marts_db, 100), (published.landing / "orders/new.csv", 200)):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as target:
            target.truncate(size << 20)
    with ledger.read_copy(published) as connection:
        [finding] = doctor.check_disk(Context(published, connection))
    assert finding.level == "WRONG"
    assert finding.text.endswith("the next run needs about 1.2 GB")
    with ledger.write(published) as connection:
        connection.execute("insert into deliveries values ('orders/new.csv', ?, 0, 0, '', 'b', '')", (200 << 20,))
    with ledger.read_copy(published) as connection:
        [finding] = doctor.check_disk(Context(published, connection))
    assert finding.level != "WRONG"


# --- versions


def lock(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "requirements.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_lock_holds_what_is_named() -> None:
    locked = dict(doctor._locked(doctor.LOCK))
    assert set(doctor.NAMED) <= set(locked)
    assert len(locked) > 100


def test_packages_as_locked(tmp_path: Path) -> None:
    [finding] = doctor.check_versions(lock(tmp_path, f"duckdb=={duckdb.__version__} \\", "    --hash=sha256:0"))
    assert finding.level == "ok"


def test_a_package_that_differs_or_is_missing(tmp_path: Path) -> None:
    path = lock(
        tmp_path,
        "duckdb==0.1.0 \\",
        "    --hash=sha256:0",
        "nowhere-to-be-found==1.0 \\",
        "for-another-system==1.0 ; sys_platform == 'another' \\",
    )
    [finding] = doctor.check_versions(path)
    assert (finding.level, finding.text) == ("WRONG", "2 packages of 2 not as locked")
    assert finding.details == (
        f"duckdb: {duckdb.__version__}, locked 0.1.0",
        "nowhere-to-be-found: not installed, locked 1.0",
    )


def test_a_python_that_the_lock_is_not_made_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    first, second = doctor.check_versions(tmp_path / "none")
    assert (first.level, first.text) == ("WRONG", "Python 3.10.4; the lock is made for <3.14,>=3.11")
    assert (second.level, "no lock to compare with" in second.text) == ("note", True)


# --- all of it


def printed(findings: Iterator[Finding]) -> tuple[int, str]:
    stream = io.StringIO()
    return doctor.report(findings, stream), stream.getvalue()


def test_a_line_per_check_and_below_the_wrong_ones_what_to_do() -> None:
    wrong, text = printed(
        iter(
            [
                Finding("ok", "lease", "free", ("not shown",), "nor this"),
                Finding("note", "release", "none yet", (), "make nightly"),
                Finding("WRONG", "raw", "1 file gone", ("raw/x",), "restore it"),
            ]
        )
    )
    assert wrong == 1
    assert text == (
        "ok     lease        free\n"
        "note   release      none yet\n"
        "                    -> make nightly\n"
        "WRONG  raw          1 file gone\n"
        "                    raw/x\n"
        "                    -> restore it\n"
        "\n1 wrong, 1 note, 1 ok\n"
    )


def test_names_of_files_cannot_steer_the_terminal_nor_the_markup() -> None:
    """An escape sequence, a line of its own, a reversed text, markup of the printer; and a name without an end."""
    hostile = "\x1b[2J\nok all is well\u202e[bold]x[/bold]"
    _, text = printed(iter([Finding("WRONG", "landing", "x", (hostile, "y" * 1000))]))
    lines = text.splitlines()
    assert lines[1].strip() == "\\x1b[2J\\nok all is well\\u202e[bold]x[/bold]"
    assert lines[2].strip() == "y" * 197 + "..."


def test_a_folder_that_is_not_there_is_not_made(settings: Settings) -> None:
    findings = list(doctor.examine(settings))
    assert (findings[-1].level, findings[-1].remedy) == ("note", "make nightly")
    assert not settings.data.exists()


def test_all_checks_leave_everything_as_it_is(published: Settings) -> None:
    before = {path: path.lstat().st_mtime_ns for path in published.data.rglob("*")}
    areas = {finding.area for finding in doctor.examine(published)}
    assert areas >= {"versions", "settings", "lease", "landing", "quarantine", "ledger", "raw", "release", "disk"}
    assert {path: path.lstat().st_mtime_ns for path in published.data.rglob("*")} == before


def test_a_run_under_way_is_not_waited_for(published: Settings) -> None:
    (published.raw / "orders").mkdir(parents=True)
    (published.raw / "orders/half.parquet").touch()
    with hold(published, "night", "build_marts", print), ledger.write(published) as connection:
        connection.execute("update releases set day = 'half done'")
        findings = list(doctor.examine(published))
    assert that_say(findings, "a run is under way")
    assert that_say(findings, "1 file of the run that is under way").level == "ok"


def test_a_ledger_that_is_no_database(published: Settings) -> None:
    published.ledger.write_bytes(b"no database" * 1000)
    finding = list(doctor.examine(published))[-1]
    assert (finding.level, finding.remedy) == ("WRONG", "restore state/ and raw/ from one backup")


def test_a_ledger_that_stays_locked(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.ledger.store.COPY_SECONDS", 0.1)
    holder = sqlite3.connect(published.ledger, isolation_level=None)
    holder.execute("begin exclusive")
    finding = list(doctor.examine(published))[-1]
    holder.close()
    assert finding.level == "WRONG"
    assert "cannot be read now" in finding.text
    assert "ask again" in finding.remedy


def die_in_a_commit(path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma cache_size = 1")
    connection.execute("begin immediate")
    connection.executemany("insert into mart_state values (?, ?, ?)", [(str(i), "x" * 500, "") for i in range(2000)])
    os._exit(9)


def test_a_writer_that_was_killed_in_its_commit(published: Settings) -> None:
    """Its journal must be played back, which a look never does; the next writer does, and all is well."""
    child = multiprocessing.get_context("spawn").Process(target=die_in_a_commit, args=(str(published.ledger),))
    child.start()
    child.join()
    journal = Path(f"{published.ledger}-journal")
    assert journal.exists()
    finding = list(doctor.examine(published))[-1]
    assert journal.exists()
    assert finding.level == "WRONG"
    assert "the next run mends that by itself" in finding.remedy
    with ledger.write(published):
        pass
    assert "cannot be read" not in " ".join(finding.text for finding in doctor.examine(published))


def test_a_check_that_breaks_is_a_finding_and_the_others_go_on(
    published: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_landing(_: Context) -> Iterator[Finding]:
        raise FileNotFoundError("gone between two looks")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (check_landing, *doctor.CHECKS))
    findings = list(doctor.examine(published))
    assert that_say(findings, "could not finish: FileNotFoundError: gone between two looks").level == "WRONG"
    assert that_say(findings, "free: nobody writes")


@pytest.mark.parametrize("is_well", [True, False])
def test_the_exit_code(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_well: bool, capsys: Any, groundswell: Callable[..., int]
) -> None:
    monkeypatch.setattr(doctor, "get_settings", lambda: settings)
    level = "note" if is_well else "WRONG"
    monkeypatch.setattr(doctor, "examine", lambda *_: iter([Finding(level, "x", "y")]))
    assert groundswell("doctor", "--quick") == (0 if is_well else 1)
    assert level in capsys.readouterr().out


def test_settings_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: Any, groundswell: Callable[..., int]
) -> None:
    def broken() -> Settings:
        return Settings(_env_file=None, keep_releases=0)  # type: ignore[call-arg]

    monkeypatch.setattr(doctor, "get_settings", broken)
    assert groundswell("doctor") == 1
    assert "keep_releases" in capsys.readouterr().out
