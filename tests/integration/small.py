"""Small worlds, nights of them in this process with one reading of the dbt project, and what the marts hold."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from warehouse.build import dbt, manifest

from .conftest import content, make_settings

HEADER = "platform,account_id,captured_at,followers,following,posts,views_total,handle"
FIRST = date(2026, 1, 1)


def day(number: int) -> date:
    """The day of this number, the first being 2026-01-01."""
    return FIRST + timedelta(days=number - 1)


@dataclass(frozen=True)
class Capture:
    """One row of a file: counts of an account at an hour of a day; null is an empty cell."""

    account: str
    day: int
    hour: int = 3
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    views: int | None = None
    handle: str | None = None
    platform: str = "youtube"

    @property
    def line(self) -> str:
        cells = (
            self.platform, self.account, f"{day(self.day)}T{self.hour:02d}:00:00Z", self.followers, self.following,
            self.posts, self.views, self.handle,
        )  # fmt: skip
        return ",".join("" if cell is None else str(cell) for cell in cells)


def deliver(settings: Settings, name: str, rows: Iterable[Capture], as_of: date | None = None) -> Path:
    """A file in landing. Its name carries a time, so that every world has the same `as_of`, whenever it is written."""
    folder = settings.landing / "account_snapshots"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}_{as_of or FIRST}.csv"
    file.write_text("\n".join([HEADER, *(row.line for row in rows)]) + "\n", encoding="utf-8")
    return file


def world(folder: Path, name: str) -> Settings:
    """An empty warehouse."""
    return make_settings(folder / name)


def copy_of(settings: Settings, folder: Path) -> Settings:
    """A warehouse with the same content, free to break."""
    shutil.copytree(settings.data, folder / settings.data.name, symlinks=True)
    return make_settings(folder / settings.data.name)


# Feeds other than the snapshots, and domains of which no mart of the snapshots is made.
OTHER_FEEDS = (
    "campaigns", "collaboration_posts", "contest_entries", "costs", "fx_rates", "link_clicks", "mentions", "orders", "rate_cards", "refunds", "touches",
)  # fmt: skip
OTHER_DOMAINS = ("advocacy", "claim", "commission", "equivalence", "social")


def read_project(settings: Settings, only_accounts: bool = False) -> Any:
    """The manifest of a dbt project, read by dbt once in this process, and a copy of its own for each caller.

    Args:
        only_accounts: leave out what depends on other feeds than the snapshots, which would stay empty.
    """
    stats = [(path, path.stat().st_mtime_ns) for path in sorted(dbt.DBT_PROJECT.rglob("*.*")) if path.is_file()]
    project = (dbt.DBT_PROJECT, hash(tuple(stats)), only_accounts)
    if project not in READ:
        if only_accounts:
            READ[project] = read_project(settings)
            manifest.leave_out(READ[project], _of_other_feeds(READ[project]))
        else:
            with dbt.dbt_environment(settings):
                READ[project] = really_parse(settings)
    return READ[project].deepcopy()


def read_accounts(settings: Settings) -> Any:
    """The manifest of the nodes that a world of snapshots alone builds."""
    return read_project(settings, only_accounts=True)


def _of_other_feeds(project: Any) -> set[str]:
    """Unique ids of the nodes that other feeds and domains make, and of all that depends on one of them."""
    others = {f"stg_landing__{feed}" for feed in OTHER_FEEDS}
    left_out = {
        unique_id
        for unique_id, node in project.nodes.items()
        if node.name in others or (node.fqn[1] == "intermediate" and node.fqn[2] in OTHER_DOMAINS)
    }
    found = True
    while found:
        found = {
            unique_id
            for unique_id, node in project.nodes.items()
            if unique_id not in left_out and left_out.intersection(getattr(node.depends_on, "nodes", []))
        }
        left_out |= found
    return left_out


really_parse = manifest.parse
# By folder, by its files as they stand, and by whether it is whole.
READ: dict[tuple[Path, int, bool], Any] = {}


@contextmanager
def read_once(only_accounts: bool = False) -> Iterator[None]:
    """Let every night of this process read a dbt project from one copy in memory: seconds each saved."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest, "parse", read_accounts if only_accounts else read_project)
        yield


def hashes(settings: Settings) -> str:
    """Rows and hash of each mart, a line each, for people who compare worlds."""
    return "\n".join(f"{mart:<28} {rows:>6} {digest}" for mart, (rows, digest) in content(settings).items())
