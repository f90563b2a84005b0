"""Publish a run's marts as one whole release: copy, verify, then one link changes for all readers at once."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings, utc_now
from ingestion.errors import ContractError, DamagedBuild
from ingestion.lease import Lease
from ingestion.raw import sync_folder
from warehouse import integrity, plan
from warehouse.build_database import current_run
from warehouse.release import releases

PUBLICATION = "fct_publication"
PARQUET = "format parquet, compression zstd"


@dataclass(frozen=True)
class Published:
    """The release that readers see after a run. `status` is published or unchanged."""

    status: str
    release_id: str | None
    path: str | None


def publish_release(settings: Settings, run_id: str, lease: Lease, say: Callable[[str], None] = print) -> Published:
    """Publish the marts that the build database holds for this run. The caller holds the writer's lease.

    Raises ContractError when the build is another run's, DamagedBuild when it is damaged, LeaseLost when another writer
    took over meanwhile.
    """
    releases.reconcile(settings, say)
    with ledger.read(settings) as connection:
        lease.check(connection)
        row = ledger.plan_of(connection, run_id)
        run_plan = plan.load(connection, run_id)
        known = ledger.known_parts(connection)
        newest = ledger.newest_release(connection)
    if row is None or run_plan is None:
        raise ContractError(f"run {run_id} has no plan; run build_marts first")
    before = releases.latest(settings)
    if row["state"] in ("unchanged", "published"):
        say(f"nothing to publish: readers stay with {before.name if before else 'nothing'}")
        return Published("unchanged", before.name if before else None, str(before) if before else None)
    if current_run(settings) != run_id:
        raise ContractError(f"the build is not of run {run_id} but of {current_run(settings)}; run build_marts again")

    published_at = utc_now()
    release_id = f"{published_at:%Y%m%dT%H%M%S}-{hashlib.sha256(f'{run_id}{published_at}'.encode()).hexdigest()[:6]}"
    partial = releases.folder_of(settings) / f".partial-{release_id}"
    partial.mkdir(parents=True)
    _copy_database(settings, partial / releases.DATABASE)
    _refuse_damaged(settings, partial / releases.DATABASE)
    # Not what readers see, which after a rollback is older than what the private marts file goes on from.
    linked = releases.folder_of(settings) / newest["release_id"] if newest else None
    note = _fill(partial, release_id, run_plan, json.loads(row["fingerprints"]), known, published_at, settings, linked)
    _verify(partial / releases.DATABASE, note)
    _write_note(partial, note)
    whole = releases.folder_of(settings) / release_id
    os.replace(partial, whole)
    sync_folder(whole.parent)
    releases.set_aside_logs(settings, say)
    with ledger.write(settings) as connection:
        # The right to publish and the link are settled in one transaction: a zombie stops here.
        lease.check(connection)
        releases.point_readers_to(settings, release_id)
        releases.record(connection, note)
    releases.prune(settings)
    say(
        f"published {release_id}: {sum(held['row_count'] for held in note['marts'].values()):,} rows"
        f" in {len(note['marts'])} marts"
    )
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
) -> dict[str, Any]:
    """Hash what the run replaced, add the release's own rows, write the marts as Parquet. Returns the note."""
    first, last = run_plan.window
    with closing(duckdb.connect(str(partial / releases.DATABASE), config=DUCKDB_CONFIG)) as release:
        columns: dict[str, list[str]] = {}
        for table, column in release.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
            " order by ordinal_position"
        ).fetchall():
            columns.setdefault(table, []).append(column)
        changed = _changed_marts(release, columns, run_plan, known)
        held_days: dict[str, list[str]] = {}
        replaced = {
            mart: sorted(run_plan.dates.get(mart, {}) if "snapshot_date" in names else ["all"])
            for mart, names in columns.items()
            if mart != PUBLICATION
        }
        parts = {
            mart: _hash_parts(release, mart, "snapshot_date" in columns[mart], None if mart in changed else days)
            for mart, days in replaced.items()
        }
        marts = {}
        for mart, days in replaced.items():
            kept = (
                {}
                if mart in changed
                else {part: held for part, held in known.get(mart, {}).items() if part not in days}
            )
            whole = {**kept, **parts[mart]}
            held_days[mart] = sorted(whole)
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
            "dirty_upto": run_plan.dirty_upto,
            "cap": str(run_plan.cap),
            "dates": run_plan.all_dates,
            "left_out": list(run_plan.asked.left_out) if run_plan.asked else [],
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
        _write_parquet(release, partial, columns, changed, parts, held_days, before)
        release.execute("checkpoint")
    return note


