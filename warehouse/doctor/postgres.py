"""The doctor in PostgreSQL: whether it can be reached, which release it shows, and what lies there that should not."""

from collections.abc import Iterator

from ingestion.config import Settings
from ingestion.errors import ContractError, TargetUnavailable
from warehouse.doctor.landing import Finding, counted, some
from warehouse.release import releases

LOAD = "groundswell postgres"


def check_postgres(settings: Settings) -> Iterator[Finding]:
    """The database of GROUNDSWELL_POSTGRES_URL against the release that readers of the file see; nothing is changed."""
    if settings.postgres_url is None:
        return
    from serving.postgres import look, schema_of

    try:
        found = look(settings)
    except (ContractError, TargetUnavailable) as error:
        yield Finding("WRONG", "postgres", "it cannot be asked", (str(error),), f"mend that; then: {LOAD}")
        return
    seen = releases.latest(settings)
    if seen is None:
        yield Finding("note", "postgres", "reached; there is no release to show yet", (), "make nightly")
        return
    if found.shown == seen.name:
        yield Finding("ok", "postgres", f"it shows {seen.name}, as the file does")
    else:
        yield Finding(
            "WRONG", "postgres", f"it shows {found.shown or 'no release'}, the file shows {seen.name}", (), LOAD
        )
    kept = {schema_of(path.name) for path in releases.whole(settings)}
    left = [schema for schema, is_whole in found.schemas.items() if schema not in kept or not is_whole]
    if left:
        yield Finding(
            "WRONG", "postgres", f"{counted(len(left), 'schema')} of releases that are gone, or not whole", some(left),
            f"an erasure may not have ended; a load that is under way has one that is not whole. Then: {LOAD}",
        )  # fmt: skip
    if not found.has_role:
        role = settings.postgres_read_role
        yield Finding(
            "note", "postgres", f"there is no role {role}, so only the loading role can read", (),
            f"as a superuser: create role {role} nologin; then: {LOAD}",
        )  # fmt: skip
