"""Make what readers see anew from itself, without rows that may be kept no longer: no gate and no build is needed."""

import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from ingestion import ledger
from ingestion.config import Settings
from ingestion.lease import Lease
from ingestion.raw import sync_folder
from warehouse.release import publish, releases
from warehouse.rows_let_go import write_anew


def make_anew(
    settings: Settings,
    seen: Path,
    without: Callable[[duckdb.DuckDBPyConnection], dict[str, set[str] | None]],
    held: Lease,
    run_id: str,
) -> str:
    """Publish a copy of a release from which `without` takes rows; returns its id. Under the writer's lease.

    Readers keep what they opened. Killed before the link changes, nothing has happened; after it, `reconcile` records.
    """
    with ledger.read(settings) as connection:
        published_at = ledger.next_instant(connection)
    release_id = f"{published_at:%Y%m%dT%H%M%S}-{hashlib.sha256(f'{run_id}{published_at}'.encode()).hexdigest()[:6]}"
    partial = releases.make_folder(settings) / f".partial-{release_id}"
    partial.mkdir()
    shutil.copyfile(seen / releases.DATABASE, partial / releases.DATABASE)
    note = _fill(settings, partial, seen, release_id, run_id, ledger.stamp(published_at), without)
    publish.verify(partial / releases.DATABASE, note)
    publish.write_note(partial, note)
    whole = releases.folder_of(settings) / release_id
    os.replace(partial, whole)
    sync_folder(whole.parent)
    with ledger.write(settings) as connection:
        held.check(connection)
        releases.point_readers_to(settings, release_id)
        releases.record(connection, note)
    return release_id


def _fill(
    settings: Settings,
    partial: Path,
    seen: Path,
    release_id: str,
    run_id: str,
    published_at: str,
    without: Callable[[duckdb.DuckDBPyConnection], dict[str, set[str] | None]],
) -> dict[str, Any]:
    """Take the rows out, write what changed as Parquet and link the rest; returns the note."""
    before = releases.read_note(seen)
    part_columns = publish.part_columns(settings)
    with closing(duckdb.connect(str(partial / releases.DATABASE), config=settings.duckdb_config)) as release:
        changed = {table.removeprefix("marts.") for table in without(release)}
        tables = {mart: part_columns.get(mart) for mart in sorted([*before["marts"], publish.PUBLICATION])}
        parts = {mart: publish.hash_parts(release, mart, part, None) for mart, part in tables.items()}
        labels = {mart: sorted(held) for mart, held in parts.items()}
        linked = {mart: set(held) for mart, held in labels.items() if mart not in changed}
        files = publish.write_parquet(release, partial, tables, labels, linked, seen)
        release.execute("checkpoint")
    write_anew(settings, partial / releases.DATABASE)
    shutil.copyfile(seen / "marts" / publish.DICTIONARY, partial / "marts" / publish.DICTIONARY)
    for path in (releases.DATABASE, f"marts/{publish.DICTIONARY}"):
        files[path] = releases.written(partial / path)
    publish.write_files(partial, files)
    del parts[publish.PUBLICATION]
    return before | {
        "release_id": release_id,
        "run_id": run_id,
        "published_at": published_at,
        # It holds no other day than the release that it is made of, and nothing is less dirty by it.
        "dates": [],
        "dirty_upto": 0,
        "changed": sorted(parts),
        "replaced": {mart: sorted(held) for mart, held in parts.items()},
        "parts": parts,
        "marts": {
            mart: {
                "row_count": sum(rows for rows, _ in held.values()),
                "content_hash": str(sum(int(digest) for _, digest in held.values()) % 2**64),
            }
            for mart, held in parts.items()
        },
    }
