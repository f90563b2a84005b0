"""Each kind of bad input: what becomes of it, in which words, and that the files beside it load all the same."""

import gzip
import json
import os
from datetime import datetime, timedelta

import duckdb
import pytest

from ingestion import landing
from ingestion.config import utc_now
from ingestion.errors import FileRefused

from ..conftest import GOOD_FILE, HEADER, Yard

BAD = "account_snapshots/bad.csv"
WIDE = f"{HEADER},display_name"


def row(account: str = "a", at: str = "2026-01-05T03:00:00Z", followers: str = "1") -> str:
    return f"youtube,{account},{at},{followers}"


# --- whole files


def test_a_missing_required_column_names_the_nearest_header(yard_with_good: Yard) -> None:
    yard_with_good.drop(BAD, "platform,account_id,capturedat,followers\nyoutube,a,2026-01-05,1\n")
    yard_with_good.land()
    batch = yard_with_good.assert_quarantined_whole(BAD, "missing required column 'captured_at'")
    assert "nearest header is 'capturedat'" in batch["reason"]
    assert (batch["rows_read"], batch["rows_quarantined"]) == (1, 1)
    assert yard_with_good.kept_bytes(BAD).startswith(b"platform,account_id,capturedat")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (f"{HEADER}\n{row()}\nyoutube,b,2026-01-05,12".encode(), "its last line has no line end"),
        (b"platform;account_id;captured_at\nyoutube;a;2026-01-05\n", "separate cells with commas"),
        (f'{HEADER}\nyoutube,"a,2026-01-05,1\n'.encode(), "a quote opened in line 2 is never closed"),
        (f"{HEADER},followers\n{row()},2\n".encode(), "'followers' stands there 2 times"),
        (f"{HEADER}\n{row()}\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_cannot_be_read_is_set_aside_whole(yard_with_good: Yard, content: bytes, reason: str) -> None:
    yard_with_good.drop(BAD, content)
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(BAD, reason)
    assert yard_with_good.kept_bytes(BAD) == content


def test_a_header_without_rows_is_an_arrival_of_none(yard_with_good: Yard) -> None:
    """Of no date and no account: the checks compare its 0 rows with what is usual."""
    yard_with_good.drop(BAD, f"{HEADER}\n")
    yard_with_good.land()
    batch = yard_with_good.batch(BAD)
    assert (batch["state"], batch["rows_read"], batch["rows_accepted"]) == ("accepted", 0, 0)
    assert batch["reason"] == "a header and no row: 0 rows have arrived"
    assert yard_with_good.rows(BAD) == []


def test_a_cut_gzip_and_a_wrong_checksum_are_noticed(yard_with_good: Yard) -> None:
    packed = gzip.compress(f"{HEADER}\n{row()}\n".encode() * 50)
    yard_with_good.drop("account_snapshots/cut.csv.gz", packed[:-12])
    yard_with_good.drop("account_snapshots/crc.csv.gz", packed[:-8] + b"\0\0\0\0" + packed[-4:])
    yard_with_good.drop("account_snapshots/whole.csv.gz", gzip.compress(f"{HEADER}\n{row('w')}\n".encode()))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole("account_snapshots/cut.csv.gz", "gzip is damaged (it is cut off)")
    yard_with_good.assert_quarantined_whole("account_snapshots/crc.csv.gz", "CRC check failed")
    assert yard_with_good.rows("account_snapshots/whole.csv.gz") == [("w", 1)]


def test_a_decompression_bomb_stops_at_the_limit(yard_with_good: Yard) -> None:
    yard_with_good.settings = yard_with_good.settings.model_copy(update={"max_unpacked_bytes": 100_000})
    yard_with_good.drop("account_snapshots/bomb.csv.gz", gzip.compress(b"0" * 50_000_000))
    yard_with_good.drop("account_snapshots/large.csv", f"{HEADER}\n" + f"{row()}\n" * 5_000)
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole("account_snapshots/bomb.csv.gz", "unpacks to more than 100,000 bytes")
    yard_with_good.assert_quarantined_whole("account_snapshots/large.csv", "larger than 100,000 bytes")
    assert not yard_with_good.settings.inbox.exists()


def test_links_out_of_landing_are_named_and_never_followed(
    yard_with_good: Yard, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.csv").write_text(f"{HEADER}\n{row('secret')}\n")
    folder = yard_with_good.settings.landing / "account_snapshots"
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "folder").symlink_to(outside)
    yard_with_good.land()
    for path in ("account_snapshots/link.csv", "account_snapshots/folder"):
        batch = yard_with_good.assert_quarantined_whole(path, "it is a link or no plain file")
        kept = yard_with_good.settings.quarantine / "account_snapshots" / "files" / batch["sha256"]
        assert [found.name for found in kept.iterdir()] == ["reason.json"]
    assert len(yard_with_good.batches()) == 3


@pytest.mark.parametrize("path", ["../secret.csv", "account_snapshots/../../secret.csv", "/etc/passwd", ""])
def test_a_path_that_leads_out_of_landing_is_refused(yard_with_good: Yard, path: str) -> None:
    (yard_with_good.settings.data / "secret.csv").write_text("x")
    with pytest.raises(FileRefused, match="leads out of landing"):
        landing.open_inside(yard_with_good.settings.landing, path)


def test_a_pipe_is_refused_without_waiting_for_it(yard_with_good: Yard) -> None:
    os.mkfifo(yard_with_good.settings.landing / "account_snapshots" / "pipe.csv")
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole("account_snapshots/pipe.csv", "no regular file")


def test_a_name_with_pattern_characters_is_read_as_itself(yard_with_good: Yard) -> None:
    yard_with_good.drop_rows("account_snapshots/x[1].csv", row("bracket"))
    yard_with_good.drop_rows("account_snapshots/x1.csv", row("plain"))
    yard_with_good.drop_rows("account_snapshots/x*.csv", row("star"))
    yard_with_good.drop_rows("account_snapshots/it's.csv", row("quote"))
    yard_with_good.land()
    assert yard_with_good.rows("account_snapshots/x[1].csv") == [("bracket", 1)]
    assert yard_with_good.rows("account_snapshots/x1.csv") == [("plain", 1)]
    assert yard_with_good.rows("account_snapshots/x*.csv") == [("star", 1)]
    assert yard_with_good.rows("account_snapshots/it's.csv", "source_file") == [("account_snapshots/it's.csv",)]


def test_a_file_of_no_feed_or_of_another_kind_is_refused(yard_with_good: Yard) -> None:
    yard_with_good.drop("nobody/x.csv", f"{HEADER}\n{row()}\n")
    yard_with_good.drop("account_snapshots/x.pdf", b"%PDF")
    yard_with_good.drop("account_snapshots/Data_2022-13-45_03-01-02.csv", b"x\n1\n")
    for ignored in (".hidden.csv", "half.csv.part", "_SUCCESS"):
        yard_with_good.drop(f"account_snapshots/{ignored}", b"x")
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole("nobody/x.csv", "no feed is named 'nobody'")
    yard_with_good.assert_quarantined_whole("account_snapshots/x.pdf", "not one of .csv, .csv.gz")
    yard_with_good.assert_quarantined_whole("account_snapshots/Data_2022-13-45_03-01-02.csv", "in the file name")
    assert len(yard_with_good.batches()) == 4


# --- headers


def test_headers_are_matched_by_name_in_any_order_and_case(yard: Yard) -> None:
    yard.drop(BAD, 'Followers,captured_at,ACCOUNT_ID,mood,platform\n7,2026-01-05T03:00:00Z,a,"so, so",YouTube\n')
    yard.land()
    assert yard.rows(BAD, "platform, account_id, followers, captured_at, extra") == [
        ("youtube", "a", 7, datetime(2026, 1, 5, 3), '{"mood":"so, so"}')
    ]


def test_a_renamed_optional_column_is_kept_in_extra_and_said_once(yard: Yard) -> None:
    yard.drop(BAD, "platform,account_id,captured_at,follower\nyoutube,a,2026-01-05,7\n")
    yard.land()
    assert yard.rows(BAD, "followers, followers_null_reason, extra") == [(None, "unsupported", '{"follower":"7"}')]
    assert yard.batch(BAD)["reason"].count("'follower'") == 1
    assert "no column 'followers'" in yard.batch(BAD)["reason"]


# --- cells


CELLS = {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05", "followers": "1", "display_name": "n"}


def drop_between_good_rows(yard: Yard, column: str, value: str) -> None:
    """A row with one cell of its own, in line 3, between two good ones."""
    good = ",".join(CELLS.values()).replace(",a,", ",before,")
    bad = ",".join((CELLS | {column: value}).values())
    yard.drop_rows(BAD, good, bad, good.replace("before", "after"), header=WIDE)
    yard.land()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("captured_at", "yesterday", "not an ISO 8601 time"),
        ("captured_at", "2026-13-01", "not an ISO 8601 time"),
        ("captured_at", "epoch", "not an ISO 8601 time"),
        ("captured_at", "1999-12-31", "before 2005-01-01"),
        ("captured_at", "infinity", "not an ISO 8601 time"),
        ("captured_at", "2999-01-01T00:00:00Z", "more than 48 h ahead"),
        ("captured_at", "", "empty, but required"),
        ("captured_at", "05/01/2026", "say `date_order: dmy` or `date_order: mdy`"),
        ("account_id", "   ", "empty, but required"),
        ("account_id", '"a\nb"', "holds a control character"),
        ("account_id", "a\0b", "holds a control character"),
        ("account_id", "z" * 10_000, "longer than 255 bytes"),
        ("account_id", "6.8925E+18", "an id that has lost digits"),
        ("account_id", "17841400000000000001.0", "an id that has lost digits"),
        ("platform", "instgram", "no known platform; did you mean instagram?"),
        ("platform", "src1", "no known platform; a platform of your own is a row of config/platforms.csv"),
        ("followers", "12.000", "can be read as 12.000 or as 12000: write it without marks, or map the file with"),
        ("followers", "12.431", "can be read as 12.431 or as 12431: write it without marks, or map the file with"),
    ],
)
def test_a_bad_cell_sets_its_row_aside_and_the_rest_loads(
    yard_with_good: Yard, column: str, value: str, reason: str
) -> None:
    drop_between_good_rows(yard_with_good, column, value)
    assert yard_with_good.rows(BAD) == [("before", 1), ("after", 1)]
    [(line, named, shown, why, whole)] = yard_with_good.rejects(BAD)
    assert (line, named) == (3, column)
    assert reason in why
    assert (shown or "").strip() == value.strip('"')[:200].strip()
    assert len(json.loads(whole)) == 5
    assert yard_with_good.rows(GOOD_FILE) == [("good-1", 10), ("good-2", 20)]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("followers", "-5", "a negative count"),
        ("followers", "1000000000001", "a count above 10^12"),
        ("followers", "99999999999999999999", "a count above 10^12"),
        ("followers", "12.4M", "not a whole number; `parse: number` reads 3,456 or 12.4M"),
        ("followers", "12.4", "not a whole number"),
        ("followers", "1.5e0", "not a whole number"),
        ("followers", "1_000", "not a whole number"),
        ("followers", "+5", "not a whole number"),
        ("display_name", "a\0b", "holds a NUL byte"),
        ("display_name", "x" * 10_001, "longer than 10,000 characters"),
    ],
)
def test_a_bad_optional_cell_becomes_null_and_its_row_loads(
    yard_with_good: Yard, column: str, value: str, reason: str
) -> None:
    drop_between_good_rows(yard_with_good, column, value)
    found = yard_with_good.rows(BAD, f"account_id, {column}, followers_null_reason, invalid_cells")
    assert [row[0] for row in found] == ["before", "a", "after"]
    assert found[1][1:3] == (None, "invalid" if column == "followers" else None)
    assert json.loads(found[1][3]) == {column: value[:200]}
    assert [row[3] for row in (found[0], found[2])] == [None, None]
    batch = yard_with_good.batch(BAD)
    assert (batch["rows_accepted"], batch["rows_quarantined"]) == (3, 0)
    assert json.loads(batch["invalid_cells"]) == {column: 1}
    assert batch["reason"] == f"invalid cells, null now: 1 of {column} (line 3: {reason})"


