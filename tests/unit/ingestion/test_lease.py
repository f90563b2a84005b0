"""One writer at a time: who waits, who is told what, and when a lease changes hands."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ingestion import lease, ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import LeaseLost
from warehouse.cli.airflow_env import airflow_environment

HOLDER = """
import sys, time
from ingestion import lease
from ingestion.config import Settings
with lease.hold(Settings(_env_file=None, data=sys.argv[1]), "dead-run", "nightly", print):
    print("held", flush=True)
    time.sleep(60)
"""


def holders(settings: Settings) -> list[tuple[str, str]]:
    with ledger.read(settings) as connection:
        return [tuple(row) for row in connection.execute("select run_id, holder from leases")]


def quickly(settings: Settings, **changes: float) -> Settings:
    return settings.model_copy(update={"lease_wait_seconds": 0.0, **changes})


def test_lease_is_held_and_given_back(settings: Settings) -> None:
    with lease.hold(settings, "run", "nightly") as held:
        assert holders(settings) == [("run", "nightly")]
        with ledger.read(settings) as connection:
            held.check(connection)
    assert holders(settings) == []
    with ledger.read(settings) as connection, pytest.raises(LeaseLost, match="it is held by nobody"):
        held.check(connection)


def test_lease_is_given_back_after_a_failure(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), lease.hold(settings, "run", "nightly"):
        _ = 1 / 0
    assert holders(settings) == []


def test_second_writer_waits_and_then_says_who_holds_it(settings: Settings) -> None:
    said: list[str] = []
    impatient = quickly(settings, lease_wait_seconds=0.3)
    with lease.hold(settings, "first", "nightly"):
        started = time.monotonic()
        with pytest.raises(LeaseLost) as refusal, lease.hold(impatient, "second", "backfill", said.append):
            pytest.fail("two writers at once")
        assert time.monotonic() - started >= 0.3
        assert holders(settings) == [("first", "nightly")]
    who = f"nightly of run first (process {os.getpid()} on "
    assert f"another writer is at work: {who}" in str(refusal.value)
    assert len(said) == 1
    assert said[0].startswith(f"waiting for another writer: {who}")


def test_second_writer_goes_on_when_the_first_is_done(settings: Settings) -> None:
    waiting, done = threading.Event(), []

    def second() -> None:
        with lease.hold(settings, "second", "backfill", lambda _: waiting.set()):
            done.append(holders(settings))

    thread = threading.Thread(target=second)
    with lease.hold(settings, "first", "nightly"):
        thread.start()
        assert waiting.wait(5)
        assert done == []
    thread.join(5)
    assert done == [[("second", "backfill")]]


def test_lease_of_a_killed_process_is_taken_over_at_once(settings: Settings) -> None:
    command = [sys.executable, "-c", HOLDER, str(settings.data)]
    process = subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(LeaseLost, match="of run dead-run"), lease.hold(quickly(settings), "mine", "nightly"):
            pytest.fail("two writers at once")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert holders(settings) == [("dead-run", "nightly")]
    with lease.hold(quickly(settings), "mine", "nightly"):
        assert holders(settings) == [("mine", "nightly")]


def test_a_lease_of_another_container_of_one_host_name_is_not_stolen(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process ids mean nothing here: only an old heartbeat says that it is dead."""
    process = subprocess.Popen(["true"])
    process.wait()
    with lease.hold(settings, "theirs", "nightly"):
        with ledger.write(settings) as connection:
            connection.execute("update leases set pid = ?, process_start = '1'", (process.pid,))
        here = lease.place()
        monkeypatch.setattr(lease, "place", lambda: f"{here.split()[0]} pid:[4026532000]")
        with pytest.raises(LeaseLost, match="of run theirs"), lease.hold(quickly(settings), "mine", "nightly"):
            pytest.fail("two writers at once")
        monkeypatch.setattr(lease, "place", lambda: here)
        with lease.hold(quickly(settings), "mine", "nightly"):
            assert holders(settings) == [("mine", "nightly")]


def test_reused_process_id_does_not_keep_a_lease_alive(settings: Settings) -> None:
    with lease.hold(settings, "old", "nightly"):
        with ledger.write(settings) as connection:
            connection.execute("update leases set process_start = 'before the restart'")
        with lease.hold(quickly(settings), "new", "nightly"):
            assert holders(settings) == [("new", "nightly")]


def test_stale_heartbeat_is_taken_over_and_the_old_holder_may_not_commit(settings: Settings) -> None:
    with lease.hold(settings, "paused", "nightly") as paused:
        with ledger.write(settings) as connection:
            connection.execute("update leases set heartbeat_at = '2026-01-01 00:00:00', host = 'elsewhere'")
        with lease.hold(quickly(settings), "next", "backfill") as held, ledger.write(settings) as connection:
            held.check(connection)
            with pytest.raises(LeaseLost, match=r"run paused lost .* held by next \(backfill\)"):
                paused.check(connection)
    assert holders(settings) == []


def test_old_holder_does_not_give_back_what_is_no_longer_its_own(settings: Settings) -> None:
    with lease.hold(settings, "paused", "nightly"), ledger.write(settings) as connection:
        connection.execute("update leases set token = 'another', run_id = 'next'")
    assert holders(settings) == [("next", "nightly")]


def test_process_elsewhere_is_alive_while_its_heart_beats(settings: Settings) -> None:
    with lease.hold(settings, "far", "nightly"):
        with ledger.write(settings) as connection:
            connection.execute("update leases set host = 'elsewhere', pid = 999999999, process_start = ''")
        with pytest.raises(LeaseLost, match="on elsewhere"), lease.hold(quickly(settings), "near", "nightly"):
            pytest.fail("two writers at once")


def test_heart_beats_also_after_a_beat_that_failed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    really_write = ledger.write
    failures = [sqlite3.OperationalError("disk is full")]

    def write(asked: Settings) -> object:
        if failures and threading.current_thread().name == "lease-heartbeat":
            raise failures.pop()
        return really_write(asked)

    def beat(settings: Settings) -> str:
        with ledger.read(settings) as connection:
            return str(connection.execute("select heartbeat_at from leases").fetchone()[0])

    with lease.hold(quickly(settings, lease_ttl_seconds=0.4), "run", "nightly"):
        first = beat(settings)
        monkeypatch.setattr(ledger, "write", write)
        deadline = time.monotonic() + 5
        while beat(settings) == first and time.monotonic() < deadline:
            time.sleep(0.05)
        assert beat(settings) > first
        assert failures == []


def test_leases_of_two_data_folders_are_apart(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"data": tmp_path / "other"})
    with lease.hold(settings, "one", "nightly"), lease.hold(quickly(other), "two", "nightly"):
        assert holders(other) == [("two", "nightly")]


def test_state_and_airflows_folder_are_their_owners_alone(settings: Settings) -> None:
    """Passwords, keys and the ledger lie in them, and others write files there that all may read."""
    old = os.umask(0o022)
    try:
        (settings.data / "airflow").mkdir(parents=True)
        airflow_environment(settings)
        with ledger.write(settings):
            pass
    finally:
        os.umask(old)
    assert (settings.data / "airflow").stat().st_mode & 0o777 == 0o700
    assert settings.ledger.parent.stat().st_mode & 0o777 == 0o700
    settings.ledger.parent.chmod(0o755)
    with ledger.read(settings):
        assert settings.ledger.parent.stat().st_mode & 0o777 == 0o700