def _changed_marts(
    release: duckdb.DuckDBPyConnection, columns: dict[str, list[str]], run_plan: plan.Plan, known: ledger.Parts
) -> set[str]:
    """Marts of which every part is hashed and written anew: not windowed, new, or with rows that no part accounts for.

    Only planned dates are read: the rows of all others must add up to what was there before.
    """
    changed = set()
    for mart, names in columns.items():
        if "snapshot_date" not in names or mart not in known or mart not in run_plan.dates:
            changed.add(mart)
            continue
        planned = run_plan.dates[mart]
        kept = sum(rows for day, (rows, _) in known[mart].items() if day not in planned)
        held = _count(release, f"select count(*) from marts.{mart}")
        if kept + _count(release, f"select count(*) from marts.{mart} {_only(planned)}") != held:
            changed.add(mart)
    return changed


def _count(release: duckdb.DuckDBPyConnection, query: str) -> int:
    row = release.execute(query).fetchone()
    return int(row[0]) if row else 0


def _only(days: Iterable[str]) -> str:
    """Where clause of some dates."""
    return f"where snapshot_date in ({', '.join(f'date {day!r}' for day in days) or 'null'})"


def _hash_parts(
    release: duckdb.DuckDBPyConnection, mart: str, by_date: bool, days: list[str] | None
) -> dict[str, tuple[int, str]]:
    """Rows and summed row hash per part of a mart; `days` limits it to those dates."""
    part = "cast(snapshot_date as varchar)" if by_date else "'all'"
    only = "" if days is None or not by_date else _only(days)
    rows = release.execute(
        f"select {part} as part, count(*), cast(sum(hash(mart)) % 18446744073709551616 as varchar)"
        f" from marts.{mart} as mart {only} group by 1 order by 1"
    ).fetchall()
    return {name: (count, digest) for name, count, digest in rows}


def _write_parquet(
    release: duckdb.DuckDBPyConnection,
    partial: Path,
    columns: dict[str, list[str]],
    changed: set[str],
    parts: ledger.Parts,
    held_days: dict[str, list[str]],
    before: Path | None,
) -> None:
    """Marts as Parquet under `marts/<mart>/`: parts that the run replaced anew, the others linked to the last."""
    for mart, names in columns.items():
        folder = partial / "marts" / mart
        folder.mkdir(parents=True)
        if "snapshot_date" not in names:
            release.execute(f"copy marts.{mart} to '{folder}/data.parquet' ({PARQUET})")
            continue
        for day in held_days[mart]:
            target = folder / f"snapshot_date={day}" / "data.parquet"
            target.parent.mkdir()
            earlier = (
                before / target.relative_to(partial)
                if before and mart not in changed and day not in parts[mart]
                else None
            )
            if earlier and earlier.exists():
                os.link(earlier, target)
            else:
                release.execute(f"copy (from marts.{mart} where snapshot_date = '{day}') to '{target}' ({PARQUET})")


def release_version(settings: Settings) -> str:
    """Code version that the run wrote into the build database."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        row = build.execute("select code_version from meta.run").fetchone()
    assert row is not None
    return str(row[0])


def _verify(database: Path, note: dict[str, Any]) -> None:
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


def _write_note(partial: Path, note: dict[str, Any]) -> None:
    """Write the release's note and make the whole folder durable; readers cannot write the database."""
    (partial / releases.NOTE).write_text(json.dumps(note, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    (partial / releases.DATABASE).chmod(0o444)
    for folder, _, names in os.walk(partial):
        for name in names:
            with (Path(folder) / name).open("rb") as written:
                # A link into the release before is on disk already.
                if os.fstat(written.fileno()).st_nlink == 1:
                    os.fsync(written.fileno())
        sync_folder(Path(folder))
