"""The steps of a run, in their order, and what is made of them: a backfill and an erasure. Without Airflow.

`land_files`, `check_landing`, `build_marts`, `check_built`, `publish_checked` and `build_report` are the six steps. The
DAGs schedule them, the `groundswell` command runs them by hand. Those that write need the writer's lease. Beside the
report, `load_postgres` shows the release in PostgreSQL, where one is set; it holds no lease, for it touches no file.
"""

import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

import duckdb

from expectations import context as checks
from expectations.run import check_landing, check_marts
from ingestion import erasure, lease, ledger, rebuild
from ingestion.config import Settings, utc_now
from ingestion.errors import ContractError, DamagedBuild, TargetUnavailable, UsageError
from ingestion.landing import Landed
from ingestion.landing import land_files as land
from ingestion.lease import Lease
from ingestion.sources.forget import forget, land_what_is_open, names_at_sources
from ingestion.text import shown
from serving.report import build as report
from warehouse import integrity, plan, retention
from warehouse.build import dbt, manifest, spark
from warehouse.build.run import build_marts, end_unbuilt, require_built
from warehouse.progress import Bar
from warehouse.release import diff, publish, releases

__all__ = [
    "backfill",
    "build_marts",
    "build_report",
    "check_built",
    "check_landing",
    "erase",
    "land_files",
    "load_postgres",
    "publish_checked",
    "rebuild_ledger",
]

R = TypeVar("R")


def land_files(settings: Settings, run_id: str, log: Callable[[str], None] = print) -> Landed:
    """Let go of what sources may keep no longer, then take in what is new in landing."""
    retention.let_go(settings, log)
    return land(settings, run_id, log)


def check_built(settings: Settings, run_id: str, day: date, lease: Lease, log: Callable[[str], None] = print) -> str:
    """Check the marts of this run. Returns built, unchanged, or superseded: a later release holds its dates.

    Raises ContractError when a critical check fails, and when the build is another run's or damaged.
    """

    def check() -> str:
        status = require_built(settings, run_id, lease, log)
        if status == "built":
            check_marts(settings, run_id, day, log)
        return status

    return _or_end(settings, run_id, log, check)


def publish_checked(
    settings: Settings, run_id: str, day: date, lease: Lease, log: Callable[[str], None] = print
) -> publish.Published | None:
    """Publish what was checked; null when a later release holds its dates.

    Raises ContractError when the build is another run's or damaged, LeaseLost when another writer took over meanwhile.
    """

    def publish_it() -> publish.Published | str:
        status = require_built(settings, run_id, lease, log)
        return status if status == "superseded" else publish.publish_release(settings, run_id, lease, log)

    published = _or_end(settings, run_id, log, publish_it)
    return None if isinstance(published, str) else published


def build_report(
    settings: Settings, run_id: str, log: Callable[[str], None] = print, held: Lease | None = None
) -> Path:
    """Write Data Docs of what the gates have found, and the report, which links to them. Returns the report's path.

    Before that, releases go that hold what sources may keep no longer, also where a gate was closed, and PostgreSQL
    follows. Data Docs that cannot be written, and a PostgreSQL that does not answer, are told of, and keep nobody from
    the report.

    Args:
        held: the writer's lease; null where the caller holds none.
    """
    if retention.let_go_of_releases(settings, run_id, log, held):
        try:
            load_postgres(settings, log)
        except (ContractError, TargetUnavailable) as error:
            log(f"PostgreSQL may still hold what was let go, until `groundswell postgres` or the next night: {error}")
    try:
        checks.write_docs(settings)
    except Exception as error:
        log(f"Data Docs are not written: {type(error).__name__}: {shown(str(error))}")
    return report.build_report(settings, run_id, log)


def load_postgres(settings: Settings, log: Callable[[str], None] = print) -> str | None:
    """Show in PostgreSQL what readers of the file see; returns the id of that release, null where none is set.

    Raises ContractError or TargetUnavailable, in words and without a password; its readers then see what they saw.
    """
    if settings.postgres_url is None:
        return None
    from serving.postgres import follow

    return follow(settings, log).release_id


def _or_end(settings: Settings, run_id: str, log: Callable[[str], None], step: Callable[[], R]) -> R | str:
    """Do a step on the private databases; where one proves damaged it is removed, and the run ends (`end_unbuilt`)."""
    try:
        return step()
    except DamagedBuild as damage:
        why = str(damage)
    except duckdb.Error:
        found = integrity.remove_damaged(settings)
        if found is None:
            raise
        why = f"{found} and is removed"
    return end_unbuilt(settings, run_id, why, log)


