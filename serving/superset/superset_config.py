"""Settings of Superset, which imports this module by its name: what it reads, what it keeps, and for how long.

Runs in Superset's environment. `groundswell bi` hands on `BI_HOME` (its own database), `BI_PUBLISHED` (the releases)
or `BI_POSTGRES_URL`, and `BI_SECRET_KEY_FILE`.
"""

import os
from pathlib import Path
from typing import Any

from flask import g, has_request_context
from flask_caching.backends.simplecache import SimpleCache
from groundswell_release import DUCKDB_CONNECTION, NEWEST, Newest, file_of, release_folder
from sqlalchemy.engine import make_url
from superset.utils.log import AbstractEventLogger

_HOME = Path(os.environ["BI_HOME"])
_PUBLISHED = Path(os.environ["BI_PUBLISHED"])
_POSTGRES = os.environ.get("BI_POSTGRES_URL") or None

APP_NAME = "Groundswell"
SECRET_KEY = Path(os.environ["BI_SECRET_KEY_FILE"]).read_text(encoding="utf-8")
SQLALCHEMY_DATABASE_URI = f"sqlite:///{_HOME / 'superset.db'}?timeout=30"
SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {}
RATELIMIT_STORAGE_URI = "memory://"
LANGUAGES: dict[str, Any] = {}
TALISMAN_ENABLED = True
# A page loads nothing from another server, Superset's counter of visits among it.
TALISMAN_CONFIG: dict[str, Any] = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'none'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
SESSION_COOKIE_SAMESITE = "Lax"
SUPERSET_WEBSERVER_TIMEOUT = 120
ROW_LIMIT = 10_000
# An open dashboard asks again by itself; that is answered from the cache until a release is published.
DASHBOARD_AUTO_REFRESH_MODE = "fetch"


def _ask_postgres() -> str:
    import psycopg2

    url = make_url(_POSTGRES).set(drivername="postgresql")
    connection = psycopg2.connect(url.render_as_string(hide_password=False), connect_timeout=10)
    try:
        with connection.cursor() as cursor:
            cursor.execute(NEWEST)
            row = cursor.fetchone()
            return str(row[0]) if row else ""
    finally:
        connection.close()


_newest = Newest(_ask_postgres)


def _release() -> Path | str:
    """The release of this request: the same one for its cache and all its queries, also when another is published."""
    found: Path | str
    if has_request_context() and "groundswell_release" in g:
        found = g.groundswell_release
        return found
    found = _newest() if _POSTGRES else release_folder(_PUBLISHED)
    if has_request_context():
        g.groundswell_release = found
    return found


def DB_CONNECTION_MUTATOR(uri: Any, params: dict[str, Any], *_: Any) -> tuple[Any, dict[str, Any]]:
    """Read the release of this request, whatever address the database has in Superset."""
    if _POSTGRES:
        return make_url(_POSTGRES).set(drivername="postgresql+psycopg2"), params
    release = _release()
    assert isinstance(release, Path)
    return make_url(file_of(release)), {**params, "connect_args": dict(DUCKDB_CONNECTION)}


class ReleaseCache(SimpleCache):  # type: ignore[misc]
    """Answers in memory, each under the release that it is of; nothing of the data is kept on disk."""

    def _under(self, key: str) -> str:
        release = _release()
        return f"{release.name if isinstance(release, Path) else release}:{key}"

    def get(self, key: str) -> Any:
        """What is kept of this release."""
        return super().get(self._under(key))

    def set(self, key: str, value: Any, timeout: int | None = None) -> Any:
        """Keep an answer of this release."""
        return super().set(self._under(key), value, timeout=timeout)

    def add(self, key: str, value: Any, timeout: int | None = None) -> Any:
        """Keep an answer of this release, unless one is kept."""
        return super().add(self._under(key), value, timeout=timeout)

    def delete(self, key: str) -> Any:
        """Forget an answer of this release."""
        return super().delete(self._under(key))

    def has(self, key: str) -> Any:
        """Whether an answer of this release is kept."""
        return super().has(self._under(key))


_HOUR = 3600
_IN_MEMORY = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 24 * _HOUR, "CACHE_THRESHOLD": 5000}
_OF_RELEASE = {"CACHE_TYPE": "superset_config.ReleaseCache", "CACHE_DEFAULT_TIMEOUT": _HOUR, "CACHE_THRESHOLD": 1000}
CACHE_CONFIG = _OF_RELEASE
DATA_CACHE_CONFIG = _OF_RELEASE
# What a reader filtered by may name an account: it is not kept on disk either.
FILTER_STATE_CACHE_CONFIG = dict(_IN_MEMORY)
EXPLORE_FORM_DATA_CACHE_CONFIG = dict(_IN_MEMORY)


class _Silent(AbstractEventLogger):  # type: ignore[misc]
    """Writes no log of what a reader looked at."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Nothing."""


EVENT_LOGGER = _Silent()
