"""Killed at any point: the last release stays whole, the next run ends in the same marts.

`docs/runbooks/crashes.md` lists each point with what is seen afterwards; a test holds that list to this one.
"""

import signal

import pytest

from ingestion.config import PROJECT_DIR, Settings

from . import forks, night
from .conftest import content
from .two_days import Content, first, is_mended, is_whole, untouched, world

__all__ = ["first", "untouched", "world"]

pytestmark = pytest.mark.usefixtures("accounts_alone")


@pytest.mark.parametrize("kill", list(night.KILLS))
def test_killed_then_run_again(
    kill: str, world: Settings, forked: forks.Forks, first: tuple[Settings, Content], untouched: Content
) -> None:
    assert forked.night(world, "second", 3, kill=kill) == -signal.SIGKILL, forks.log_of(world, "second").read_text()
    assert content(world) == (untouched if kill in night.PUBLISHED else first[1])
    is_whole(world)

    assert forked.night(world, "third", 3) == 0, forks.log_of(world, "third").read_text()
    is_mended(world, untouched)


def test_each_point_is_listed_with_its_result() -> None:
    listed = (PROJECT_DIR / "docs" / "runbooks" / "crashes.md").read_text(encoding="utf-8")
    for kill in night.KILLS:
        seen = "the new release" if kill in night.PUBLISHED else "the release before"
        assert f"| {kill} | {seen} |" in listed, kill
