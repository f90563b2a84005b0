"""Files that a sender should not have sent: each is refused or mended row by row, and the good file beside it loads."""

import errno
import gzip
import json
import os
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import landing
from ingestion.config import utc_now
from ingestion.errors import FileRefused
from tests.unit.conftest import GOOD, GOOD_FILE, HEADER, Yard

BAD = "account_snapshots/bad.csv"
OWN_PLATFORM = "a platform of your own is a row of config/platforms.csv"
ROW = "youtube,a,2026-01-05T03:00:00Z,1"
# What the good file has besides.
GOOD_ROWS = [("good-1", 10), ("good-2", 20)]


def land_beside_good(yard: Yard, content: bytes | str, path: str = BAD) -> landing.Landed:
    yard.drop(path, content)
    landed = yard.land()
    assert yard.rows(GOOD_FILE) == GOOD_ROWS
    return landed


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param("\n", "missing required column", id="one blank line"),
        pytest.param(f"{HEADER}\n{ROW}\nyoutube,b,2026-01", "last line has no line end", id="cut last line"),
        pytest.param(f"{HEADER}\n{ROW}\nyoutube,b,2026-01-05T03:00:00Z,12", "may be cut", id="cut last number"),
        pytest.param(HEADER, "last line has no line end", id="cut header"),
        pytest.param("platform,acount_id,captured_at\nx,y,2026-01-05\n", "nearest header is 'acount_id'", id="near"),
        pytest.param("a,b,c\nx,y,z\n", "missing required column 'platform'; the header begins 'a', 'b'", id="far"),
        pytest.param(f"{HEADER}\n{ROW}\n".replace(",", ";"), "separate cells with commas", id="semicolons"),
        pytest.param(f"{HEADER}\n{ROW}\n".replace(",", "\t"), "separate cells with commas", id="tabs"),
        pytest.param(f"{HEADER},account_id\n{ROW},b\n", "'account_id' stands there 2 times", id="header twins"),
        pytest.param(f"{HEADER},x\0y\n{ROW},1\n", "header holds a NUL byte", id="NUL in the header"),
        pytest.param(f"{HEADER}{',x' * 1000}\n{ROW}\n", "more than 1,000", id="a thousand columns"),
        pytest.param(f"{HEADER}\n{ROW}\n".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(f'{HEADER}\n{ROW}\n"youtube,b,2026-01-05,1\n{ROW}\n', "line 3 is never closed", id="open quote"),
        pytest.param(f'"{HEADER}\n{ROW}\n', "header line cannot be read", id="open quote in the header"),
        pytest.param(f"{HEADER}\n{ROW}\r{ROW}\n", "carriage returns", id="a carriage return alone"),
        pytest.param(f"{HEADER}\r{ROW}\r", "header line cannot be read", id="carriage returns alone"),
        pytest.param(os.urandom(64) + b"\0\xff\n\n", "", id="noise"),
    ],
)
def test_file_is_quarantined_whole(yard_with_good: Yard, content: bytes | str, reason: str) -> None:
    land_beside_good(yard_with_good, content)
    yard_with_good.assert_quarantined_whole(BAD, reason)
    assert yard_with_good.kept_bytes(BAD) == (content if isinstance(content, bytes) else content.encode())


