"""Publish a run's marts as one whole release: copy, verify, then one link changes for all readers at once."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.errors import ContractError, DamagedBuild
from ingestion.lease import Lease
from ingestion.raw import sync_folder
from ingestion.sql import quote
from warehouse import data_dictionary, integrity, plan
from warehouse.build_database import current_run
from warehouse.parts import DAY, PartColumn
from warehouse.release import releases

PUBLICATION = "fct_publication"
PARQUET = "format parquet, compression zstd"
# The one part of a mart that has no part column.
WHOLE = "all"
# Rows of a mart whose days are written by one statement: as many as DuckDB keeps before it writes a piece of each file.
ROWS_AT_ONCE = 500_000
DICTIONARY = "dictionary.json"


@dataclass(frozen=True)
class Published:
    """The release that readers see after a run. `status` is published or unchanged."""

    status: str
    release_id: str | None
    path: str | None


def publish_release(settings: Settings, run_id: str, lease: Lease, log: Callable[[str], None] = print) -> Published:
    """Publish the marts that the build database holds for this run. The caller holds the writer's lease.

    Raises ContractError when the build is another run's, DamagedBuild when it is damaged, LeaseLost when another writer
    took over meanwhile.
    """
    releases.reconcile(settings, log)
    with ledger.read(settings) as connection:
        lease.check(connection)
        row = ledger.plan_of(connection, run_id)
        run_plan = plan.load(connection, run_id)
        known = ledger.known_parts(connection)
        states = ledger.mart_states(connection)
        newest = ledger.newest_release(connection)
        published_at = ledger.next_instant(connection)
    if row is None or run_plan is None:
        raise ContractError(f"run {run_id} has no plan; run build_marts first")
    before = releases.latest(settings)
    if row["state"] in ("unchanged", "published"):
        log(f"nothing to publish: readers stay with {before.name if before else 'nothing'}")
        return Published("unchanged", before.name if before else None, str(before) if before else None)
    if current_run(settings) != run_id:
        raise ContractError(f"the build is not of run {run_id} but of {current_run(settings)}; run build_marts again")

    release_id = f"{published_at:%Y%m%dT%H%M%S}-{hashlib.sha256(f'{run_id}{published_at}'.encode()).hexdigest()[:6]}"
    partial = releases.make_folder(settings) / f".partial-{release_id}"
    partial.mkdir()
    _copy_database(settings, partial / releases.DATABASE)
    _refuse_damaged(settings, partial / releases.DATABASE)
    # Not what readers see, which after a rollback is older than what the private marts file goes on from.
    linked = releases.folder_of(settings) / newest["release_id"] if newest else None
    fingerprints = json.loads(row["fingerprints"])
    same_code = {mart for mart, state in states.items() if state["released"] == fingerprints.get(mart)}
    note = _fill(partial, release_id, run_plan, fingerprints, known, published_at, settings, linked, same_code)
    verify(partial / releases.DATABASE, note)
    write_note(partial, note)
    whole = releases.folder_of(settings) / release_id
    os.replace(partial, whole)
    sync_folder(whole.parent)
    releases.move_stray_logs(settings, log)
    with ledger.write(settings) as connection:
        # The right to publish and the link are settled in one transaction: a zombie stops here.
        lease.check(connection)
        releases.point_readers_to(settings, release_id)
        releases.record(connection, note)
    releases.prune(settings)
    log(
        f"published {release_id}: {sum(held['row_count'] for held in note['marts'].values()):,} rows"
        f" in {len(note['marts'])} marts"
    )
    if closed := releases.closed_to_readers(settings):
        named = ", ".join(map(str, closed))
        log(f"no other user can enter {named}: where readers are others, chmod a+rx it")
    return Published("published", release_id, str(whole))


def _copy_database(settings: Settings, target: Path) -> None:
    """Copy the private marts file, as a reflink where the file system can, after a checkpoint without leftovers."""
    with closing(duckdb.connect(str(settings.marts_db), config=DUCKDB_CONFIG)) as marts:
        marts.execute("checkpoint")
    if Path(f"{settings.marts_db}.wal").exists():
        raise ContractError(f"{settings.marts_db.name} has a write-ahead log left after a checkpoint; run again")
    with settings.marts_db.open("rb") as source, target.open("wb") as copy:
        left = os.fstat(source.fileno()).st_size
        try:
            while left > 0 and (moved := os.copy_file_range(source.fileno(), copy.fileno(), left)):
                left -= moved
        except OSError:
            source.seek(copy.tell())
            shutil.copyfileobj(source, copy, 1 << 22)


def _refuse_damaged(settings: Settings, copy: Path) -> None:
    """Raise DamagedBuild when the copy is unsound, also on days that this run does not touch; the build is removed."""
    damage = integrity.damage_of(copy)
    if damage:
        integrity.remove_build(settings)
        raise DamagedBuild(f"{settings.marts_db.name} is damaged ({damage}) and is removed")


def _fill(
    partial: Path,
    release_id: str,
    run_plan: plan.Plan,
    fingerprints: dict[str, str],
    known: ledger.Parts,
    published_at: datetime,
    settings: Settings,
    before: Path | None,
    same_code: set[str],
) -> dict[str, Any]:
    """Hash what the run replaced, add the release's own rows, write the marts as Parquet. Returns the note."""
    first, last = run_plan.window
    columns = part_columns(settings)
    with closing(duckdb.connect(str(partial / releases.DATABASE), config=settings.duckdb_config)) as release:
        found = "select table_name from duckdb_tables() where schema_name = 'marts' order by 1"
        tables = {str(mart): columns.get(mart) for (mart,) in release.execute(found).fetchall()}
        replaced = {
            mart: part.labels(run_plan.dates.get(mart, {})) if part else [WHOLE]
            for mart, part in tables.items()
            if mart != PUBLICATION
        }
        changed = _changed_marts(release, tables, run_plan, replaced, known)
        parts = {
            mart: hash_parts(release, mart, tables[mart], None if mart in changed else labels)
            for mart, labels in replaced.items()
        }
        marts, held_parts = {}, {}
        for mart, labels in replaced.items():
            kept = (
                {}
                if mart in changed
                else {part: held for part, held in known.get(mart, {}).items() if part not in labels}
            )
            whole = {**kept, **parts[mart]}
            held_parts[mart] = sorted(whole)
            marts[mart] = {
                "row_count": sum(rows for rows, _ in whole.values()),
                "content_hash": str(sum(int(digest) for _, digest in whole.values()) % 2**64),
            }
        note = {
            "release_id": release_id,
            "run_id": run_plan.run_id,
            "day": str(run_plan.day),
            "window_start": first,
            "window_end": last,
            "published_at": ledger.stamp(published_at),
            "code_version": release_version(settings),
            "config": config_digests(settings),
            "dirty_upto": run_plan.dirty_upto,
            "cap": str(run_plan.build_through),
            "dates": run_plan.all_dates,
            "left_out": list(run_plan.backfill_range.left_out) if run_plan.backfill_range else [],
            "fingerprints": fingerprints,
            "changed": sorted(changed),
            "replaced": replaced,
            "parts": parts,
            "marts": marts,
        }
        release.executemany(
            f"insert into marts.{PUBLICATION} by position values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    release_id,
                    mart,
                    run_plan.run_id,
                    first,
                    last,
                    published_at,
                    held["row_count"],
                    held["content_hash"],
                    note["code_version"],
                )
                for mart, held in marts.items()
            ],
        )
        linked = _linked(held_parts, parts, known, same_code) if before else {}
        files = write_parquet(release, partial, tables, held_parts, linked, before)
        _describe(release, partial, set(tables))
        release.execute("checkpoint")
    files[releases.DATABASE] = releases.written(partial / releases.DATABASE)
    files[f"marts/{DICTIONARY}"] = releases.written(partial / "marts" / DICTIONARY)
    write_files(partial, files)
    return note


