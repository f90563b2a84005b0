"""What models are told of deliveries: in which order they count, and which of them may withdraw something."""

import json
from collections import defaultdict
from collections.abc import Container, Iterable
from pathlib import PurePosixPath
from typing import Any

from ingestion import ledger

COLUMNS = (
    "batch_id varchar, feed varchar, mapping varchar, file varchar, scope varchar, as_of timestamp,"
    " written_at timestamp, arrival_order bigint, is_full boolean, is_signed boolean, is_last boolean,"
    " is_current boolean, incomplete_because varchar"
)
# What the view of a feed adds to each of its rows.
READING = {
    "mapping": "varchar",
    "scope": "varchar",
    "written_at": "timestamp",
    "arrival_order": "bigint",
    "is_signed": "boolean",
}


def rows_of(connection: ledger.Connection) -> list[tuple[Any, ...]]:
    """Rows of `meta.arrival`: comings of the batches of which rows, or keys that are left out, count.

    A delivery is all files of one mapping with one `as_of`. Of files under one name the latest is current; while one
    that is current is refused, or misses a companion or the key of a row, the delivery withdraws nothing.
    """
    found = ledger.arrivals(connection)
    last = {row["batch_id"]: number for number, row in enumerate(found)}
    current = {_file_of(row): number for number, row in enumerate(found) if row["state"] == "rejected"}
    current |= {_file_of(row): number for number, row in enumerate(found) if row["state"] != "rejected"}
    deliveries = defaultdict(list)
    for number in sorted(current.values()):
        deliveries[_delivery_of(found[number])].append(found[number])
    # A manifest names a zip, or a workbook, by itself, and not what is in it.
    containers = {str(parent) for row in found for parent in PurePosixPath(row["file"]).parents}
    problems = {delivery: _incomplete(files, containers) for delivery, files in deliveries.items()}
    return [
        (
            *(row[name] for name in ("batch_id", "feed", "mapping", "file", "scope", "as_of", "written_at")),
            number,
            bool(row["is_full"]),
            bool(row["is_signed"]),
            last[row["batch_id"]] == number,
            current[_file_of(row)] == number,
            problems.get(_delivery_of(row)),
        )
        for number, row in enumerate(found)
        if _counts(row)
    ]


def _delivery_of(row: ledger.Row) -> tuple[str, str, str]:
    return row["feed"], row["mapping"], row["as_of"]


def _file_of(row: ledger.Row) -> tuple[str, str, str, str]:
    return (*_delivery_of(row), row["file"])


def _counts(row: ledger.Row) -> bool:
    """Whether rows of a batch are loaded, or all of them are left out on purpose."""
    left_out = row["rows_left_out"]
    nothing_bad = left_out > 0 and left_out + row["rows_duplicate"] == row["rows_read"]
    return bool(row["state"] == "accepted" or (row["state"] == "quarantined" and nothing_bad))


def _incomplete(files: Iterable[ledger.Row], containers: Container[str]) -> str | None:
    """Why a delivery withdraws nothing, null where it is whole. A container is there once anything of it has come."""
    files = list(files)
    refused = [row["file"] for row in files if not _counts(row)]
    if refused:
        return f"{refused[0]} of it is refused or taken back"
    there = {row["file"] for row in files}
    named = {path for row in files for path in json.loads(row["companions"] or "[]")}
    missing = sorted(path for path in named - there if path not in containers)
    if missing:
        return f"{missing[0]} of it is missing"
    unread = [row["file"] for row in files if row["keys_unread"]]
    return f"a row of {unread[0]} has no key that can be read" if unread else None
