"""Make a lost ledger anew: what lies in landing is read again, the rest is taken from raw, which names its batches.

What only the ledger held is gone: rejections, replays, acknowledged checks, erased accounts, days that were let go, and
how a delivery that no longer lies in landing withdrew others.
"""

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import load_feeds
from ingestion.landing import land_files
from ingestion.raw import columns_of, stored
from ingestion.text import shown

# In place of the name of a mapping.
FROM_RAW = "(from raw)"


@dataclass(frozen=True)
class Rebuilt:
    """What a new ledger was made of: files read again, batches taken from raw, older readings that stay unseen."""

    landed: int
    from_raw: int
    left: int


def rebuild_ledger(settings: Settings, run_id: str, log: Callable[[str], None] = print) -> Rebuilt:
    """Make the ledger anew. The caller has made an empty one (`ledger.make_anew`) and holds the writer's lease."""
    landed = land_files(settings, run_id, log, is_rebuild=True)
    adopted = left = 0
    for feed in load_feeds():
        for batch in _unknown_batches(settings, feed, run_id):
            with ledger.write(settings) as connection:
                if any(row["feed"] == feed for row in ledger.batches_of_bytes(connection, batch.sha256)):
                    left += 1
                    continue
                ledger.record_batch(connection, batch)
            adopted += 1
            log(f"{shown(batch.file)}: {batch.rows_accepted:,} rows of {feed} taken from raw")
    return Rebuilt(landed.files_seen, adopted, left)


def _unknown_batches(settings: Settings, feed: str, run_id: str) -> list[ledger.Batch]:
    """Batches of a feed that raw holds and the ledger does not, in the order in which they were loaded."""
    with ledger.read(settings) as connection:
        known = ledger.raw_paths(connection)
    files = [
        path
        for path in sorted((settings.raw / feed).glob("snapshot_date=*/*.parquet"))
        if path.relative_to(settings.raw).as_posix() not in known
    ]
    if not files:
        return []
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        rows = reader.execute(
            "select batch_id, filename, any_value(cast(snapshot_date as varchar)), count(*), any_value(source_file),"
            " any_value(source_sha256), any_value(data_origin), any_value(as_of), any_value(loaded_at)"
            f" from {stored(columns_of(load_feeds()[feed]), files, 'filename = true')} group by 1, 2 order by 9, 1, 2"
        ).fetchall()
    batches: dict[str, ledger.Batch] = {}
    for batch_id, name, day, count, source, sha256, origin, as_of, loaded_at in rows:
        file = Path(name)
        held = ledger.RawFile(
            file.relative_to(settings.raw).as_posix(), day, count, file.stat().st_size,
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )  # fmt: skip
        if batch_id not in batches:
            batches[batch_id] = ledger.Batch(
                batch_id=batch_id, feed=feed, mapping=FROM_RAW, mapping_fingerprint="", sha256=sha256, file=source,
                bytes=0, header=None, file_time=None, as_of=as_of, landed_at=loaded_at, data_origin=origin,
                state="accepted", reason="taken from raw: the ledger was lost", rows_read=0, rows_accepted=0,
                rows_quarantined=0, rows_duplicate=0, run_id=run_id,
            )  # fmt: skip
        batches[batch_id] = _with(batches[batch_id], held)
    return list(batches.values())


def _with(batch: ledger.Batch, held: ledger.RawFile) -> ledger.Batch:
    """A batch with one more of its files. Of rows that were not loaded nothing is known."""
    rows = batch.rows_accepted + held.rows
    return replace(batch, raw_files=[*batch.raw_files, held], rows_read=rows, rows_accepted=rows)
