"""Export of quarantine: every row with its reason, no cell that a spreadsheet would run."""

import csv
import sqlite3
from pathlib import Path

import pytest

from ingestion import inventory, ledger, quarantine
from ingestion.errors import ContractError

from ..conftest import GOOD, Yard

BAD = "account_snapshots/bad.csv"


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def exported(yard: Yard, feed: str | None = None) -> tuple[quarantine.Exported, list[dict[str, str]]]:
    done = quarantine.export(yard.settings, yard.settings.reports / "quarantine.csv", feed)
    return done, read_csv(done.target)


def test_a_row_comes_with_its_file_line_column_value_and_reason(yard: Yard) -> None:
    """Line 1 is the header, so the second data row stands in line 3."""
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,many")
    yard.land()
    done, [row] = exported(yard)
    assert (done.rows, done.files) == (1, 0)
    assert (row["feed"], row["file"], row["line"]) == ("account_snapshots", BAD, "3")
    assert (row["column"], row["value"], row["reason"]) == ("captured_at", "2004-12-31", "before 2005-01-01")
    assert "many" in row["row"]
    assert row["batch_id"] == yard.batch(BAD)["batch_id"]
    assert done.lines == ("        1 rows   account_snapshots.captured_at: before 2005-01-01",)


def test_a_file_set_aside_whole_is_one_line(yard: Yard) -> None:
    yard.drop("orders/x.csv", "order_id\n1\n")
    yard.land()
    done, [row] = exported(yard)
    assert (done.rows, done.files) == (0, 1)
    assert (row["feed"], row["file"], row["line"], row["row"]) == ("orders", "orders/x.csv", "", "")
    assert "missing required column" in row["reason"]


def test_one_feed_alone(yard: Yard) -> None:
    yard.drop("orders/x.csv", "order_id\n1\n")
    yard.drop_rows(BAD, "youtube,b,2004-12-31,1")
    yard.land()
    assert [row["file"] for row in exported(yard, "orders")[1]] == ["orders/x.csv"]
    assert {row["file"] for row in exported(yard)[1]} == {"orders/x.csv", BAD}
    with pytest.raises(ContractError, match="no feed is named 'order'; known: account_snapshots"):
        exported(yard, "order")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "\0"])
def test_a_cell_that_a_spreadsheet_would_run_gets_a_quote(start: str) -> None:
    assert quarantine.neutral(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize("cell", ["", "a=1", "'=1", " =1", "12", "名前"])
def test_other_cells_stay_as_they_are(cell: str) -> None:
    assert quarantine.neutral(cell) == cell


def test_hostile_cells_stay_in_their_cells(yard: Yard) -> None:
    """A formula in any cell, with separators and quotes that would open a cell of its own after it."""
    yard.drop_rows(BAD, 'youtube,"a"",=1+1,""","=HYPERLINK(""http://x"",""y"")",1', "=cmd|x,a,2026-01-05,+1")
    yard.drop("account_snapshots/=1+1.csv", "@x\n1\n")
    yard.land()
    _, rows = exported(yard)
    assert len(rows) == 3
    for row in rows:
        assert None not in row
        for cell in row.values():
            assert not cell.startswith(quarantine.STARTS_A_FORMULA), row
    assert '\'=HYPERLINK("http://x","y")' in {row["value"] for row in rows}


def test_a_reading_that_was_replaced_is_not_exported(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,b,2004-12-31,many", "youtube,c,2026-01-05,1")
    yard.land()
    with ledger.write(yard.settings) as connection:
        ledger.retire_batch(connection, yard.batch(BAD)["batch_id"], "superseded", "read again")
    assert exported(yard)[1] == []


def test_rows_whose_record_is_gone_are_not_silently_left_out(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,b,2004-12-31,many", "youtube,c,2026-01-05,1")
    yard.land()
    inventory.quarantined_rows_file(yard.settings, "account_snapshots", yard.batch(BAD)["batch_id"]).unlink()
    [row] = exported(yard)[1]
    assert row["reason"].startswith("1 rows whose record in quarantine is gone")


def test_an_empty_quarantine_is_a_header_alone(yard_with_good: Yard) -> None:
    yard_with_good.land()
    done, rows = exported(yard_with_good)
    assert (done.rows, done.files, rows, done.lines) == (0, 0, [], ())


def test_the_target_must_not_lie_in_landing(yard: Yard) -> None:
    """Or the next run would take the export in as a delivery."""
    yard.drop("account_snapshots/good.csv", GOOD)
    with pytest.raises(ContractError, match="lies in landing"):
        quarantine.export(yard.settings, yard.settings.landing / "orders" / ".." / "orders" / "q.csv")


def test_an_export_makes_no_ledger_and_waits_for_no_writer(yard: Yard) -> None:
    exported(yard)
    assert not yard.settings.ledger.exists()
    yard.drop_rows(BAD, "youtube,b,2004-12-31,many")
    yard.land()
    with ledger.write(yard.settings) as connection:
        connection.execute("update batches set reason = 'half done'")
        assert exported(yard)[0].rows == 1


def test_a_ledger_that_stays_locked_is_an_error_and_no_wait(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative test: a writer in the midst of its commit holds the file alone."""
    monkeypatch.setattr("ingestion.ledger.store.COPY_SECONDS", 0.1)
    yard.land()
    holder = sqlite3.connect(yard.settings.ledger, isolation_level=None)
    holder.execute("begin exclusive")
    try:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            exported(yard)
    finally:
        holder.close()


def test_the_header_of_the_export_and_its_bytes(yard: Yard) -> None:
    """Byte order mark for spreadsheets, all cells quoted, CRLF as RFC 4180 has it."""
    assert exported(yard)[0].target.read_bytes() == (
        b'\xef\xbb\xbf"feed","file","line","column","value","reason","row","batch_id"\r\n'
    )


def test_an_export_that_fails_leaves_the_one_before_and_nothing_half_written(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,b,2004-12-31,many")
    yard.land()
    before = exported(yard)[0].target.read_bytes()
    inventory.quarantined_rows_file(yard.settings, "account_snapshots", yard.batch(BAD)["batch_id"]).write_bytes(
        b"broken"
    )
    with pytest.raises(ContractError, match="quarantined rows cannot be read"):
        exported(yard)
    assert [path.read_bytes() for path in yard.settings.reports.iterdir()] == [before]


def test_an_export_colours_no_terminal(yard: Yard) -> None:
    """Line ends within a row stay, so that it can be mended; what a terminal obeys is written as its escape."""
    yard.drop(BAD, 'platform,account_id,captured_at\nyoutube,"a\x1b[31m\u202eb\nc",2004-12-31\n')
    yard.drop("account_snapshots/\x1b[2Jx.csv", "nothing\n")
    yard.land()
    done, rows = exported(yard)
    text = done.target.read_text(encoding="utf-8-sig")
    assert not {"\x1b", "\u202e", "\x07"} & set(text)
    assert "a\\x1b[31m\\u202eb\nc" in {row["value"] for row in rows}
    assert "account_snapshots/\\x1b[2Jx.csv" in {row["file"] for row in rows}