def test_the_limits_themselves_are_accepted(yard: Yard) -> None:
    soon = (utc_now() + timedelta(hours=47)).isoformat(timespec="seconds")
    yard.drop_rows(
        BAD, row("most", followers="1000000000000"), row("none", followers="0"), row("soon", soon), row("z" * 255)
    )
    yard.land()
    assert [followers for _, followers in yard.rows(BAD)] == [10**12, 0, 1, 1]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-05T03:00:00Z", datetime(2026, 1, 5, 3)),
        ("2026-01-05T03:00:00", datetime(2026, 1, 5, 3)),
        ("2026-01-05 03:00:00+08:00", datetime(2026, 1, 4, 19)),
        ("2026-01-05T03:00:00-0530", datetime(2026, 1, 5, 8, 30)),
        ("2026-01-05T03:00:00.5+01:00", datetime(2026, 1, 5, 2, 0, 0, 500_000)),
        ("2026-01-05", datetime(2026, 1, 5)),
    ],
)
def test_times_are_utc_unless_they_name_a_zone(yard: Yard, text: str, utc: datetime) -> None:
    yard.drop_rows(BAD, row(at=text))
    yard.land()
    assert yard.rows(BAD, "captured_at, snapshot_date") == [(utc, utc.date())]


# --- lines


