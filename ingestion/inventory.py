"""What lies in landing and in quarantine, beside what the ledger knows of it. Nothing here writes.

Shared by those who only look: the doctor, the export of quarantine, and the plan of a replay.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import landing, ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.errors import FileRefused
from ingestion.mapping import grammar
from ingestion.mapping.in_use import Mappings, load_mappings
from ingestion.sample import is_of_sample
from ingestion.sql import quote


@dataclass(frozen=True)
class Seen:
    """A name in landing: the mapping that claims it, or why none does, and what was read of it.

    `batch_ids` are the batches of the very file that lies there; `is_due` says that the next run reads it. `loaded_by`
    is the mapping under which it is loaded where that one is switched off or gone.
    """

    candidate: landing.Candidate
    mapping: grammar.Mapping | None
    refusal: str | None
    batch_ids: frozenset[str]
    is_requested: bool
    is_due: bool
    loaded_by: str | None = None


@dataclass(frozen=True)
class Reason:
    """Why rows of a feed were quarantined, how many, in how many files, and one of them."""

    feed: str
    column: str | None
    reason: str
    rows: int
    files: int
    example: str

    @property
    def where(self) -> str:
        return f"{self.feed}.{self.column}" if self.column else f"{self.feed}, the whole line"


def landed_names(settings: Settings, connection: ledger.Connection) -> dict[str, Seen]:
    """Every name in landing by its path. Raises ContractError when a mapping cannot be read."""
    mappings = load_mappings(settings)
    deliveries: dict[str, list[ledger.Row]] = {}
    for row in ledger.deliveries(connection):
        deliveries.setdefault(row["path"], []).append(row)
    return {
        candidate.label: _seen(candidate, mappings, deliveries.get(candidate.label, []))
        for candidate in landing.expand(settings, mappings)
    }


def waiting_files(settings: Settings, connection: ledger.Connection) -> list[landing.Candidate]:
    """What lies in landing and no delivery accounts for, by its name and size: restored files are known by them too."""
    known = {(row["path"], row["bytes"]) for row in ledger.deliveries(connection)}
    found = landing.expand(settings, load_mappings(settings))
    return [candidate for candidate in found if (candidate.label, candidate.info.st_size) not in known]


def _seen(candidate: landing.Candidate, mappings: Mappings, rows: list[ledger.Row]) -> Seen:
    mapping, refusal = None, None
    same = [row for row in rows if candidate.is_of(row)]
    loaded = next(filter(None, (row["loaded_under"] for row in same)), None)
    try:
        mapping = candidate.mapping or mappings.choose(candidate.label, loaded)
    except FileRefused as error:
        refusal = error.reason
    if candidate.refusal is not None:
        refusal = candidate.refusal.reason
    is_left = mapping is None and refusal is None
    return Seen(
        candidate=candidate,
        mapping=mapping,
        refusal=refusal,
        batch_ids=frozenset(row["batch_id"] for row in same),
        is_requested=any(row["mapping_fingerprint"] == ledger.REPLAY_REQUESTED for row in same),
        is_due=not is_left
        and not any(row["mapping_fingerprint"] == landing.fingerprint_of(mapping, row) for row in same),
        loaded_by=loaded if mappings.is_off(loaded) and not is_of_sample(candidate.label) else None,
    )


def quarantined_rows_file(settings: Settings, feed: str, batch_id: str) -> Path:
    """Where the quarantined rows of a batch are kept."""
    return settings.quarantine / feed / f"{batch_id}.parquet"


def quarantined_file_folder(settings: Settings, feed: str, sha256: str) -> Path:
    """Where a file is kept that was quarantined whole: `file` and `reason.json`."""
    return settings.quarantine / feed / "files" / sha256


def note_of_file(settings: Settings, feed: str, sha256: str) -> Path:
    """What quarantine says of a file that was quarantined whole."""
    return quarantined_file_folder(settings, feed, sha256) / "reason.json"


def kept_rows(settings: Settings, batches: list[ledger.Row]) -> list[Path]:
    """Files of the quarantined rows of batches, where they have any."""
    found = [quarantined_rows_file(settings, batch["feed"], batch["batch_id"]) for batch in batches]
    return [path for path in found if path.exists()]


def open_rows(paths: list[Path]) -> duckdb.DuckDBPyConnection:
    """A DuckDB with the view `kept` over files of quarantined rows; empty for none."""
    reader = duckdb.connect(":memory:", config=DUCKDB_CONFIG)
    listed = ", ".join(quote(str(path)) for path in paths)
    columns = 'source_file, source_line, column_name, value, reason, "row"'
    reader.execute(
        f"create view kept as select {columns}, parse_filename(filename, true) as batch_id,"
        " parse_filename(parse_dirpath(filename)) as feed"
        f" from read_parquet([{listed}], filename = true, hive_partitioning = false, union_by_name = true)"
        if paths
        else "create view kept as select null::varchar as source_file, null::bigint as source_line, null::varchar as"
        ' column_name, null::varchar as value, null::varchar as reason, null::varchar as "row",'
        " null::varchar as batch_id, null::varchar as feed where false"
    )
    return reader


def reasons(paths: list[Path]) -> list[Reason]:
    """Quarantined rows counted by feed, column and reason, the most frequent first."""
    reader = open_rows(paths)
    try:
        rows = reader.execute(
            "select feed, column_name, reason, count(*), count(distinct source_file), min(source_file) from kept"
            " group by all order by count(*) desc, feed, column_name, reason"
        ).fetchall()
    finally:
        reader.close()
    return [Reason(*row) for row in rows]


def file_reasons(batches: list[ledger.Row]) -> Counter[tuple[str, str]]:
    """Files quarantined whole, counted by feed and reason."""
    return Counter((batch["feed"], batch["reason"] or "") for batch in batches if batch["state"] == "quarantined")
