"""`make doctor`: is the warehouse well? A line per check; below the wrong ones, what to do.

Looks only: it takes no lease, waits for no run, writes nothing, and copies the ledger before it asks it anything.
Exit code 1 when something is WRONG; a note is worth reading and mends itself, or is nobody's fault.
"""

import functools
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TextIO

import duckdb
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from ingestion import lease, ledger
from ingestion.config import DUCKDB_CONFIG, PROJECT_DIR, Settings, get_settings
from ingestion.inventory import waiting_files
from ingestion.text import shown
from warehouse.doctor.landing import (
    CHECKS,
    Context,
    Finding,
    age_of,
    check_settings,
    counted,
    list_files,
    some,
)
from warehouse.doctor.postgres import check_postgres
from warehouse.doctor.sources import check_sources
from warehouse.release import releases

LOCK = PROJECT_DIR / "requirements.txt"
SUPPORTED_PYTHON = SpecifierSet(">=3.11,<3.14")
# The four that must fit together; the rest of the lock is only named where it differs.
NAMED = ("duckdb", "dbt-core", "dbt-duckdb", "apache-airflow")
# A nightly that ran last midnight is at most 26 h old at 02:00; past this a night was missed.
STALE_RELEASE_HOURS = 36
# A release is a copy of the marts and the marts as Parquet; the build that makes it holds old and new rows for a while.
COPIES_OF_A_RELEASE = 3
# A landed file lies in landing, is copied to build/inbox, is unpacked there, and becomes raw.
COPIES_OF_A_LANDED_FILE = 4
# SQLite, logs and DuckDB's spill need room also when there is little data.
LEAST_FREE = 512 << 20
# Of a detail; whole reasons stand in the export of quarantine and in the report.
WIDTH = 200
STYLES = {"ok": "green", "note": "yellow", "WRONG": "bold red"}


# --- releases


def check_releases(context: Context) -> Iterator[Finding]:
    """What readers see, how old it is, and whether disk and ledger agree."""
    settings = context.settings
    yield from _checks_of_last_run(context.ledger)
    folder = releases.folder_of(settings)
    whole = [path.name for path in releases.whole(settings)]
    known = ledger.all_releases(context.ledger)
    link = settings.published / "latest"
    if not known and not whole and not link.is_symlink():
        yield Finding("note", "release", "none yet", (), "make nightly")
        return
    yield from _links(settings, whole)
    seen = releases.latest(settings)
    if seen is not None:
        yield _age(seen, known)
        yield from _database(seen, context.is_quick)
    yield from _disk_against_ledger(context, whole, known, seen)
    yield from _leftovers(context, folder)


def _checks_of_last_run(connection: ledger.Connection) -> Iterator[Finding]:
    last = ledger.last_checked_run(connection)
    if last is None:
        yield Finding("note", "checks", "none were run yet", (), "make nightly")
        return
    rows = ledger.checks_of_run(connection, last)
    failed = [row for row in rows if not row["passed"]]
    critical = [row for row in failed if row["severity"] == "critical" and not row["is_acknowledged"]]
    known = sum(row["is_acknowledged"] for row in failed)
    if not failed:
        yield Finding("ok", "checks", f"all {len(rows):,} of run {last} passed")
        return
    yield Finding(
        "WRONG" if critical else "note", "checks",
        f"{len(failed):,} of {len(rows):,} failed in run {last}, {len(critical):,} of them critical"
        + (f", {known:,} acknowledged" if known else ""),
        some(
            f"{'known' if row['is_acknowledged'] else row['severity']:<8}  {row['suite']}.{row['expectation']}:"
            f" observed {row['observed']}, expected {row['threshold']}{'; ' + row['detail'] if row['detail'] else ''}"
            for row in failed
        ),
        "each says what to do about it, docs/runbooks/nightly.md says more; nothing of that run is published"
        if critical
        else "",
    )  # fmt: skip


def _links(settings: Settings, whole: list[str]) -> Iterator[Finding]:
    """The two links that readers follow."""
    newest = whole[-1] if whole else None
    latest, database = settings.published / "latest", settings.published / releases.DATABASE
    broken = []
    if not latest.is_symlink() or not releases.is_release(latest):
        broken.append((latest, f"releases/{newest}"))
    if not database.is_symlink() or database.readlink() != Path("latest") / releases.DATABASE:
        broken.append((database, f"latest/{releases.DATABASE}"))
    if not broken:
        yield Finding("ok", "release", "published/latest and published/groundswell.duckdb lead to a release")
        return
    commands = "; ".join(f"ln -sfn {target} {link}" for link, target in broken)
    yield Finding(
        "WRONG", "release", "readers are led nowhere",
        tuple(f"{link.relative_to(settings.data)} {_how_it_is(link)}" for link, _ in broken),
        commands if newest else "the next run publishes anew from build/, or from raw: make nightly",
    )  # fmt: skip


def _how_it_is(link: Path) -> str:
    if link.is_symlink():
        return f"leads to {link.readlink()}, which is no release"
    return "is no link" if link.exists() else "is missing"


