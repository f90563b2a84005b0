"""`make erase PLATFORM= ACCOUNT=`: one account leaves everything that is kept, and stays out.

Runbook: docs/runbooks/erase.md. Safe to run again: after a crash, or when a gate was closed, that is what to do.
"""

import argparse
import shutil
import sys
import uuid
from collections.abc import Callable
from datetime import date

from ingestion import erasure, lease, ledger
from ingestion.config import Settings, get_settings, utc_now
from ingestion.errors import ContractError, LeaseLost
from warehouse import integrity
from warehouse.build import run as build
from warehouse.pipeline import check_built, publish_checked
from warehouse.release import releases


def erase(settings: Settings, platform: str, account_id: str, say: Callable[[str], None] = print) -> erasure.Erased:
    """Remove the account, build and publish all marts without it, and remove every other release.

    Raises ContractError when a gate is closed (readers then still see the release before), LeaseLost while another
    writer works.
    """
    from ingestion.landing import land_files

    run_id = f"erase__{utc_now():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:4]}"
    with lease.hold(settings, run_id, "erase", say) as held:
        number = erasure.begin(settings, platform, account_id)
        # What lies in landing is taken in first: a file that brought the account is removed whole, others' rows stay.
        land_files(settings, run_id, say)
        found = erasure.remove(settings, number, platform, account_id)
        day = _last_built_day(settings)
        gone = 0
        if day is not None:
            _publish_without(settings, run_id, day, held, say)
            gone = releases.remove_others(settings)
        erasure.finish(settings, number, found, gone)
    return found


def _publish_without(settings: Settings, run_id: str, day: date, held: lease.Lease, say: Callable[[str], None]) -> None:
    """Build everything anew from raw: nothing of the private databases, artifacts and reports is kept."""
    from expectations.run import check_landing
    from serving.report.build import build_report

    integrity.remove_build(settings)
    for folder in (settings.build_db.parent, settings.reports):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        check_landing(settings, run_id, day, say)
        build.build_marts(settings, run_id, day, held, say)
        check_built(settings, run_id, day, held, say)
        publish_checked(settings, run_id, day, held, say)
    finally:
        build_report(settings, run_id, say)


def _last_built_day(settings: Settings) -> date | None:
    """Day up to which marts were built, null before the first run."""
    with ledger.read(settings) as connection:
        cap = connection.execute("select max(cap) from plans where state <> 'unchanged'").fetchone()[0]
    return date.fromisoformat(cap) if cap else None


def main() -> int:
    """Exit code 0 when nothing of the account is left, 1 when it is not finished, 2 without an account."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("platform")
    parser.add_argument("account")
    given = parser.parse_args()
    if not given.platform or not given.account:
        print("name both: make erase PLATFORM=youtube ACCOUNT=<account_id>")
        return 2
    try:
        found = erase(get_settings(), given.platform, given.account, lambda _: None)
    except (ContractError, LeaseLost) as error:
        print(f"{error}\nNOT FINISHED: readers still see the release before; mend this and run `make erase` again")
        return 1
    print(
        f"erased: {found.raw_rows} rows of raw, {found.quarantined_rows} quarantined rows, {found.files} files;"
        " all marts were built again without the account, and every older release is gone"
    )
    if found.waiting:
        print("still in landing, not yet taken in, and kept out when they are: " + ", ".join(found.waiting))
    return 0


if __name__ == "__main__":
    sys.exit(main())
