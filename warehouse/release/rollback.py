"""`make releases` lists what is kept; `make rollback TO=` shows readers an earlier one until the next run publishes."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb

from ingestion import lease, ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.errors import ContractError, UsageError
from warehouse.release import releases


def list_releases(settings: Settings) -> list[str]:
    """A line per release that is kept, the newest first; the one that readers see is marked."""
    seen = releases.latest(settings)
    kept = releases.whole(settings)[::-1]
    if not kept:
        return ["no release yet: run `make nightly`"]
    lines = [f"  {'release':<24} {'published (UTC)':<19}  {'day':<10}  {'rows':>12} {'MB':>8}  run"]
    for release in kept:
        note = releases.read_note(release)
        rows = sum(held["row_count"] for held in note["marts"].values())
        size = (release / releases.DATABASE).stat().st_size / 1e6
        lines.append(
            f"{'>' if release == seen else ' '} {release.name:<24} {note['published_at'][:19]:<19}  {note['day']:<10}"
            f"  {rows:>12,} {size:>8,.1f}  {note['run_id']}"
        )
    lines.append(f"> is what readers see; {settings.keep_releases} are kept (GROUNDSWELL_KEEP_RELEASES)")
    with ledger.read(settings) as connection:
        for row in ledger.latest_rollbacks(connection, 5):
            way = f"from {row['from_release']} to {row['to_release']}"
            lines.append(f"rolled back {row['rolled_back_at'][:19]} {way}: {row['why']}")
    return lines


def roll_back(settings: Settings, release_id: str, why: str, log: Callable[[str], None] = print) -> list[str]:
    """Show readers an earlier release; returns the dates that the next run builds again.

    The link and state change in one transaction, under the writer's lease. Raises ContractError when the release is
    not kept, not whole or seen already, and names those that are there.
    """
    with lease.hold(settings, f"rollback__{release_id}", "rollback", log) as held:
        releases.reconcile(settings, log)
        target = releases.folder_of(settings) / release_id
        seen = releases.latest(settings)
        kept = [path.name for path in releases.whole(settings)]
        if release_id not in kept:
            raise UsageError(f"no release {release_id!r} is kept; there are: {', '.join(kept) or 'none'}")
        if seen == target:
            raise UsageError(f"readers see {release_id} already")
        _require_whole(target)
        releases.move_stray_logs(settings, log)
        with ledger.write(settings) as connection:
            held.check(connection)
            days = releases.record_rollback(connection, settings, release_id, why)
            releases.point_readers_to(settings, release_id)
    return days


def _require_whole(release: Path) -> None:
    """Open a release as a reader would and count. Raises ContractError where it is not what its note says."""
    marts = releases.read_note(release)["marts"]
    try:
        with closing(duckdb.connect(str(release / releases.DATABASE), read_only=True, config=DUCKDB_CONFIG)) as reader:
            held = {mart: reader.execute(f"select count(*) from marts.{mart}").fetchone() for mart in marts}
    except duckdb.Error as error:
        raise ContractError(f"release {release.name} cannot be read: {str(error).splitlines()[0]}") from error
    wrong = [mart for mart, row in held.items() if row != (marts[mart]["row_count"],)]
    if wrong:
        raise ContractError(
            f"release {release.name} is not whole: {', '.join(wrong)} hold other rows than its note says"
        )