def test_broken_lines_are_set_aside_and_line_numbers_stay_exact(yard_with_good: Yard) -> None:
    lines = [
        WIDE,
        'youtube,a2,2026-01-05,1,"two\nlines"',  # 2 and 3
        "",  # 4
        "youtube,a5,2026-01-05",  # 5: too few
        'youtube,a6,2026-01-05,1,5" screen',  # 6: a quote that is a plain character
        "youtube,a7,2026-01-05,1,x,y",  # 7: too many
        'youtube,a8,2026-01-05,1,"he said ""no"""',  # 8
        "youtube,a9,2026-01-05T99,1,x",  # 9
        "youtube,a10,2026-01-05,1,x",  # 10
    ]
    content = "\n".join(lines).encode() + b"\nyoutube,a11,2026-01-05,1,\xff\xfe\n" + b"youtube,a12,2026-01-05,1,x\n"
    yard_with_good.drop(BAD, b"\xef\xbb\xbf" + content)
    yard_with_good.land()
    assert yard_with_good.rows(BAD, "source_line, account_id, display_name") == [
        (2, "a2", "two\nlines"),
        (6, "a6", '5" screen'),
        (8, "a8", 'he said "no"'),
        (10, "a10", "x"),
        (12, "a12", "x"),
    ]
    assert [(line, column) for line, column, *_ in yard_with_good.rejects(BAD)] == [
        (5, None),
        (7, None),
        (9, "captured_at"),
        (11, None),
    ]
    reasons = [why for *_, why, _ in yard_with_good.rejects(BAD)]
    assert reasons[0].startswith("fewer cells")
    assert reasons[1].startswith("more cells")
    assert reasons[3] == "not UTF-8"