def test_rows_of_a_refused_file_are_counted_as_quarantined(yard_with_good: Yard) -> None:
    land_beside_good(yard_with_good, "platform,acount_id,captured_at\n" + "x,y,2026-01-05\n" * 3)
    batch = yard_with_good.batch(BAD)
    assert (batch["rows_read"], batch["rows_quarantined"]) == (3, 3)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ('youtube,"a\nb",2026-01-05,1', ("account_id", "a\nb", "holds a control character (line break, tab, NUL)")),
        ("youtube,a\0b,2026-01-05,1", ("account_id", "a\0b", "holds a control character (line break, tab, NUL)")),
        (
            "youtube,a\u00a0b,2026-01-05,1",
            ("account_id", "a\u00a0b", "holds a character that nobody sees (U+00A0); take it out"),
        ),
        (
            "youtube,a\u200bb,2026-01-05,1",
            ("account_id", "a\u200bb", "holds a character that nobody sees (U+200B); take it out"),
        ),
        (
            "youtube,\u202ea,2026-01-05,1",
            ("account_id", "\u202ea", "holds a character that nobody sees (U+202E); take it out"),
        ),
        (
            "youtube,a\u2066,2026-01-05,1",
            ("account_id", "a\u2066", "holds a character that nobody sees (U+2066); take it out"),
        ),
        (
            "youtube,a\u009bb,2026-01-05,1",
            ("account_id", "a\u009bb", "holds a character that nobody sees (U+009B); take it out"),
        ),
        (f"youtube,{'x' * 10_000},2026-01-05,1", ("account_id", "x" * 200, "longer than 255 bytes")),
        (f"youtube,{'é' * 128},2026-01-05,1", ("account_id", "é" * 128, "longer than 255 bytes")),
        ("youtube,,2026-01-05,1", ("account_id", None, "empty, but required")),
        ("youtube,  ,2026-01-05,1", ("account_id", "  ", "empty, but required")),
        (
            "y tube,a,2026-01-05,1",
            ("platform", "y tube", "no known platform; did you mean you tube?; " + OWN_PLATFORM),
        ),
        ("youtube,a,yesterday,1", ("captured_at", "yesterday", "not an ISO 8601 time like 2026-01-05T03:00:00Z")),
        ("youtube,a,2004-12-31,1", ("captured_at", "2004-12-31", "before 2005-01-01")),
    ],
)
def test_bad_cell_quarantines_its_row_alone(
    yard_with_good: Yard, cells: str, expected: tuple[str, str | None, str]
) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\n{cells}\nyoutube,b,2026-01-05,2\n")
    assert yard_with_good.rows(BAD) == [("b", 2)]
    line, column, value, reason, row = yard_with_good.rejects(BAD)[0]
    assert (line, (column, value, reason)) == (2, expected)
    assert (row[:2], row[-2:]) == ('["', '"]')
    batch = yard_with_good.batch(BAD)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_quarantined"]) == (2, 1, 1)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("-5", "a negative count"), ("1000000000001", "a count above 10^12"), ("many", "not a whole number")],
)
def test_bad_optional_cell_is_null_and_its_row_loads(yard_with_good: Yard, cell: str, reason: str) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\nyoutube,a,2026-01-05,{cell}\nyoutube,b,2026-01-05,2\n")
    assert yard_with_good.rows(BAD, "account_id, followers, followers_null_reason, invalid_cells") == [
        ("a", None, "invalid", f'{{"followers":"{cell}"}}'), ("b", 2, None, None),
    ]  # fmt: skip
    assert yard_with_good.batch(BAD)["reason"] == f"invalid cells, null now: 1 of followers (line 2: {reason})"


def test_rejects_name_their_file_and_keep_the_row_as_read(yard: Yard) -> None:
    yard.drop_rows("account_snapshots/it's.csv", "youtube, a ,2004-12-31,-1", ROW)
    yard.land()
    assert yard.rejects("account_snapshots/it's.csv") == [
        (2, "captured_at", "2004-12-31", "before 2005-01-01", '["youtube"," a ","2004-12-31","-1"]')
    ]


def test_capture_more_than_48_hours_ahead(yard_with_good: Yard) -> None:
    soon, late = (utc_now() + timedelta(hours=hours) for hours in (47, 49))
    rows = f"youtube,soon,{soon.isoformat()},1\nyoutube,late,{late.isoformat()},1\n"
    land_beside_good(yard_with_good, f"{HEADER}\n{rows}")
    assert yard_with_good.rows(BAD) == [("soon", 1)]
    assert yard_with_good.rejects(BAD)[0][3] == "more than 48 h ahead of the landing"


def test_file_whose_every_row_is_bad_says_why(yard_with_good: Yard) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\nyoutube,a,2004-12-31,1\nyoutube,b,2004-12-31,1\n")
    batch = yard_with_good.batch(BAD)
    assert batch["state"] == "quarantined"
    assert batch["reason"] == "no row was accepted; the first: line 2, captured_at: before 2005-01-01"


