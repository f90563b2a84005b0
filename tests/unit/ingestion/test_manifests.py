"""A manifest beside a delivery: verified where it stands, waited for where a feed asks for it."""

import hashlib
import json
import os
from datetime import datetime
from typing import Any

import pytest

from ..conftest import GOOD, Yard

PATH = "account_snapshots/day/x.csv"
UNENDED = GOOD.rstrip(b"\n")


def drop_note(yard: Yard, name: str = "_manifest.json", **entry: Any) -> None:
    yard.drop(f"account_snapshots/day/{name}", json.dumps({"files": [{"name": "x.csv", **entry}]}))


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", ["_manifest.json", "_SUCCESS"])
def test_a_file_that_is_what_its_manifest_says_lands(yard: Yard, name: str) -> None:
    yard.drop(PATH, GOOD)
    drop_note(
        yard,
        name,
        bytes=len(GOOD),
        sha256=sha(GOOD).upper(),
        rows=2,
        as_of="2026-01-06T01:00:00+08:00",
        origin="simulated",
    )
    assert yard.land().rows_accepted == 2
    assert yard.rows(PATH, "as_of, data_origin")[0] == (datetime(2026, 1, 5, 17), "simulated")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"bytes": len(GOOD) + 1}, f"it has {len(GOOD)} bytes, its manifest says {len(GOOD) + 1}"),
        ({"sha256": "0" * 64}, "its SHA-256 is not the one in its manifest"),
    ],
)
def test_a_file_that_differs_waits_and_is_then_set_aside(
    yard_with_good: Yard, entry: dict[str, Any], words: str
) -> None:
    yard_with_good.drop(PATH, GOOD)
    drop_note(yard_with_good, **entry)
    assert yard_with_good.land().files_waiting == [PATH]
    yard_with_good.age(PATH, 1000)
    yard_with_good.land()
    assert words in yard_with_good.batch(PATH)["reason"]
    assert yard_with_good.batch(PATH)["state"] == "quarantined"


def test_a_file_cut_at_a_line_end_is_noticed_by_its_rows(yard: Yard) -> None:
    """A CSV cut at a line end looks whole to every reader; only its manifest knows."""
    cut = GOOD[: GOOD.rindex(b"youtube")]
    yard.drop(PATH, cut)
    drop_note(yard, rows=2)
    yard.land()
    batch = yard.batch(PATH)
    assert (batch["state"], batch["rows_read"], batch["rows_quarantined"]) == ("quarantined", 1, 1)
    assert batch["reason"] == "it has 1 rows, its manifest says 2; send it again"


def test_a_verified_file_may_lack_its_last_line_end(yard: Yard) -> None:
    yard.drop(PATH, UNENDED)
    drop_note(yard, sha256=sha(UNENDED))
    assert yard.land().rows_accepted == 2


def test_a_feed_that_asks_for_manifests_waits_for_them(yard: Yard) -> None:
    yard.settings = yard.settings.model_copy(update={"manifest_feeds": ("account_snapshots",)})
    yard.drop(PATH, GOOD)
    assert yard.land().files_waiting == [PATH]
    yard.drop("account_snapshots/day/_SUCCESS", b"")
    assert yard.land().files_waiting == [PATH], "an empty mark verifies nothing"
    drop_note(yard, sha256=sha(GOOD))
    assert yard.land().rows_accepted == 2


@pytest.mark.parametrize("broken", [b"{", b'{"files": [{"name": "x.csv", "bytes": -1}]}', b"[" * 100_000])
def test_a_manifest_that_cannot_be_read_holds_its_folder_up_and_says_so(yard: Yard, broken: bytes) -> None:
    yard.drop(PATH, GOOD)
    yard.drop("account_snapshots/day/_manifest.json", broken)
    assert yard.land().files_waiting == [PATH]
    assert any("_manifest.json beside it cannot be read" in line for line in yard.said)


def test_what_a_manifest_says_of_other_files_does_not_matter(yard: Yard) -> None:
    yard.drop(PATH, GOOD)
    yard.drop(
        "account_snapshots/day/_manifest.json", json.dumps({"files": [{"name": "y.csv", "bytes": 1}], "by": "me"})
    )
    assert yard.land().rows_accepted == 2


def test_what_cannot_be_said_of_one_file_holds_up_that_file_alone(yard: Yard) -> None:
    """A time that lies beyond the calendar once it is UTC, and a size that is none."""
    for name in ("late", "small", "good"):
        yard.drop(f"account_snapshots/day/{name}.csv", GOOD + name.encode() + b",,,,\n")
    files = [
        {"name": "late.csv", "as_of": "9999-12-31T23:59:59-14:00"},
        {"name": "small.csv", "bytes": -1},
        {"name": "good.csv", "rows": 3},
    ]
    yard.drop("account_snapshots/day/_manifest.json", json.dumps({"files": files}))
    landed = yard.land()
    assert landed.files_waiting == ["account_snapshots/day/late.csv", "account_snapshots/day/small.csv"]
    assert any("late.csv" in line and "beyond the calendar" in line for line in yard.said)
    assert yard.batch("account_snapshots/day/good.csv")["rows_accepted"] == 2


def test_an_entry_without_a_name_holds_up_whom_it_may_mean(yard: Yard) -> None:
    yard.drop(PATH, GOOD)
    yard.drop("account_snapshots/day/y.csv", GOOD)
    yard.drop("account_snapshots/day/_manifest.json", json.dumps({"files": [{"nam": "x.csv"}, {"name": "y.csv"}]}))
    assert yard.land().files_waiting == [PATH]
    assert any("one of its entries names no file" in line for line in yard.said)


@pytest.mark.parametrize("name", ["_manifest.json", "_SUCCESS"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "closed"])
def test_a_manifest_that_cannot_be_opened_is_not_absent(yard: Yard, name: str, kind: str, monkeypatch: Any) -> None:
    """It is not followed either: what it says may contradict the file, which waits until it is mended or removed."""
    yard.drop(PATH, GOOD)
    note = yard.settings.landing / "account_snapshots" / "day" / name
    if kind == "link":
        note.symlink_to(yard.drop("elsewhere.json", "{}"))
    elif kind == "pipe":
        os.mkfifo(note)
    elif kind == "folder":
        note.mkdir()
    else:
        note.write_text("{}")
        really = os.open

        def closed(path: Any, *arguments: Any, **named: Any) -> int:
            if str(path) == name:
                raise PermissionError
            return really(path, *arguments, **named)

        monkeypatch.setattr(os, "open", closed)
    assert PATH in yard.land().files_waiting
    assert any(f"{name} beside it cannot be opened" in line and "mend or remove it" in line for line in yard.said)
    monkeypatch.undo()
    note.rmdir() if kind == "folder" else note.unlink()
    assert yard.land().rows_accepted == 2
