"""The night beside that of the commit before: which packages ran, and what the tables say."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bench import before
from bench.one_night import Node, Result
from ingestion.config import PROJECT_DIR


def node(name: str, seconds: float, of: str = "") -> Node:
    """A node that took so many seconds, and a tenth of them of CPU."""
    return {"name": name, "kind": "test" if of else "model", "of": of or name, "seconds": [seconds, seconds / 10]}


def result(*nodes: Node, code: Path = PROJECT_DIR) -> Result:
    """A night of 10 s, of which the release copy takes 1."""
    stages = {name: [2.0, 1.0] for name in before.STAGES}
    return {
        "code": str(code), "stages": {"start-up": [9.0, 9.0], **stages}, "memory": 1.0, "nodes": list(nodes),
        "parents": {}, "copy": 1.0, "gigabytes": 1.0,
    }  # fmt: skip


def test_seconds_of_a_night_are_by_stage_and_by_node() -> None:
    night = result(node("dim_account", 3), node("unique_dim_account", 1, "dim_account"), node("a", 0.5, "dim_account"))
    assert before.nodes_of(night, 0) == {"dim_account": 3, "dim_account: tests": 1.5}
    assert before.nodes_of(night, 1) == pytest.approx({"dim_account": 0.3, "dim_account: tests": 0.15})
    assert before.stages_of(night, 1)["build"] == 1
    assert list(before.stages_of(night, 0).items()) == [
        ("land", 2), ("check landing", 2), ("build", 2), ("  models", 3), ("  tests", 1.5), ("check marts", 2),
        ("publish", 2), ("all but start-up, and release copy by wall", 9),
    ]  # fmt: skip


def test_the_nodes_that_differ_most_stand_first() -> None:
    now = {"same": 5.0, "slower": 3.0, "new": 1.5}
    was = {"same": 5.1, "slower": 1.0, "gone": 2.5}
    names = before.most_different(now, was)
    assert names == ["gone", "slower", "new", "same"]
    rows = [line.split() for line in before.table("node", (now, was), (was, now), names).splitlines()[2:]]
    assert rows == [
        ["gone", "-", "2.50", "-", "2.50", "-", "-"], ["slower", "3.00", "1.00", "3.00", "1.00", "3.00", "0.33"],
        ["new", "1.50", "-", "-", "-", "1.50", "-"], ["same", "5.00", "5.10", "0.98", "5.10", "5.00", "1.02"],
    ]  # fmt: skip


def test_a_commit_is_unpacked_beside_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as files:
        entry = tarfile.TarInfo("ingestion/config.py")
        entry.size = 3
        files.addfile(entry, io.BytesIO(b"old"))
    asked: list[Any] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, packed.getvalue())

    monkeypatch.setattr(subprocess, "run", run)
    folder = before.unpack(Path("/checkout"), "v0.1.0", tmp_path / "code")
    assert (folder / "ingestion" / "config.py").read_text() == "old"
    assert asked == [["git", "-C", "/checkout", "archive", "v0.1.0"]]


def bench_before(monkeypatch: pytest.MonkeyPatch, before_runs: Path | None = None) -> None:
    """Run it with nights that are made up: this checkout takes 2 s for a model, the other one 1 s."""

    def night(data: Path, code: Path) -> Result:
        is_now = code == PROJECT_DIR
        return result(node("dim_account", 2.0 if is_now else 1.0), code=code if is_now else before_runs or code)

    for name, fake in (
        ("unpack", lambda repository, rev, folder: folder),
        ("history", lambda *given: given[0]),
        ("write_day", lambda *given: None),
        ("copy_of", lambda base, folder: folder.mkdir() or folder),
        ("night", night),
    ):
        monkeypatch.setattr(before, name, fake)
    monkeypatch.setattr(sys, "argv", ["before", "--pairs", "2"])
    assert before.main() == 0


def test_both_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bench_before(monkeypatch)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["models", "2.00", "1.00", "2.00", "0.20", "0.10", "2.00"] in rows
    assert ["dim_account", "2.00", "1.00", "2.00", "0.20", "0.10", "2.00"] in rows


def test_a_night_that_ran_the_packages_of_the_other_checkout_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AssertionError, match="before ran the packages of"):
        bench_before(monkeypatch, before_runs=PROJECT_DIR)