def test_two_rows_of_one_key_and_instant_conflict(yard_with_good: Yard) -> None:
    same_instant = "youtube,a,2026-01-05T11:00:00+08:00,2"
    land_beside_good(yard_with_good, f"{HEADER}\n{ROW}\nyoutube,b,2026-01-05,7\n{same_instant}\n")
    assert yard_with_good.rows(BAD) == [("b", 7)]
    reason = "2 rows with one key and instant and differing values, in lines 2 and 4; they differ in followers"
    assert yard_with_good.rejects(BAD) == [
        (2, "captured_at", "2026-01-05 03:00:00", reason, '["youtube","a","2026-01-05T03:00:00Z","1"]'),
        (4, "captured_at", "2026-01-05 03:00:00", reason, '["youtube","a","2026-01-05T11:00:00+08:00","2"]'),
    ]


def test_conflict_in_a_file_with_broken_lines_keeps_the_right_rows(yard_with_good: Yard) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\nbroken\n{ROW}\n\nyoutube,b,2026-01-05,7\nyoutube,A,x,1\n{ROW}9\n")
    assert yard_with_good.rows(BAD) == [("b", 7)]
    found = [(line, row) for line, _, _, _, row in yard_with_good.rejects(BAD)]
    assert found == [
        (2, "broken"),
        (3, '["youtube","a","2026-01-05T03:00:00Z","1"]'),
        (6, '["youtube","A","x","1"]'),
        (7, '["youtube","a","2026-01-05T03:00:00Z","19"]'),
    ]


def test_values_that_only_look_alike_when_joined_are_a_conflict(yard_with_good: Yard) -> None:
    rows = 'youtube,a,2026-01-05,"x, y",z\nyoutube,a,2026-01-05,x,"y, z"\nyoutube,c,2026-01-05,NULL,\n'
    rows += "youtube,c,2026-01-05,,NULL\n"
    land_beside_good(yard_with_good, f"platform,account_id,captured_at,handle,display_name\n{rows}")
    assert yard_with_good.rows(BAD) == []
    assert len(yard_with_good.rejects(BAD)) == 4


def test_exact_duplicate_is_counted_and_the_first_kept(yard_with_good: Yard) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\n{ROW}\n{ROW}\nyoutube,b,2026-01-05,7\n{ROW}\n")
    assert yard_with_good.rows(BAD, "source_line, account_id") == [(2, "a"), (4, "b")]
    batch = yard_with_good.batch(BAD)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_duplicate"]) == (4, 2, 2)


# Packed files


def test_gzip_loads(yard_with_good: Yard) -> None:
    path = "account_snapshots/bad.csv.gz"
    land_beside_good(yard_with_good, gzip.compress(f"{HEADER}\n".encode()) + gzip.compress(f"{ROW}\n".encode()), path)
    assert yard_with_good.rows(path) == [("a", 1)]


def packed(rows: int = 2000) -> bytes:
    lines = "".join(f"youtube,a{number},2026-01-05,{zlib.crc32(bytes(number))}\n" for number in range(rows))
    return gzip.compress(f"{HEADER}\n{lines}".encode())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(packed()[: len(packed()) // 2], "it is cut off", id="cut in the middle"),
        pytest.param(packed()[:-4], "it is cut off", id="cut in the last four bytes"),
        pytest.param(packed()[:-8] + b"\0\0\0\0" + packed()[-4:], "CRC check failed", id="wrong CRC"),
        pytest.param(packed()[:-4] + b"\1\0\0\0", "length", id="wrong length"),
        pytest.param(packed()[:100] + b"\xff" * 20 + packed()[120:], "gzip is damaged", id="flipped bytes"),
        pytest.param(packed() + b"more", "gzip is damaged", id="something behind it"),
        pytest.param(b"\x1f\x8b\x08", "it is cut off", id="gzip header alone"),
        pytest.param(b"\x1f\x8b\x07" + bytes(20), "gzip is damaged", id="unknown method"),
    ],
)
def test_damaged_gzip(yard_with_good: Yard, content: bytes, reason: str) -> None:
    land_beside_good(yard_with_good, content, "account_snapshots/bad.csv.gz")
    yard_with_good.assert_quarantined_whole("account_snapshots/bad.csv.gz", reason)
    assert yard_with_good.kept_bytes("account_snapshots/bad.csv.gz") == content


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_decompression_bomb_over_the_limit(yard_with_good: Yard, suffix: str) -> None:
    settings = yard_with_good.settings.model_copy(update={"max_unpacked_bytes": 1 << 20})
    yard_with_good.settings = settings
    plain = f"{HEADER}\n{ROW}\n".encode() + b"\0" * (64 << 20)
    content = gzip.compress(plain) if suffix == ".csv.gz" else plain[: 2 << 20]
    land_beside_good(yard_with_good, content, f"account_snapshots/bomb{suffix}")
    yard_with_good.assert_quarantined_whole(f"account_snapshots/bomb{suffix}", "1,048,576 bytes")
    assert not settings.inbox.exists()


