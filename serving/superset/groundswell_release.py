"""Which release Superset reads: the folder that `published/latest` leads to, or what PostgreSQL's views show.

Runs in Superset's environment and imports nothing of ours.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATABASE = "groundswell.duckdb"
# No file is read or written beside the release, nothing is fetched, and no query sets that anew.
DUCKDB_CONNECTION: dict[str, Any] = {
    "read_only": True,
    "config": {"enable_external_access": False, "autoinstall_known_extensions": False, "lock_configuration": True},
}
# What PostgreSQL shows is asked for again after so many seconds.
ASK_AGAIN_SECONDS = 10.0
NEWEST = "select release_id from marts.fct_publication order by published_at desc, release_id desc limit 1"


class NoRelease(Exception):
    """Nothing is published yet."""


def release_folder(published: Path) -> Path:
    """The folder of the release that readers see, not the link to it. Raises NoRelease before the first.

    DuckDB keeps one database per path within a process while any connection to it lives, so a query through the link
    could be answered by the release before. By its own path each release is a database of its own.
    """
    try:
        folder = (published / "latest").resolve(strict=True)
    except OSError as error:
        raise NoRelease(f"nothing is published under {published}: run `make nightly` first") from error
    if not (folder / DATABASE).is_file():
        raise NoRelease(f"the release {folder.name} has no {DATABASE}: run `make doctor`")
    return folder


def file_of(release: Path) -> str:
    """Address of a release's file, as SQLAlchemy writes it."""
    return f"duckdb:///{release / DATABASE}"


class Newest:
    """The id of the release that PostgreSQL shows, asked for at most every few seconds."""

    def __init__(self, ask: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._known: tuple[float, str] | None = None

    def __call__(self) -> str:
        """The id, at most `ASK_AGAIN_SECONDS` old."""
        now = self._clock()
        if self._known is None or now - self._known[0] >= ASK_AGAIN_SECONDS:
            self._known = (now, self._ask())
        return self._known[1]
