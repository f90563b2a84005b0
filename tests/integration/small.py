"""Small worlds, nights of them in this process with one reading of the dbt project, and what the marts hold."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from warehouse.build import data_tests, dbt, known_models, manifest

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


# Marts, and what a gate reads, that do for a world in which it matters that a night ends well, not what it says.
OF_TIERS = (
    "dim_account", "dim_account_tier_history", "dim_tier", "dim_tier_scheme", "fct_account_daily", "fct_account_tier_daily",
    "fct_capture_daily", "fct_landed_file", "fct_publication", "fct_quality_result", "fct_tier_graduation",
    "stg_landing__withdrawing_deliveries",
)  # fmt: skip
# Marts of which worlds of snapshots alone tell, of accounts and of posts; what is made of other feeds would stay empty.
OF_SNAPSHOTS = (
    "dim_er_benchmark", "fct_account_benchmark_daily", "fct_account_engagement_daily", "fct_follower_arrival",
    "fct_follower_flag", "fct_follower_trust_daily", "fct_post_daily", "fct_tier_benchmark_daily",
)  # fmt: skip
# Marts of what a campaign, a collaboration and a tier cost and returned, and of who is spoken of.
OF_MONEY = (
    "dim_brand", "dim_campaign", "dim_collaboration", "dim_collaboration_version", "fct_attribution", "fct_campaign_roi",
    "fct_click_daily", "fct_collaboration_roi", "fct_commerce_issue", "fct_commission_ledger", "fct_order",
    "fct_payout_statement", "fct_promo_code_daily", "fct_return_daily", "fct_share_of_voice_daily", "fct_spend_ledger",
    "fct_tier_roi",
)  # fmt: skip


def read_project(settings: Settings, left_out: Callable[[Any], set[str]] | None = None) -> Any:
    """The manifest of a dbt project, read by dbt once in this process, and a copy of its own for each caller.

    Args:
        left_out: unique ids of the nodes that a world does without.
    """
    stats = [(path, path.stat().st_mtime_ns) for path in sorted(dbt.DBT_PROJECT.rglob("*.*")) if path.is_file()]
    project = (dbt.DBT_PROJECT, hash(tuple(stats)), left_out)
    if project not in READ:
        if left_out:
            READ[project] = read_project(settings)
            manifest.leave_out(READ[project], left_out(READ[project]))
        else:
            with dbt.dbt_environment(settings):
                READ[project] = really_parse(settings)
                # Tests are compiled once as well: each caller's copy holds their SQL.
                for name, sql in data_tests.compile_tests(READ[project], settings).items():
                    READ[project].nodes[name].compiled_code = sql
    return READ[project].deepcopy()


def read_accounts(settings: Settings) -> Any:
    """The manifest of what snapshots alone tell: counts, tiers, engagement and trust."""
    return read_marts(*OF_TIERS, *OF_SNAPSHOTS)(settings)


def read_tiers(settings: Settings) -> Any:
    """The manifest of daily counts and tiers, a seventh of the nodes of the whole project."""
    return read_marts(*OF_TIERS)(settings)


def read_marts(*marts: str) -> Callable[[Settings], Any]:
    """Reads the manifest of some marts, and of what they are made of."""
    return partial(read_project, left_out=AllBut(marts))


@dataclass(frozen=True)
class AllBut:
    """Unique ids of the models and seeds that none of these marts is made of, and of all that depends on one."""

    marts: tuple[str, ...]

    def __call__(self, project: Any) -> set[str]:
        kept = fresh = {unique_id for unique_id, node in project.nodes.items() if node.name in self.marts}
        while fresh:
            parents = {parent for one in fresh for parent in getattr(project.nodes[one].depends_on, "nodes", [])}
            fresh = parents & set(project.nodes) - kept
            kept = kept | fresh
        return _with_all_made_of(
            project, {name for name, node in project.nodes.items() if name not in kept and node.resource_type != "test"}
        )


def _with_all_made_of(project: Any, left_out: set[str]) -> set[str]:
    found = True
    while found:
        found = {
            unique_id
            for unique_id, node in project.nodes.items()
            if unique_id not in left_out and left_out.intersection(getattr(node.depends_on, "nodes", []))
        }
        left_out |= found
    return left_out


really_parse, really_load = manifest.parse, known_models.load
# By folder, by its files as they stand, and by what is left out.
READ: dict[tuple[Path, int, Callable[[Any], set[str]] | None], Any] = {}


@contextmanager
def read_once(parse: Callable[[Settings], Any] = read_project) -> Iterator[None]:
    """Let every night of this process read a dbt project from one copy in memory: seconds each saved.

    Args:
        parse: `read_accounts`, `read_tiers` or `read_marts(...)` for worlds that do without the other nodes.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(manifest, "parse", parse)
        patched.setattr(known_models, "load", lambda *_: None)
        yield


def hashes(settings: Settings) -> str:
    """Rows and hash of each mart, a line each, for people who compare worlds."""
    return "\n".join(f"{mart:<28} {rows:>6} {digest}" for mart, (rows, digest) in content(settings).items())
