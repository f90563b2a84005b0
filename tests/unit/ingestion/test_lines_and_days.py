"""Large and awkward files: many days, line numbers past a read buffer, time linear in the bytes, odd headers."""

import time
from contextlib import suppress
from datetime import date
from pathlib import Path

import duckdb
import pytest

from ingestion import landing, ledger, parse
from ingestion.config import Settings
from ingestion.errors import ContractError, FileRefused
from ingestion.mapping import grammar
from ingestion.readers import csv as csv_reader
from ingestion.readers.table import Reader
from tests.mappings import only

from ..conftest import HEADER, Yard

PATH = "account_snapshots/x.csv"
ROWS = 30_000


def test_file_of_more_days_than_duckdb_keeps_open_loses_no_row(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past 100 open partitions DuckDB closes one and begins a second file for it: 150 days, interleaved.

    It does so from half a million rows on; a lower threshold brings the same about with fewer.
    """
    really_connect = parse.connect

    def connect(settings: Settings) -> Reader:
        reader = really_connect(settings)
        reader.execute("set partitioned_write_flush_threshold = 1000")
        return reader

    monkeypatch.setattr(parse, "connect", connect)
    days = (f"20{10 + n % 15}-{1 + n % 10:02d}-{1 + n % 25:02d}" for n in range(ROWS))
    yard.drop_rows(PATH, *(f"youtube,a{n},{day},{n}" for n, day in enumerate(days)))
    yard.land()
    assert sorted(yard.rows(PATH, "followers")) == [(n,) for n in range(ROWS)]
    files = yard.query("select snapshot_date, rows from raw_files")
    assert len(files) == len({file["snapshot_date"] for file in files}) == 150


def test_two_pieces_of_one_day_are_joined_in_order(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingestion import raw

    def in_pieces(reader: Reader, staging: Path, first: date, last: date) -> None:
        for number, where in enumerate(("source_line % 2 = 0", "source_line % 2 = 1")):
            reader.execute(
                f"copy (from accepted where {where}) to '{staging}' (format parquet, partition_by (snapshot_date),"
                f" write_partition_columns true, overwrite_or_ignore true, filename_pattern 'piece{number}_')"
            )

    monkeypatch.setattr(raw, "_write_days", in_pieces)
    yard.drop_rows(PATH, *(f"youtube,a{n},2026-01-0{1 + n // 6},{n}" for n in range(12)))
    yard.land()
    assert yard.rows(PATH, "followers") == [(n,) for n in range(12)]


@pytest.mark.parametrize("rows_sorted", [1, 5, 6, 100])
def test_days_sorted_a_few_at_a_time_are_those_sorted_at_once(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, rows_sorted: int
) -> None:
    """Ten rows of four days; one day alone has more than is sorted at once."""
    from ingestion import raw

    monkeypatch.setattr(raw, "ROWS_SORTED", rows_sorted)
    days = (3, 1, 2, 3, 1, 3, 4, 3, 3, 2)
    yard.drop_rows(PATH, *(f"youtube,a{n},2026-01-0{day},{n}" for n, day in enumerate(days)))
    yard.land()
    assert yard.rows(PATH, "cast(snapshot_date as varchar), followers") == [
        (f"2026-01-0{day}", n) for n, day in enumerate(days)
    ]
    for file in yard.settings.raw.rglob("snapshot_date=*/*.parquet"):
        lines = [line for (line,) in duckdb.sql(f"select source_line from '{file}'").fetchall()]
        assert lines == sorted(lines)


def test_line_numbers_are_exact_past_duckdbs_read_buffer(yard: Yard) -> None:
    """48 MB, so several buffers: broken, blank and many-lined records near the end stand where an editor shows them."""
    filler = "x" * 2_000
    rows = [f'youtube,a{n},2026-01-05,1,"{filler}"' for n in range(24_000)]
    rows[5] = 'youtube,a5,2026-01-05,1,"two\nlines"'  # lines 7 and 8
    rows[20_000] = "broken"  # 20,003
    rows[20_001] = "\nyoutube,a20001,2026-01-05,1,a,b"  # a blank line, then 20,005
    rows[23_999] = "youtube,last,2026-01-05,1,y"  # 24,003
    yard.drop_rows(PATH, *rows, header=f"{HEADER},display_name")
    yard.land()
    assert [line for line, *_ in yard.rejects(PATH)] == [20_003, 20_005]
    found = yard.rows(PATH, "source_line, account_id")
    assert found[5] == (7, "a5")
    assert found[6] == (9, "a6")
    assert found[-1] == (24_003, "last")
    assert len(found) == 23_998


@pytest.mark.parametrize("hostile", [b'a"', b'"a"b', b'""', b',"', b' "', b" "])
def test_no_pattern_of_quotes_is_slow(yard: Yard, hostile: bytes) -> None:
    """Counting records again is linear in the bytes; 1 MB a line takes milliseconds."""
    target = yard.drop(PATH, b"a,b\n\n" + (hostile * 500_000 + b"\n") * 8)
    started = time.monotonic()
    with suppress(FileRefused):
        csv_reader.index_records(target, 1)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "odd",
    [
        'youtube,b,"2026"-01-07\n\n03:00",14',
        '"youtube",b,"2026-01-06,6,"n\nl"',
    ],
)
def test_misplaced_quote_near_a_single_line_feed_blames_its_own_record(yard: Yard, odd: str) -> None:
    """In a file of CRLF DuckDB 1.5 would name the good record before it: such a file is read with line feeds alone."""
    yard.drop(PATH, "\r\n".join([HEADER, "youtube,a,2026-01-05,1", odd, "youtube,c,2026-01-05,3", ""]))
    yard.land()
    last = 3 + odd.count("\n") + 1
    assert yard.rows(PATH, "source_line, account_id, followers") == [(2, "a", 1), (last, "c", 3)]
    assert {line for line, *_ in yard.rejects(PATH)} <= set(range(3, last))


def test_record_that_nobody_can_tell_apart_sets_the_file_aside(yard_with_good: Yard) -> None:
    odd = '"youtube","b"youtube,"u,2026-01-05,3\n,2026-01-07,15,"n\nl""'
    yard_with_good.drop(PATH, "\r\n".join([HEADER, "youtube,a,2026-01-05,1", odd, "youtube,c,2026-01-05,3", ""]))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(PATH, "a quote is missing somewhere")


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_neighbouring_broken_lines_have_their_own_numbers(yard: Yard, line_end: str) -> None:
    lines = [HEADER, "one", "two", "", "", "three", "youtube,a,2026-01-05,1", 'youtube,"b"x,2026-01-05,1', ""]
    yard.drop(PATH, line_end.join(lines))
    yard.land()
    assert [(line, row) for line, _, _, _, row in yard.rejects(PATH)] == [
        (2, "one"),
        (3, "two"),
        (6, "three"),
        (8, 'youtube,"b"x,2026-01-05,1'),
    ]
    assert yard.rows(PATH, "source_line, account_id") == [(7, "a")]


def test_header_of_two_lines(yard: Yard) -> None:
    yard.drop(PATH, f'{HEADER},"a\nnote"\nyoutube,a,2026-01-05,1,n\nyoutube,b,2004-12-31,1,n\n')
    yard.land()
    assert yard.rows(PATH, "source_line, account_id, extra") == [(3, "a", '{"a\\nnote":"n"}')]
    assert yard.rejects(PATH)[0][0] == 4


def test_repeated_and_unnamed_extra_columns_all_keep_their_values(yard: Yard) -> None:
    yard.drop(PATH, f"{HEADER},x,x,,it's\nyoutube,a,2026-01-05,1,p,q,r,s\n")
    yard.land()
    assert yard.rows(PATH, "extra") == [('{"x":"p","x#6":"q","column_7":"r","it\'s":"s"}',)]


def test_each_spare_header_is_named_at_most_once(yard: Yard) -> None:
    yard.drop(PATH, "platform,account_id,captured_at,follower,mood\nyoutube,a,2026-01-05,7,good\n")
    yard.land()
    assert yard.batch(PATH)["reason"] == "no column 'followers': is 'follower' meant? its values are kept in extra"


@pytest.mark.parametrize(
    "text",
    ["2026-01-05T03:00:00+99:00", "2026-1-5", "2026/01/05", "-infinity", "now", "2026-01-05 03:00:00 Asia/Taipei",
     "2026-02-30", "1767582000", "2026-01-05T03:00:00+08:00:30"],
)  # fmt: skip
def test_times_that_duckdb_would_take_or_guess_are_refused(yard: Yard, text: str) -> None:
    yard.drop_rows(PATH, f"youtube,a,{text},1")
    yard.land()
    assert yard.rejects(PATH)[0][1:4] == ("captured_at", text, "not an ISO 8601 time like 2026-01-05T03:00:00Z")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-05T03:00+08:00", "2026-01-04 19:00:00"),
        ("2026-01-05 03:00Z", "2026-01-05 03:00:00"),
        ("2026-01-05T03:00:00+0800", "2026-01-04 19:00:00"),
        ("2026-01-05T03:00+08", "2026-01-04 19:00:00"),
        ("2026-01-05T03:00", "2026-01-05 03:00:00"),
    ],
)
def test_times_without_seconds(yard: Yard, text: str, utc: str) -> None:
    yard.drop_rows(PATH, f"youtube,a,{text},1")
    yard.land()
    assert yard.rows(PATH, "cast(captured_at as varchar)") == [(utc,)]


def test_blanks_around_a_cell_do_not_count(yard: Yard) -> None:
    yard.drop_rows(PATH, " YouTube , a , 2026-01-05 , 12 ", "youtube,b,2026-01-05,   ", 'youtube,c,2026-01-05," 7"')
    yard.land()
    assert yard.rows(PATH, "platform, account_id, followers") == [
        ("youtube", "a", 12),
        ("youtube", "b", None),
        ("youtube", "c", 7),
    ]


# The ledger's readings of one delivery


def one_mapping(**changes: object) -> grammar.Mapping:
    return grammar.Mapping.model_validate(
        {
            "mapping": "vendor",
            "feed": "account_snapshots",
            "pattern": "v*.csv",
            "columns": {name: {"from": name} for name in HEADER.split(",")},
            **changes,
        }
    )


def test_revived_reading_has_its_own_words_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    old = one_mapping(zero_is_null=["followers"], outage_share=0.2)
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(old))
    yard.drop_rows("account_snapshots/v.csv", "youtube,a,2026-01-05,0")
    yard.land()
    before = yard.batches()
    assert before[0]["reason"] == "outage: 100% of followers are 0, read as not captured"
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(one_mapping()))
    yard.land()
    superseded = next(batch for batch in yard.batches() if batch["state"] == "superseded")
    assert superseded["reason"].startswith("read again as ")
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(old))
    yard.land()
    assert [batch for batch in yard.batches() if batch["state"] == "accepted"] == before


def test_corrected_mapping_supersedes_also_when_only_the_second_name_is_left(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(one_mapping()))
    first = yard.drop_rows("account_snapshots/v1.csv", "youtube,a,2026-01-05,0")
    yard.land()
    first.rename(first.with_name("v2.csv"))
    assert yard.land().files_new == 0
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(one_mapping(zero_is_null=["followers"])))
    yard.land()
    assert sorted(batch["state"] for batch in yard.batches()) == ["accepted", "superseded"]


def test_cell_that_the_mapping_cannot_extract_is_invalid_where_it_is_not_required(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = {name: {"from": name} for name in HEADER.split(",")}
    columns["followers"]["extract"] = "^([0-9]+) fans$"
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(one_mapping(columns=columns)))
    yard.drop_rows(
        "account_snapshots/v.csv", "youtube,a,2026-01-05,7 fans", "youtube,b,2026-01-05,many", "youtube,c,2026-01-05,"
    )
    yard.land()
    assert yard.rows("account_snapshots/v.csv", "account_id, followers, followers_null_reason, invalid_cells") == [
        ("a", 7, None, None), ("b", None, "invalid", '{"followers":"many"}'), ("c", None, "not_captured", None),
    ]  # fmt: skip
    assert "(line 3: not of the shape that the mapping extracts)" in yard.batch("account_snapshots/v.csv")["reason"]


@pytest.mark.parametrize("prefix", ["%", "_", "%%%%"])
def test_reject_takes_no_wildcards(yard_with_good: Yard, prefix: str) -> None:
    yard_with_good.land()
    with pytest.raises(ContractError, match="0 accepted batches"):
        ledger.reject(yard_with_good.settings, prefix, "by mistake")
