"""The steps that need two rooms at once, without Airflow: the DAGs call them, and so does a run by hand."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from ingestion.config import Settings
from ingestion.lease import Lease

if TYPE_CHECKING:
    from warehouse.release.publish import Published


def check_built(
    settings: Settings,
    run_id: str,
    day: date,
    lease: Lease,
    say: Callable[[str], None] = print,
    only_if_rebuilt: bool = False,
) -> str:
    """Check the marts of this run; a run that was overtaken is built again first, or ends as superseded.

    Returns built, rebuilt, unchanged or superseded. Raises ContractError when a critical check fails.
    """
    from expectations.run import check_marts
    from warehouse.build.run import ensure_built

    status = ensure_built(settings, run_id, lease, say).status
    if status == "rebuilt" or (status == "built" and not only_if_rebuilt):
        check_marts(settings, run_id, day, say)
    return status


def publish_checked(
    settings: Settings, run_id: str, day: date, lease: Lease, say: Callable[[str], None] = print
) -> "Published | None":
    """Publish what was checked, null when a later run has released it; what was built again is checked again.

    A private database that proves damaged while it is copied is built from raw once more.
    """
    from warehouse.integrity import DamagedBuild
    from warehouse.release.publish import publish_release

    # Overtaken since the check: what was built again must be checked again.
    if check_built(settings, run_id, day, lease, say, only_if_rebuilt=True) == "superseded":
        return None
    try:
        return publish_release(settings, run_id, lease, say)
    except DamagedBuild as damage:
        say(f"{damage}: all is built again from raw")
    check_built(settings, run_id, day, lease, say, only_if_rebuilt=True)
    return publish_release(settings, run_id, lease, say)
