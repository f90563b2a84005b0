"""`make quarantine`: quarantined rows and files as CSV, for the people who can mend them.

A spreadsheet runs a cell that begins with certain characters as a formula, and these cells were written by whoever
sent the file, so each such cell gets a single quote before it (OWASP, "CSV Injection") and every cell is quoted.
A terminal that shows the file obeys control characters, so these are written as escapes.
"""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import inventory, ledger
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, UsageError
from ingestion.landing import UNKNOWN_FEED
from ingestion.text import shown, without_controls

HEADER = ("feed", "file", "line", "column", "value", "reason", "row", "batch_id")
# OWASP's list, with the line feed and the NUL byte of ASVS 1.2.10.
STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
BLOCK = 10_000
REASONS_SHOWN = 20

Row = tuple[object, ...]


@dataclass(frozen=True)
class Exported:
    """What an export holds: quarantined rows, files quarantined whole, and lines for people."""

    target: Path
    rows: int
    files: int
    lines: tuple[str, ...]


def export(settings: Settings, target: Path, feed: str | None = None) -> Exported:
    """Write one line per quarantined row, and one per file quarantined whole (its line, column, value and row empty).

    Only readings that count are exported: not those that a later reading of the same file replaced.
    Raises UsageError for an unknown feed and for a target in landing, where the next run would take it in, and
    ContractError where quarantined rows cannot be read.
    """
    _check(settings, target, feed)
    with ledger.read_copy(settings) as connection:
        batches = ledger.batches_with_rejects(connection, feed)
    paths = inventory.kept_rows(settings, batches)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        rows, files = _write(partial, settings, batches, paths)
        os.replace(partial, target)
        lines = tuple(_counts(batches, paths))
    except duckdb.Error as error:
        why = str(error).splitlines()[0]
        raise ContractError(f"quarantined rows cannot be read ({why}); make doctor says more") from error
    finally:
        partial.unlink(missing_ok=True)
    return Exported(target, rows, files, lines)


def _write(partial: Path, settings: Settings, batches: list[ledger.Row], paths: list[Path]) -> tuple[int, int]:
    """Write the CSV. Returns how many rows and how many whole files it holds."""
    rows = files = 0
    # Spreadsheets take UTF-8 for what it is only with a byte order mark.
    with partial.open("w", encoding="utf-8-sig", newline="") as opened:
        writer = csv.writer(opened, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(HEADER)
        for line in _whole_files(settings, batches):
            writer.writerow([without_controls(neutral(cell)) for cell in line])
            files += 1
        for line in _rows(paths):
            writer.writerow([without_controls(neutral(cell)) for cell in line])
            rows += 1
    return rows, files


def neutral(cell: object) -> str:
    """A cell as a spreadsheet can be given it: text that no program runs. Empty for null."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def _check(settings: Settings, target: Path, feed: str | None) -> None:
    known = [*load_feeds(), UNKNOWN_FEED]
    if feed is not None and feed not in known:
        raise UsageError(f"no feed is named {feed!r}; known: {', '.join(known)}")
    if target.resolve().is_relative_to(settings.landing.resolve()):
        raise UsageError(f"{target} lies in landing, so the next run would take it in; name another OUT")


def _whole_files(settings: Settings, batches: list[ledger.Row]) -> Iterator[Row]:
    """Files quarantined whole; one of which every row was quarantined has its rows instead."""
    for batch in batches:
        if not inventory.quarantined_rows_file(settings, batch["feed"], batch["batch_id"]).exists():
            whole = batch["state"] == "quarantined"
            lost = f"{batch['rows_quarantined']} rows whose record in quarantine is gone; make doctor says more"
            reason = batch["reason"] if whole else lost
            yield batch["feed"], batch["file"], None, None, None, reason, None, batch["batch_id"]


def _rows(paths: list[Path]) -> Iterator[Row]:
    """Quarantined rows in the order of feed, file and line, a block at a time."""
    reader = inventory.open_rows(paths)
    try:
        reader.execute(
            'select feed, source_file, source_line, column_name, value, reason, "row", batch_id from kept'
            " order by feed, source_file, batch_id, source_line, column_name nulls first"
        )
        while block := reader.fetchmany(BLOCK):
            yield from block
    finally:
        reader.close()


def _counts(batches: list[ledger.Row], paths: list[Path]) -> Iterator[str]:
    for (feed, reason), count in inventory.file_reasons(batches).most_common(REASONS_SHOWN):
        yield shown(f"{count:>9,} files  {feed}: {reason}")
    found = inventory.reasons(paths)
    for kind in found[:REASONS_SHOWN]:
        yield shown(f"{kind.rows:>9,} rows   {kind.where}: {kind.reason}")
    if len(found) > REASONS_SHOWN:
        yield f"          and {len(found) - REASONS_SHOWN} more reasons, all in the file"
