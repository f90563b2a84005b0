"""Deliveries: growing, repeated, read again under another mapping, taken back; raw and the ledger's own guards."""

import gzip
import hashlib
import os
import sqlite3
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ingestion import contracts, landing, ledger, raw
from ingestion.config import PROJECT_DIR, Settings
from ingestion.errors import ContractError
from ingestion.mapping import grammar
from ingestion.mapping.in_use import load_mappings
from tests.mappings import only

from ..conftest import HEADER, Yard

VTUBER_HEADER = "Id,ChannelUrl,Name,SubscriberCount,ViewCount"
NAME = "account_snapshots/Data_2022-08-02_03-01-02.csv"


def channel(number: int, subscribers: int, views: int = 5) -> str:
    return f'"{number}","https://www.youtube.com/channel/UC{number:022d}","名前,{number}","{subscribers}","{views}"'


VTUBER = grammar.MAPPINGS_DIR / "vtuber.yml"


def vtuber(*rows: str) -> bytes:
    source = PROJECT_DIR / "sample/landing/account_snapshots/vtuber/Data_2022-07-16_03-01-02.csv.gz"
    with gzip.open(source, "rt", encoding="utf-8-sig") as publisher:
        header = publisher.readline().strip()
    empty = ',""' * (header.count(",") - 4)
    return b"\xef\xbb\xbf" + "".join(f"{line}\n" for line in [header, *(row + empty for row in rows)]).encode()


# --- the VTuber mapping


def test_the_capture_time_is_the_names_at_utc_plus_8(yard: Yard) -> None:
    yard.drop(NAME, vtuber(channel(1, 100), channel(2, 200)))
    yard.land()
    columns = "platform, account_id, captured_at, snapshot_date, followers, views_total, display_name"
    assert yard.rows(NAME, columns)[0] == (
        "youtube", f"UC{1:022d}", datetime(2022, 8, 1, 19, 1, 2), date(2022, 8, 1), 100, 5, "名前,1",
    )  # fmt: skip


@pytest.mark.parametrize(("zeros", "reason"), [(1, "not_captured"), (2, "not_captured"), (3, "outage")])
def test_zero_is_unknown_and_an_outage_above_a_fifth_of_the_file(yard: Yard, zeros: int, reason: str) -> None:
    """Two of ten is a fifth and no outage; three of ten is one."""
    yard.drop(NAME, vtuber(*(channel(i, 0 if i < zeros else 100) for i in range(10))))
    yard.land()
    rows = yard.rows(NAME, "followers, followers_null_reason, views_total_null_reason, following_null_reason")
    assert rows == [(None, reason, None, "unsupported")] * zeros + [(100, None, None, "unsupported")] * (10 - zeros)
    assert ("outage" in (yard.batch(NAME)["reason"] or "")) == (reason == "outage")


def test_a_url_without_a_channel_is_set_aside(yard: Yard) -> None:
    yard.drop(NAME, vtuber(channel(1, 1), channel(2, 1).replace("/channel/", "/user/")))
    yard.land()
    [(line, column, value, reason, _)] = yard.rejects(NAME)
    assert (line, column) == (3, "account_id")
    assert "/user/" in str(value)
    assert "shape that the mapping extracts" in reason


def test_a_missing_publishers_column_sets_the_file_aside(yard_with_good: Yard) -> None:
    yard_with_good.drop(NAME, vtuber(channel(1, 1)).replace(b"SubscriberCount", b"Subscribers"))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(
        NAME, "missing required column 'SubscriberCount'; the nearest header is 'subscribers'"
    )


def test_counts_of_a_canonical_file_keep_their_zero_and_their_reason(yard: Yard) -> None:
    yard.drop("account_snapshots/a.csv", f"{HEADER}\nyoutube,a,2026-01-05,0\nyoutube,b,2026-01-05,\n")
    yard.land()
    assert yard.rows("account_snapshots/a.csv", "followers, followers_null_reason, posts_null_reason") == [
        (0, None, "unsupported"),
        (None, "not_captured", "unsupported"),
    ]


# --- the same file again, another mapping, taken back