def backfill(
    settings: Settings, first: date, last: date, marts: Iterable[str], log: Callable[[str], None], bar: Bar
) -> diff.Diff:
    """Land, check, build, check and publish a range; returns what differs from the release before.

    Raises ContractError for a range that cannot be and when a gate is closed, LeaseLost while another writer works.
    """
    plan.check_order(first, last)
    run_id = f"backfill__{first}__{last}__{utc_now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
    with lease.hold(settings, run_id, "backfill", log) as held, _kept(settings) as before:
        bar.step("land_files")
        land_files(settings, run_id, log)
        backfill_range, day = plan.resolve(settings, first, last, marts, run_id)
        try:
            bar.step("check_landing")
            check_landing(settings, run_id, day, log)
            bar.step("build_marts")
            build_marts(settings, run_id, day, held, log, backfill_range, bar.node)
            bar.step("check_marts")
            check_built(settings, run_id, day, held, log)
            bar.step("publish_release")
            publish_checked(settings, run_id, day, held, log)
        finally:
            bar.step("build_report")
            build_report(settings, run_id, log, held)
        bar.step("compare")
        return _compare(settings, before)


@contextmanager
def _kept(settings: Settings) -> Iterator[Path | None]:
    """A second name for the database that readers see now: retention may remove its release meanwhile."""
    release = releases.latest(settings)
    kept = settings.data / "build" / f"before-{os.getpid()}.duckdb"
    kept.unlink(missing_ok=True)
    if release is None:
        yield None
        return
    kept.parent.mkdir(exist_ok=True)
    try:
        os.link(release / releases.DATABASE, kept)
    except OSError:
        # published/ or build/ may be a disk of its own.
        shutil.copyfile(release / releases.DATABASE, kept)
    try:
        yield kept
    finally:
        kept.unlink(missing_ok=True)


def _compare(settings: Settings, before: Path | None) -> diff.Diff:
    with dbt.dbt_environment(settings):
        keys = manifest.keys_of(manifest.parse(settings))
    now = releases.latest(settings)
    assert now is not None
    return diff.compare(before, now / releases.DATABASE, keys)


def erase(settings: Settings, platform: str, account_id: str, log: Callable[[str], None] = print) -> erasure.Erased:
    """Remove the account, build and publish all marts without it, and remove every other release.

    Raises UsageError, having touched nothing, for an account that nothing holds; ContractError when a gate is closed
    (readers then still see the release before), TargetUnavailable when PostgreSQL may still hold the account, LeaseLost
    while another writer works.
    """
    run_id = f"erase__{utc_now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
    with lease.hold(settings, run_id, "erase", log) as held:
        erasure.require_known(settings, platform, account_id)
        number = erasure.begin(settings, platform, account_id)
        land_what_is_open(settings, platform)
        # What lies in landing is taken in first: a file that brought the account is removed whole, others' rows stay.
        land_files(settings, run_id, log)
        forget(settings, platform, account_id)
        also = names_at_sources(settings, platform, account_id)
        found = erasure.remove(settings, number, platform, account_id, also)
        day = _last_built_day(settings)
        gone = 0
        if day is not None:
            _publish_without(settings, run_id, day, held, log)
            gone = releases.remove_others(settings)
            _load_without(settings, log)
        erasure.finish(settings, number, found, gone)
    return found


def rebuild_ledger(settings: Settings, log: Callable[[str], None] = print) -> rebuild.Rebuilt:
    """Make a lost ledger anew from landing and raw; the next night builds and publishes all.

    Raises UsageError where it is not lost.
    """
    if ledger.how_lost(settings) is None:
        raise UsageError(f"{settings.ledger} is there: only a lost one is made anew")
    ledger.make_anew(settings)
    run_id = f"rebuild_ledger__{utc_now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
    with lease.hold(settings, run_id, "rebuild", log):
        # What was built stands on a state that nobody knows any more.
        integrity.remove_build(settings)
        return rebuild.rebuild_ledger(settings, run_id, log)


def _publish_without(settings: Settings, run_id: str, day: date, held: lease.Lease, log: Callable[[str], None]) -> None:
    """Build everything anew from raw: nothing of the private databases, artifacts and reports is kept."""
    integrity.remove_build(settings)
    spark.remove_rows(settings)
    others = [path for path in settings.build_db.parent.glob("*") if path != spark.home_of(settings)]
    for path in (*others, settings.reports):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    try:
        check_landing(settings, run_id, day, log)
        build_marts(settings, run_id, day, held, log)
        check_built(settings, run_id, day, held, log)
        publish_checked(settings, run_id, day, held, log)
    finally:
        build_report(settings, run_id, log, held)


def _load_without(settings: Settings, log: Callable[[str], None]) -> None:
    """Show the release in PostgreSQL and remove every other one there, or say that the erasure has not ended."""
    try:
        load_postgres(settings, log)
    except (ContractError, TargetUnavailable) as error:
        raise TargetUnavailable(f"the files hold the account no more, PostgreSQL may still hold it: {error}") from None


def _last_built_day(settings: Settings) -> date | None:
    """Day up to which marts were built, null before the first run."""
    with ledger.read(settings) as connection:
        last = ledger.last_built_day(connection)
    return date.fromisoformat(last) if last else None