def test_one_endless_line_is_refused(yard_with_good: Yard) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\n".encode() + b"x" * (40 << 20) + b"\n")
    yard_with_good.assert_quarantined_whole(BAD, "line 2 is longer than 33,554,432 bytes")


def test_line_of_3_megabytes_is_quarantined_alone(yard_with_good: Yard) -> None:
    land_beside_good(
        yard_with_good, f"{HEADER}\n{ROW}\nyoutube,{'x' * 3_000_000},2026-01-05,1\nyoutube,b,2026-01-05,2\n"
    )
    assert yard_with_good.rows(BAD, "source_line, account_id") == [(2, "a"), (4, "b")]
    assert yard_with_good.rejects(BAD)[0][0] == 3


# Names and places


def test_links_are_never_followed(yard_with_good: Yard) -> None:
    secret = yard_with_good.settings.data / "secret"
    secret.mkdir(parents=True)
    (secret / "x.csv").write_bytes(GOOD)
    feed = yard_with_good.settings.landing / "account_snapshots"
    (feed / "file_link.csv").symlink_to(secret / "x.csv")
    (feed / "folder_link").symlink_to(secret, target_is_directory=True)
    (feed / "dangling.csv").symlink_to(secret / "nowhere.csv")
    landed = yard_with_good.land()
    assert (landed.files_new, landed.files_quarantined, landed.rows_accepted) == (4, 3, 2)
    for name in ("file_link.csv", "folder_link", "dangling.csv"):
        batch = yard_with_good.assert_quarantined_whole(f"account_snapshots/{name}", "it is a link or no plain file")
        assert list((yard_with_good.settings.quarantine / "account_snapshots/files" / batch["sha256"]).iterdir()) != []
    assert yard_with_good.land().files_new == 0


def test_link_set_between_the_two_looks(yard: Yard) -> None:
    yard.drop("account_snapshots/real/x.csv", GOOD)
    (yard.settings.landing / "account_snapshots/link").symlink_to("real", target_is_directory=True)
    with pytest.raises(FileRefused, match="it is a link"):
        landing.open_inside(yard.settings.landing, "account_snapshots/link/x.csv")


@pytest.mark.parametrize("path", ["../secret.csv", "account_snapshots/../../secret.csv", "/etc/passwd", ""])
def test_paths_out_of_landing(yard: Yard, path: str) -> None:
    yard.drop("account_snapshots/x.csv", GOOD)
    (yard.settings.data / "secret.csv").write_bytes(GOOD)
    with pytest.raises(FileRefused, match="leads out of landing"):
        landing.open_inside(yard.settings.landing, path)


def test_name_with_pattern_characters_is_read_as_itself(yard_with_good: Yard) -> None:
    yard_with_good.drop_rows("account_snapshots/x1.csv", "youtube,wrong,2026-01-05,1")
    yard_with_good.drop_rows("account_snapshots/x[1].csv", "youtube,right,2026-01-05,2")
    yard_with_good.drop_rows("account_snapshots/x*?.csv", "youtube,star,2026-01-05,3")
    yard_with_good.land()
    assert yard_with_good.rows("account_snapshots/x[1].csv") == [("right", 2)]
    assert yard_with_good.rows("account_snapshots/x*?.csv") == [("star", 3)]


@pytest.mark.parametrize(
    "name", ["it's; drop table.csv", "a\nb.csv", "ünïcode 😀.csv", "${x}.csv", "-x.csv", "a%b.csv"]
)
def test_odd_names_load(yard_with_good: Yard, name: str) -> None:
    land_beside_good(yard_with_good, f"{HEADER}\n{ROW}\n", f"account_snapshots/{name}")
    assert yard_with_good.rows(f"account_snapshots/{name}", "source_file") == [(f"account_snapshots/{name}",)]