def test_the_same_bytes_again_are_a_no_op_also_under_another_name(yard_with_good: Yard) -> None:
    yard_with_good.land("one")
    yard_with_good.drop(
        "account_snapshots/again.csv", (yard_with_good.settings.landing / "account_snapshots/zz_good.csv").read_bytes()
    )
    landed = yard_with_good.land("two")
    assert (landed.files_seen, landed.files_new) == (2, 0)
    assert len(yard_with_good.batches()) == 1
    assert any("the same delivery again" in line for line in yard_with_good.said)


def test_a_corrected_mapping_reads_again_and_the_older_reading_gives_way(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.drop(NAME, vtuber(channel(1, 0), channel(2, 100)))
    yard.land("one")
    corrected = only(grammar.load_mapping(VTUBER).model_copy(update={"zero_is_null": ("views_total",)}))
    monkeypatch.setattr(landing, "load_mappings", lambda *_: corrected)
    yard.land("two")
    assert sorted(batch["state"] for batch in yard.batches()) == ["accepted", "superseded"]
    assert yard.rows(NAME, "followers") == [(0,), (100,)]
    causes = [row["cause"] for row in yard.query("select cause from dirty_dates order by id")]
    assert causes.count("accepted") == 2
    assert "superseded" in causes
    monkeypatch.setattr(landing, "load_mappings", load_mappings)
    yard.land("three")
    assert yard.rows(NAME, "followers") == [(None,), (100,)]
    assert len(yard.batches()) == 2


def test_a_batch_is_taken_back_by_the_start_of_its_id(yard_with_good: Yard) -> None:
    yard_with_good.land()
    batch = yard_with_good.batches()[0]
    assert "2 rows leave the marts" in ledger.reject(yard_with_good.settings, batch["batch_id"][:12], "wrong day")
    assert yard_with_good.batches()[0]["state"] == "rejected"
    assert [row["cause"] for row in yard_with_good.query("select * from dirty_dates")] == ["accepted", "rejected"]
    for wrong in ("", "nothing", batch["batch_id"][:12]):
        with pytest.raises(ContractError, match="0 accepted batches"):
            ledger.reject(yard_with_good.settings, wrong, "again")
    assert yard_with_good.land("two").files_new == 0


def test_a_file_that_still_grows_waits_for_the_next_look(yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "account_snapshots/growing.csv"
    target = yard_with_good.drop(path, f"{HEADER}\nyoutube,a,2026-01-05,1\n")

    def grow(*_: Any) -> None:
        with target.open("a") as more:
            more.write("youtube,b,2026-01-05,2\n")

    monkeypatch.setattr(landing, "_wait_until_stable", grow)
    assert yard_with_good.land().files_waiting == [path]
    assert [batch["file"] for batch in yard_with_good.batches()] == ["account_snapshots/zz_good.csv"]
    monkeypatch.undo()
    yard_with_good.land("two")
    assert yard_with_good.rows(path) == [("a", 1), ("b", 2)]


def test_a_file_that_changes_under_the_copy_waits(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    target = yard.drop("account_snapshots/a.csv", f"{HEADER}\nyoutube,a,2026-01-05,1\n")

    class TouchingDigest:
        """Hashes, while somebody writes to the file."""

        def __init__(self) -> None:
            self.digest = hashlib.sha256()

        def update(self, block: bytes) -> None:
            self.digest.update(block)
            os.utime(target, (2, 2))

        def hexdigest(self) -> str:
            return self.digest.hexdigest()

    monkeypatch.setattr(landing, "hashlib", SimpleNamespace(sha256=TouchingDigest))
    assert yard.land().files_waiting == ["account_snapshots/a.csv"]


# --- tie-break, raw, ledger


def test_tie_break_last_line_keeps_the_later_of_two(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = grammar.load_mapping(VTUBER).model_copy(update={"tie_break": "last_line"})
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    yard.drop(NAME, vtuber(channel(1, 100), channel(1, 300), channel(2, 5)))
    yard.land()
    batch = yard.batch(NAME)
    assert (batch["rows_accepted"], batch["rows_quarantined"], batch["rows_duplicate"]) == (2, 0, 1)
    assert yard.rows(NAME, "source_line, followers") == [(3, 300), (4, 5)]


def test_a_simulated_origin_stays_with_the_rows(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    mapping = grammar.load_mapping(VTUBER).model_copy(update={"origin": "simulated"})
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    yard.drop(NAME, vtuber(channel(1, 100)))
    yard.land()
    assert yard.rows(NAME, "data_origin") == [("simulated",)]


def test_as_of_is_the_time_in_the_name_else_that_of_the_file(yard: Yard) -> None:
    yard.drop("account_snapshots/a_2026-01-07.csv", f"{HEADER}\nyoutube,a,2026-01-05,1\n")
    plain = yard.drop("account_snapshots/b.csv", f"{HEADER}\nyoutube,b,2026-01-05,1\n")
    os.utime(plain, (1_767_790_800, 1_767_790_800))  # 2026-01-07T13:00:00Z
    yard.land()
    assert yard.rows("account_snapshots/a_2026-01-07.csv", "as_of") == [(datetime(2026, 1, 7),)]
    assert yard.rows("account_snapshots/b.csv", "as_of") == [(datetime(2026, 1, 7, 13),)]


def test_raw_files_have_the_feeds_columns_with_and_without_rows(yard_with_good: Yard) -> None:
    yard_with_good.land()
    want = list(raw.columns_of(contracts.load_feeds()["account_snapshots"]))
    for file in (yard_with_good.settings.raw / "account_snapshots").rglob("*.parquet"):
        assert [
            row[0] for row in duckdb.sql(f"describe from read_parquet('{file}', hive_partitioning = false)").fetchall()
        ] == want


def test_a_flipped_bit_in_raw_is_noticed(yard_with_good: Yard) -> None:
    yard_with_good.land()
    settings = yard_with_good.settings
    files = [(row["path"], row["sha256"], row["batch_id"]) for row in yard_with_good.query("select * from raw_files")]
    raw.verify(settings, files)
    target = settings.raw / files[0][0]
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(bytes(data))
    with pytest.raises(ContractError, match=r"damaged or gone.*make reject BATCH="):
        raw.verify(settings, files)


def test_the_ledger_refuses_a_batch_whose_rows_do_not_add_up(yard_with_good: Yard) -> None:
    yard_with_good.land()
    with ledger.write(yard_with_good.settings) as connection, pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        connection.execute("update batches set rows_read = rows_read + 1")


def test_a_mapping_error_names_file_and_key(tmp_path: Path) -> None:
    good = (PROJECT_DIR / "ingestion/mapping/library/vtuber.yml").read_text()
    for broken, words in {
        good.replace("zone: Asia/Taipei", "zone: Asia/Taipeh"): "unknown time zone",
        good.replace("{from: SubscriberCount}", "{from: A, constant: b}"): "say exactly one of",
        good.replace("  followers:", "  folowers:"): "has no column 'folowers'",
        good.replace("feed: account_snapshots", "feed: nonsuch"): "unknown feed 'nonsuch'",
        good.replace("outage_share: 0.2", "outage_share: 20"): "outage_share",
        good + "nonsense: 1\n": "nonsense",
        good + "  - : {": "not valid YAML",
    }.items():
        (tmp_path / "x.yml").write_text(broken)
        with pytest.raises(ContractError, match=r"x\.yml.*" + words):
            grammar.load_mapping(tmp_path / "x.yml")


def test_an_empty_warehouse_lands_nothing_and_has_schemas(settings: Settings) -> None:
    landed = landing.land_files(settings, "run", lambda _: None)
    assert landed.files_seen == 0
    assert (settings.raw / "account_snapshots" / "_schema.parquet").exists()


@pytest.mark.parametrize("left", [b"", b"PAR1", None], ids=["empty", "cut", "of other columns"])
def test_a_damaged_schema_is_made_anew(settings: Settings, left: bytes | None) -> None:
    landing.land_files(settings, "run", lambda _: None)
    schema = settings.raw / "account_snapshots" / "_schema.parquet"
    whole = schema.read_bytes()
    if left is None:
        duckdb.execute(f"copy (select 1 as x where false) to '{schema}' (format parquet)")
    else:
        schema.write_bytes(left)
    landing.land_files(settings, "again", lambda _: None)
    assert schema.read_bytes() == whole