def write_files(partial: Path, files: dict[str, releases.Written]) -> None:
    """Write what each file of a release was when it was written."""
    (partial / releases.FILES).write_text(json.dumps(files, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def part_columns(settings: Settings) -> dict[str, PartColumn]:
    """Part column of each mart that has one, as the run wrote it into the build database; none where that is gone."""
    if not settings.build_db.exists():
        return {}
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        rows = build.execute("select model, part_column, part_by from meta.part_column").fetchall()
    return {model: PartColumn(column, by) for model, column, by in rows}


def _changed_marts(
    release: duckdb.DuckDBPyConnection,
    tables: dict[str, PartColumn | None],
    run_plan: plan.Plan,
    replaced: dict[str, list[str]],
    known: ledger.Parts,
) -> set[str]:
    """Marts of which every part is hashed anew: not windowed, new, or with rows that no part accounts for.

    Only planned parts are read: the rows of all others must add up to what was there before.
    """
    changed = set()
    for mart, part in tables.items():
        if not part or mart not in known or mart not in run_plan.dates:
            changed.add(mart)
            continue
        kept = sum(rows for label, (rows, _) in known[mart].items() if label not in replaced[mart])
        held = _count(release, f"select count(*) from marts.{mart}")
        if kept + _count(release, f"select count(*) from marts.{mart} where {part.only(replaced[mart])}") != held:
            changed.add(mart)
    return changed


def _count(release: duckdb.DuckDBPyConnection, query: str) -> int:
    row = release.execute(query).fetchone()
    return int(row[0]) if row else 0


def hash_parts(
    release: duckdb.DuckDBPyConnection, mart: str, part: PartColumn | None, labels: list[str] | None
) -> dict[str, tuple[int, str]]:
    """Rows and summed row hash per part of a mart; `labels` limits it to those parts."""
    name = part.label_sql if part else f"'{WHOLE}'"
    only = f"where {part.only(labels)}" if part and labels is not None else ""
    rows = release.execute(
        f"select {name} as part, count(*), cast(sum(hash(mart)) % 18446744073709551616 as varchar)"
        f" from marts.{mart} as mart {only} group by 1 order by 1"
    ).fetchall()
    return {label: (count, digest) for label, count, digest in rows}


def _linked(
    held_parts: dict[str, list[str]], parts: ledger.Parts, known: ledger.Parts, same_code: set[str]
) -> dict[str, set[str]]:
    """Parts of each mart that are as in the release before: not hashed anew, or hashed alike under the same code."""
    return {
        mart: {
            label
            for label in labels
            if label in known.get(mart, {})
            and (label not in parts[mart] or (mart in same_code and parts[mart][label] == known[mart][label]))
        }
        for mart, labels in held_parts.items()
    }


def write_parquet(
    release: duckdb.DuckDBPyConnection,
    partial: Path,
    tables: dict[str, PartColumn | None],
    held_parts: dict[str, list[str]],
    linked: dict[str, set[str]],
    before: Path | None,
) -> dict[str, releases.Written]:
    """Marts as Parquet under `marts/<mart>/`: a file per part; those that are as before link to the last release.

    A folder per part would cost a night more than its rows after some years. A part of the last release that is not
    what was written there is written anew. A mart without rows is one empty file, so that who reads Parquet finds its
    columns. Returns what each file was.
    """
    known = releases.files_of(before) if before else {}
    files: dict[str, releases.Written] = {}
    for mart, part in tables.items():
        folder = partial / "marts" / mart
        folder.mkdir(parents=True)
        if not part or not held_parts[mart]:
            target = folder / "data.parquet"
            release.execute(f"copy marts.{mart} to '{target}' ({PARQUET})")
            files[target.relative_to(partial).as_posix()] = releases.written(target)
            continue
        targets = {label: folder / f"{label}.parquet" for label in held_parts[mart]}
        paths = {label: target.relative_to(partial).as_posix() for label, target in targets.items()}
        as_before = {
            label
            for label in linked.get(mart, set()) & targets.keys()
            if before and (held := known.get(paths[label])) and releases.is_as_written(before / paths[label], held)
        }
        _write_parts(release, mart, part, {label: targets[label] for label in targets if label not in as_before})
        for label, path in paths.items():
            if before and label in as_before:
                os.link(before / path, targets[label])
                files[path] = known[path]
            else:
                files[path] = releases.written(targets[label])
    return files


def _write_parts(release: duckdb.DuckDBPyConnection, mart: str, part: PartColumn, targets: dict[str, Path]) -> None:
    """Write parts of a mart, a file each: days of few rows by one statement, which takes a third of the time.

    One thread writes those, so that rows keep their order.
    """
    rows_of_all = f"from marts.{mart} where {part.only(list(targets))}"
    # A night writes one day of most marts: its rows need no count.
    if part.by == DAY and len(targets) > 1 and _count(release, f"select count(*) {rows_of_all}") <= ROWS_AT_ONCE:
        threads = _count(release, "select current_setting('threads')")
        release.execute("set threads = 1")
        release.execute(f"set partitioned_write_max_open_files = {len(targets)}")
        written = next(iter(targets.values())).parent / "written"
        release.execute(
            f"copy ({rows_of_all}) to '{written}'"
            f" ({PARQUET}, partition_by ({part.column}), write_partition_columns true)"
        )
        release.execute(f"set threads = {threads}")
        for label, target in targets.items():
            (file,) = (written / f"{part.column}={label}").iterdir()
            file.rename(target)
        shutil.rmtree(written)
        return
    for label, target in targets.items():
        release.execute(f"copy (from marts.{mart} where {part.only([label])}) to '{target}' ({PARQUET})")


def _describe(release: duckdb.DuckDBPyConnection, partial: Path, tables: set[str]) -> None:
    """Say what each mart and column holds: as comments, which BI tools show, and as one file beside the Parquet.

    They are written into each release anew, since a table that dbt replaces loses its comments.
    """
    held = set(
        release.execute("select table_name, column_name from duckdb_columns() where schema_name = 'marts'").fetchall()
    )
    described = [mart for mart in data_dictionary.marts() if mart["name"] in tables]
    release.execute("begin")
    for mart in described:
        name, about = mart["name"], quote(f"{mart['grain']} {mart['description']}")
        release.execute(f"comment on table marts.{name} is {about}")
        for column in mart["columns"]:
            if (name, column["name"]) in held:
                about = quote(data_dictionary.comment_of(column))
                release.execute(f'comment on column marts.{name}."{column["name"]}" is {about}')
    release.execute("commit")
    text = json.dumps({"marts": described}, indent=1, ensure_ascii=False)
    (partial / "marts" / DICTIONARY).write_text(f"{text}\n", encoding="utf-8")


def release_version(settings: Settings) -> str:
    """Code version that the run wrote into the build database."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        row = build.execute("select code_version from meta.run").fetchone()
    assert row is not None
    return str(row[0])


def config_digests(settings: Settings) -> dict[str, str]:
    """Digest of each table of the configuration that the run wrote into the build database."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        return dict(build.execute("select name, digest from meta.config_digest order by name").fetchall())


def verify(database: Path, note: dict[str, Any]) -> None:
    """Open the copy as a reader would and count. Raises ContractError where it is not what the note says."""
    with closing(duckdb.connect(str(database), read_only=True, config=DUCKDB_CONFIG)) as reader:
        for mart, held in note["marts"].items():
            row = reader.execute(f"select count(*) from marts.{mart}").fetchone()
            if row is None or row[0] != held["row_count"]:
                raise ContractError(
                    f"{mart} holds {row and row[0]} rows in the release, {held['row_count']} were built"
                )
    if Path(f"{database}.wal").exists():
        raise ContractError("the release has a write-ahead log left; run again")


def write_note(partial: Path, note: dict[str, Any]) -> None:
    """Write the release's note and make the whole folder durable; readers of any user can read it, and not write."""
    (partial / releases.NOTE).write_text(json.dumps(note, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    for folder, _, _ in os.walk(partial):
        with os.scandir(folder) as entries:
            # A link into the release before is on disk already, and open to readers.
            new = [entry.path for entry in entries if entry.is_file() and entry.stat().st_nlink == 1]
        for path in new:
            with open(path, "rb") as written:
                os.fchmod(written.fileno(), releases.READABLE_FILE)
                os.fsync(written.fileno())
        Path(folder).chmod(releases.READABLE_FOLDER)
        sync_folder(Path(folder))