def test_name_that_is_not_utf8_loads_under_an_escaped_name(yard_with_good: Yard) -> None:
    target = os.fsencode(yard_with_good.settings.landing / "account_snapshots") + b"/\xff.csv"
    with open(target, "wb") as file:
        file.write(f"{HEADER}\n{ROW}\n".encode())
    yard_with_good.land()
    assert yard_with_good.rows("account_snapshots/\\xff.csv") == [("a", 1)]
    assert yard_with_good.rows(GOOD_FILE) == GOOD_ROWS
    assert yard_with_good.land().files_new == 0


def test_pipe_and_directory_named_like_a_file(yard_with_good: Yard) -> None:
    feed = yard_with_good.settings.landing / "account_snapshots"
    os.mkfifo(feed / "pipe.csv")
    (feed / "folder.csv").mkdir()
    landed = yard_with_good.land()
    assert landed.files_seen == 2
    yard_with_good.assert_quarantined_whole("account_snapshots/pipe.csv", "no regular file")


@pytest.mark.parametrize("path", ["tiktok_stuff/x.csv", "x.csv", "tiktok_stuff/deep/Account_snapshots/x.csv"])
def test_unknown_feed(yard_with_good: Yard, path: str) -> None:
    land_beside_good(yard_with_good, GOOD, path)
    yard_with_good.assert_quarantined_whole(path, "move it under landing/<feed>/")
    assert yard_with_good.kept_bytes(path) == GOOD


def test_unknown_feed_of_the_longest_name(yard_with_good: Yard) -> None:
    folder = b"\xff" * 255
    top = os.fsencode(yard_with_good.settings.landing) + b"/" + folder
    Path(os.fsdecode(top)).mkdir(parents=True)
    with open(top + b"/x.csv", "wb") as file:
        file.write(GOOD)
    assert yard_with_good.land().files_quarantined == 1
    assert yard_with_good.rows(GOOD_FILE) == GOOD_ROWS


@pytest.mark.parametrize("name", ["x.xls", "x", "csv", "x.csv.bz2", "x.orc"])
def test_unsupported_suffix(yard_with_good: Yard, name: str) -> None:
    land_beside_good(yard_with_good, GOOD, f"account_snapshots/{name}")
    yard_with_good.assert_quarantined_whole(f"account_snapshots/{name}", "not one of .csv, .csv.gz")


def test_half_uploads_notes_and_hidden_files_are_left_alone(yard_with_good: Yard) -> None:
    for name in (".x.csv", "_SUCCESS", "x.csv.part", "x.csv.tmp", "x.crdownload", ".git/x.csv", "_old/x.csv"):
        yard_with_good.drop(f"account_snapshots/{name}", GOOD)
    landed = yard_with_good.land()
    assert (landed.files_seen, landed.files_new, landed.files_waiting) == (1, 1, [])


