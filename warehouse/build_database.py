"""The private databases, as those see them who build and those who publish."""

from contextlib import closing

import duckdb

from ingestion.config import DUCKDB_CONFIG, Settings


def current_run(settings: Settings) -> str | None:
    """Id of the run that the build database was last built for, null where there is none."""
    if not settings.build_db.exists() or not settings.marts_db.exists():
        return None
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=DUCKDB_CONFIG)) as build:
        try:
            row = build.execute("select run_id from meta.run").fetchone()
        except duckdb.CatalogException:
            return None
    return row[0] if row else None


def marts_of(settings: Settings) -> list[str]:
    """Names of the marts in the private marts file, in order."""
    with closing(duckdb.connect(str(settings.marts_db), read_only=True, config=DUCKDB_CONFIG)) as marts:
        rows = marts.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
        ).fetchall()
    return [row[0] for row in rows]