def test_windows_line_ends_make_no_difference(yard: Yard) -> None:
    yard.drop(BAD, f"{HEADER}\r\n{row('a')}\r\n\r\n{row('b')}\r\n")
    yard.land()
    assert yard.rows(BAD, "source_line, account_id, followers") == [(2, "a", 1), (4, "b", 1)]


# --- twins


def test_equal_rows_are_duplicates_and_differing_ones_a_conflict(yard: Yard) -> None:
    yard.drop_rows(
        BAD, row("same"), row("differ", followers="1"), row("same"), row("differ", followers="2"), row("alone")
    )
    yard.land()
    batch = yard.batch(BAD)
    assert (batch["rows_read"], batch["rows_accepted"], batch["rows_quarantined"], batch["rows_duplicate"]) == (
        5,
        2,
        2,
        1,
    )
    assert yard.rows(BAD, "source_line, account_id") == [(2, "same"), (6, "alone")]
    assert [line for line, *_ in yard.rejects(BAD)] == [3, 5]
    assert "one key and instant and differing values, in lines 3 and 5" in yard.rejects(BAD)[0][3]


def test_one_key_at_two_instants_is_no_conflict(yard: Yard) -> None:
    yard.drop_rows(BAD, row("a", "2026-01-05T03:00:00Z"), row("a", "2026-01-05T09:00:00Z"), row("a", "2026-01-06"))
    yard.land()
    assert yard.batch(BAD)["rows_accepted"] == 3
    days = duckdb.sql(f"from glob('{yard.settings.raw}/account_snapshots/*/*.parquet')").fetchall()
    assert sorted(path.split("/")[-2] for (path,) in days) == ["snapshot_date=2026-01-05", "snapshot_date=2026-01-06"]