def test_unreadable_file_waits(yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard_with_good.drop(BAD, GOOD)
    really_open = os.open

    def locked(path: object, *args: int, **kwargs: int) -> int:
        if path == "bad.csv":
            raise PermissionError(13, "Permission denied")
        return really_open(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", locked)
    landed = yard_with_good.land()
    assert (landed.files_waiting, landed.files_quarantined) == ([BAD], 0)
    assert yard_with_good.rows(GOOD_FILE) == GOOD_ROWS


@pytest.mark.parametrize("closed", ["listing", "entering"])
def test_a_folder_that_may_not_be_read_is_named(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    """Its files were passed over without a word, or stopped all others."""
    folder = yard_with_good.drop("account_snapshots/sub/x.csv", GOOD + b"\n").parent
    scandir, lstat = os.scandir, Path.lstat

    def denied(path: Any) -> Any:
        if path == str(folder):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    def not_entered(path: Path) -> Any:
        if path.parent == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return lstat(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", denied) if closed == "listing" else patch.setattr(Path, "lstat", not_entered)
        yard_with_good.land()
    batch = yard_with_good.batch("account_snapshots/sub")
    assert batch["state"] == "quarantined"
    assert "what lies in it cannot be read (Permission denied); let this user list and enter it or" in batch["reason"]
    assert yard_with_good.batch(GOOD_FILE)["rows_accepted"] == 2
    yard_with_good.land()
    assert yard_with_good.batch("account_snapshots/sub/x.csv")["rows_accepted"] == 2


def test_a_folder_in_a_folder_that_may_not_be_entered_stops_nothing(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot be looked at itself, so the one above it is named."""
    inner = yard_with_good.drop("account_snapshots/sub/deep/x.csv", GOOD + b"\n").parent
    scandir = os.scandir

    def denied(path: Any) -> Any:
        if path == str(inner):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    def not_entered(really_look: Any) -> Any:
        def look(path: Any, *args: Any, **kwargs: Any) -> Any:
            if Path(path).is_relative_to(inner):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return really_look(path, *args, **kwargs)

        return look

    monkeypatch.setattr(os, "scandir", denied)
    monkeypatch.setattr(os, "lstat", not_entered(os.lstat))
    monkeypatch.setattr(Path, "lstat", not_entered(Path.lstat))
    yard_with_good.land()
    assert "what lies in it cannot be read" in yard_with_good.batch("account_snapshots/sub")["reason"]
    assert yard_with_good.batch(GOOD_FILE)["rows_accepted"] == 2


def test_a_folder_that_vanishes_during_the_look_stops_nothing(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = yard_with_good.drop("account_snapshots/sub/x.csv", GOOD + b"\n").parent
    scandir = os.scandir

    def gone(path: Any) -> Any:
        if path == str(folder):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", gone)
    assert yard_with_good.land().files_quarantined == 0
    assert yard_with_good.batch(GOOD_FILE)["rows_accepted"] == 2


def test_a_file_with_holes_is_refused_before_it_is_copied(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hole = yard_with_good.drop("account_snapshots/hole.csv", b"")
    os.truncate(hole, 100 << 30)
    yard_with_good.land()
    assert yard_with_good.batch("account_snapshots/hole.csv")["reason"].startswith("larger than ")
    assert yard_with_good.batch(GOOD_FILE)["rows_accepted"] == 2


@pytest.mark.parametrize("seconds", [2**40, -(2**33)])
def test_absurd_time_of_change(yard_with_good: Yard, seconds: int) -> None:
    os.utime(yard_with_good.drop(BAD, f"{HEADER}\n{ROW}\n"), (seconds, seconds))
    yard_with_good.land()
    assert yard_with_good.rows(BAD) == [("a", 1)]
    assert "1970-01-01" <= yard_with_good.batch(BAD)["as_of"] <= str(utc_now())


def test_time_in_a_name_more_than_48_hours_ahead(yard_with_good: Yard) -> None:
    path = "account_snapshots/x_2099-01-01.csv"
    land_beside_good(yard_with_good, f"{HEADER}\n{ROW}\n", path)
    yard_with_good.assert_quarantined_whole(path, "the time in its name is more than 48 h ahead")


def test_lack_of_memory_is_no_fault_of_the_file(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or too little memory ends the run; the file is not quarantined for it, and lands with the next."""
    import duckdb

    from ingestion import parse
    from ingestion.readers.table import Table

    yard.drop(GOOD_FILE, GOOD)
    really = parse.open_table

    def out_of_memory(*_: object) -> Table:
        raise duckdb.OutOfMemoryException("no room")

    monkeypatch.setattr(parse, "open_table", out_of_memory)
    with pytest.raises(duckdb.OutOfMemoryException):
        yard.land()
    monkeypatch.setattr(parse, "open_table", really)
    yard.land()
    assert yard.rows(GOOD_FILE) == GOOD_ROWS


# Files under way


def test_growing_file_waits_and_lands_at_the_next_look(yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    target = yard_with_good.drop(BAD, f"{HEADER}\n{ROW}\n")

    def grow(_seconds: float) -> None:
        with target.open("a") as file:
            file.write("youtube,b,2026-01-05,2\n")

    monkeypatch.setattr(landing.time, "sleep", grow)
    landed = yard_with_good.land()
    assert landed.files_waiting == [BAD]
    assert yard_with_good.query("select * from batches where file = ?", BAD) == []
    assert yard_with_good.rows(GOOD_FILE) == GOOD_ROWS

    monkeypatch.setattr(landing.time, "sleep", lambda _seconds: None)
    assert yard_with_good.land().files_waiting == []
    assert yard_with_good.rows(BAD) == [("a", 1), ("b", 2)]


def test_file_that_vanishes_waits(yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    target = yard_with_good.drop(BAD, f"{HEADER}\n{ROW}\n")
    monkeypatch.setattr(landing.time, "sleep", lambda _seconds: target.unlink(missing_ok=True))
    assert yard_with_good.land().files_waiting == [BAD]
    assert yard_with_good.rows(GOOD_FILE) == GOOD_ROWS


def test_old_file_is_not_waited_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.drop(BAD, f"{HEADER}\n{ROW}\n")
    yard.age(BAD, 3600)
    monkeypatch.setattr(landing.time, "sleep", lambda _seconds: pytest.fail("waited"))
    assert yard.land().rows_accepted == 1


def test_true_is_no_id_in_json_and_parquet_and_a_name_in_text(yard: Yard) -> None:
    at = "2026-01-05T03:00:00Z"
    told = [
        {"platform": "youtube", "account_id": given, "captured_at": at} for given in (True, False, "true", "false", 7)
    ]
    yard.drop("account_snapshots/a.jsonl", "".join(f"{json.dumps(row)}\n" for row in told))
    yard.drop_rows("account_snapshots/b.csv", f"youtube,true,{at},1")
    file = yard.settings.landing / "account_snapshots" / "c.parquet"
    duckdb.sql(f"copy (select 'youtube' platform, true account_id, '{at}' captured_at) to '{file}' (format parquet)")
    yard.land()
    assert yard.rows("account_snapshots/a.jsonl", "account_id") == [("true",), ("false",), ("7",)]
    assert yard.rows("account_snapshots/b.csv", "account_id") == [("true",)]
    reason = "true or false, which is no id"
    rejects = [*yard.rejects("account_snapshots/a.jsonl"), *yard.rejects("account_snapshots/c.parquet")]
    assert [(line, column, why) for line, column, _, why, _ in rejects] == [
        (1, "account_id", reason), (2, "account_id", reason), (1, "account_id", reason),
    ]  # fmt: skip


HOSTILE = "a\nforged: 9 rows\x1b[31mred\u202egpj\u2028"


def test_names_and_texts_forge_no_line_of_a_log(yard: Yard) -> None:
    yard.drop(f"account_snapshots/{HOSTILE}.csv", f"platform,{HOSTILE!r}\n")
    yard.drop(f"account_snapshots/{HOSTILE}.txt", "x\n")
    yard.drop_rows("account_snapshots/rows.csv", f'youtube,"{HOSTILE}",2026-01-05T03:00:00Z,1')
    yard.drop_rows("account_snapshots/header.csv", "a,b", header=f'"{HOSTILE}",b')
    (yard.settings.landing / "account_snapshots" / f"link{HOSTILE}.csv").symlink_to("nowhere")
    yard.land()
    assert len(yard.said) == 5
    for line in yard.said:
        assert line.isprintable()
    assert any("a\\nforged: 9 rows\\x1b[31mred\\u202egpj\\u2028" in line for line in yard.said)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(300_000), "most of it is NUL bytes, as where a disk has lost what was written; send it again"),
        (GOOD + bytes(30_000), "most of it is NUL bytes"),
        (GOOD.decode().encode("utf-32"), "it is UTF-32; save it as UTF-8, or say `encoding: utf-32` in a mapping"),
        (GOOD.decode().encode("utf-32-be"), "it is UTF-32; save it as UTF-8"),
        (GOOD.decode().encode("utf-16-be"), "it is UTF-16; save it as UTF-8, or say `encoding: utf-16` in a mapping"),
        (f"{HEADER}\n" + "\n" * 2_100_000 + f"{ROW}\n", "2,100,000 blank lines stand before line 2,100,002; take them out"),
        ("\n" + ROW + "\n", "it names no column at all"),
    ],
    ids=["nul", "nul at the end", "utf-32", "utf-32-be", "utf-16-be", "blank lines", "no header"],
)  # fmt: skip
def test_what_is_wrong_is_called_by_its_name(yard_with_good: Yard, content: bytes | str, words: str) -> None:
    land_beside_good(yard_with_good, content)
    yard_with_good.assert_quarantined_whole(BAD, words)