def _age(seen: Path, known: dict[str, ledger.Row]) -> Finding:
    published_at = str(releases.read_note(seen)["published_at"])
    hours = age_of(published_at).total_seconds() / 3600
    text = f"{seen.name} of day {releases.read_note(seen)['day']}, published {hours:,.0f} h ago"
    newest = max(known.values(), key=lambda row: row["published_at"], default=None)
    if newest is not None and newest["release_id"] != seen.name and newest["published_at"] > published_at:
        return Finding(
            "note", "release", f"{text}; a newer one was published: {newest['release_id']}", (),
            "meant as a rollback? then all is well; else the next release replaces it: make nightly",
        )  # fmt: skip
    if hours > STALE_RELEASE_HOURS:
        return Finding("note", "release", text, (), "no night has published since: make nightly, or see the report")
    return Finding("ok", "release", text)


def _database(seen: Path, is_quick: bool) -> Iterator[Finding]:
    """The release as a reader opens it: no log beside it, and the rows that its note counts."""
    database = seen / releases.DATABASE
    wal = Path(f"{database}.wal")
    if wal.exists():
        yield Finding(
            "WRONG", "release", "a write-ahead log lies beside the published database",
            (f"{wal}: some client opened the database to write; readers may fail or see its changes",),
            f"close that client, then: rm {wal}",
        )  # fmt: skip
        return
    damaged = [path for path, held in releases.files_of(seen).items() if not releases.is_as_written(seen / path, held)]
    if damaged:
        yield Finding(
            "WRONG", "release", f"{counted(len(damaged), 'file')} of {seen.name} not as written", some(damaged),
            "the next run publishes anew: make nightly",
        )  # fmt: skip
        return
    if is_quick:
        return
    try:
        wrong = list(_miscounted(seen, database))
    except duckdb.Error as error:
        wrong = [f"it cannot be opened: {str(error).splitlines()[0]}"]
    if wrong:
        yield Finding(
            "WRONG", "release", f"{seen.name} is not what was published", some(wrong),
            "lead readers to an older one: ln -sfn releases/<id> published/latest; then remove build/ and make nightly",
        )  # fmt: skip
    else:
        yield Finding("ok", "release", "it opens, and holds as many rows as were published")


def _miscounted(seen: Path, database: Path) -> Iterator[str]:
    with closing(duckdb.connect(str(database), read_only=True, config=DUCKDB_CONFIG)) as reader:
        for mart, held in releases.read_note(seen)["marts"].items():
            row = reader.execute(f'select count(*) from marts."{mart}"').fetchone()
            if row is None or row[0] != held["row_count"]:
                yield f"{mart} holds {row and row[0]} rows, {held['row_count']} were published"


def _disk_against_ledger(
    context: Context, whole: list[str], known: dict[str, ledger.Row], seen: Path | None
) -> Iterator[Finding]:
    unknown = [name for name in whole if name not in known]
    kept = sorted(known)[-context.settings.keep_releases :]
    missing = [name for name in kept if name not in whole]
    if unknown:
        mended = seen is not None and seen.name in unknown
        yield Finding(
            "note", "release", f"{counted(len(unknown), 'release')} on disk that the ledger does not know",
            some(unknown),
            "the next run records the one that readers see: make nightly" if mended else
            "left by a crash before it was published; remove it from published/releases/",
        )  # fmt: skip
    if missing:
        yield Finding(
            "note", "release", f"{counted(len(missing), 'release')} of the last {len(kept)} no longer on disk",
            some(missing), "nobody can be led back to these; nothing else depends on them",
        )  # fmt: skip


def _leftovers(context: Context, folder: Path) -> Iterator[Finding]:
    found = sorted(path.name for path in folder.glob(".partial-*")) if folder.is_dir() else []
    if found and not context.is_running:
        yield Finding(
            "note", "release", f"{counted(len(found), 'unfinished release')} of a crash", some(found),
            "the next release removes them; for the room now: rm -r published/releases/.partial-*",
        )  # fmt: skip


# --- disk, versions


def check_disk(context: Context) -> Iterator[Finding]:
    """Free space against what the next run needs: room for a release beside the old one, and for what waits."""
    settings = context.settings
    need = max(LEAST_FREE, COPIES_OF_A_RELEASE * _size(settings.marts_db) + COPIES_OF_A_LANDED_FILE * _waiting(context))
    for place in _devices(
        [settings.data, settings.landing, settings.raw, settings.build_db.parent, settings.published]
    ):
        free = shutil.disk_usage(place).free
        text = f"{_gigabytes(free)} free at {place}, the next run needs about {_gigabytes(need)}"
        if free < need:
            yield Finding(
                "WRONG", "disk", text, (),
                "make room: fewer GROUNDSWELL_KEEP_RELEASES, landed files to an archive, build/ (made anew from raw)",
            )  # fmt: skip
        else:
            yield Finding("note" if free < 3 * need else "ok", "disk", text)


def _devices(folders: list[Path]) -> list[Path]:
    """One existing folder per file system."""
    by_device: dict[int, Path] = {}
    for folder in folders:
        place = folder
        while not place.exists():
            place = place.parent
        by_device.setdefault(place.stat().st_dev, place)
    return list(by_device.values())


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _waiting(context: Context) -> int:
    """Bytes in landing that the next run takes in."""
    return sum(file.info.st_size for file in waiting_files(context.settings, context.ledger))


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


def check_versions(lock: Path = LOCK) -> Iterator[Finding]:
    """Python and every installed package against the lock."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    if python not in SUPPORTED_PYTHON:
        yield Finding(
            "WRONG", "versions", f"Python {python}; the lock is made for {SUPPORTED_PYTHON}", (),
            "make clean setup PYTHON=/path/to/python3.12",
        )  # fmt: skip
    if not lock.exists():
        yield Finding("note", "versions", f"no lock to compare with: {lock} is not there")
        return
    locked = dict(_locked(lock))
    differing = [
        f"{name}: {_installed(name) or 'not installed'}, locked {wanted}"
        for name, wanted in locked.items()
        if _installed(name) != wanted
    ]
    named = ", ".join(f"{name} {_installed(name)}" for name in NAMED)
    if differing:
        yield Finding(
            "WRONG", "versions", f"{counted(len(differing), 'package')} of {len(locked):,} not as locked",
            some(differing), "make clean setup",
        )  # fmt: skip
    else:
        yield Finding("ok", "versions", f"Python {python}, {named}, and all {len(locked):,} as locked")


def _locked(lock: Path) -> Iterator[tuple[str, str]]:
    """Name and version of what the lock asks of this platform."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        try:
            asked = Requirement(line.removesuffix("\\").strip())
        except InvalidRequirement:
            continue
        if asked.marker is None or asked.marker.evaluate():
            yield asked.name, next(iter(asked.specifier)).version


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


# --- all of it


def examine(settings: Settings, is_quick: bool = False) -> Iterator[Finding]:
    """Every check. One that breaks is a finding itself, and the others go on."""
    yield from _guarded("versions", check_versions)
    yield from _guarded("settings", functools.partial(check_settings, settings))
    if not settings.data.exists():
        yield Finding("note", "data", f"nothing yet: {settings.data} is not there", (), "make nightly")
        return
    yield from _guarded("postgres", functools.partial(check_postgres, settings))
    files = list_files(settings)
    if lost := ledger.how_lost(settings):
        what, _, remedy = lost.partition(". ")
        yield Finding("WRONG", "ledger", "it is lost: no run begins", (what,), remedy)
    try:
        with ledger.read_copy(settings) as connection:
            row = ledger.writer_of(connection)
            is_running = row is not None and not lease.is_dead(row, settings.lease_ttl_seconds)
            context = Context(settings, connection, is_quick, is_running, files)
            for check in (check_sources, *CHECKS, check_releases, check_disk):
                yield from _guarded(check.__name__.removeprefix("check_"), functools.partial(check, context))
    except ledger.Busy as error:
        yield Finding(
            "WRONG", "ledger", f"it cannot be read now: {error}", (str(settings.ledger),),
            "a commit of a run takes moments: ask again. If no run is under way, one was killed in a commit:"
            " the next run mends that by itself, make nightly",
        )  # fmt: skip
    except ledger.Damaged as error:
        yield Finding(
            "WRONG", "ledger", f"the file is damaged: {error}", (str(settings.ledger),),
            "restore state/ and raw/ from one backup",
        )  # fmt: skip


def _guarded(area: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (OSError, ValueError, KeyError, duckdb.Error) as error:
        # A run under way moves files; what is gone between two looks is not wrong, and not fully looked at either.
        yield Finding(
            "WRONG", area, f"this check could not finish: {type(error).__name__}: {error}", (), "ask again: make doctor"
        )


def report(findings: Iterator[Finding], stream: TextIO) -> int:
    """Print the findings as they come and the summary. Returns the number of wrong ones."""
    console = Console(file=stream, highlight=False, soft_wrap=True)
    counts = {"ok": 0, "note": 0, "WRONG": 0}
    for finding in findings:
        counts[finding.level] += 1
        console.print(
            Text.assemble((f"{finding.level:<6}", STYLES[finding.level]), f" {finding.area:<12} ", shown(finding.text))
        )
        if finding.level != "ok":
            for line in finding.details:
                console.print(Text(f"{'':<20}{_cut(shown(line))}"))
            if finding.remedy:
                console.print(Text.assemble(f"{'':<20}", ("-> ", STYLES[finding.level]), shown(finding.remedy)))
    console.print(f"\n{counts['WRONG']} wrong, {counted(counts['note'], 'note')}, {counts['ok']} ok")
    return counts["WRONG"]


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 3]}..."


def run(is_quick: bool) -> int:
    """Examine the warehouse of the settings and print the findings. Returns the number of wrong ones."""
    try:
        settings = get_settings()
    except ValidationError as error:
        return report(
            iter([Finding("WRONG", "settings", "they cannot be read", tuple(str(error).splitlines()))]), sys.stdout
        )
    return report(examine(settings, is_quick), sys.stdout)
