"""Killed at any point: the last release stays whole, the next run ends in the same marts.

`docs/runbooks/crashes.md` lists each point with what is seen afterwards; a test holds that list to this one.
"""

import shutil
import signal
from collections.abc import Callable

import pytest

from ingestion.config import PROJECT_DIR, Settings

from . import forks, night, small
from .conftest import content
from .two_days import Content, first, is_mended, is_whole, later_files, untouched

__all__ = ["first", "untouched"]

pytestmark = pytest.mark.usefixtures("tiers_alone")

STEPS = tuple(night.STEPS)


@pytest.fixture(scope="module")
def before(
    first: tuple[Settings, Content], forked: forks.Forks, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Settings]:
    """Puts the third day's night back to where it stood before a step. It is made once, a process for each step."""
    world, kept = small.copy_of(first[0], tmp_path_factory.mktemp("crash")), tmp_path_factory.mktemp("kept")
    later_files(world)
    for step in STEPS:
        shutil.copytree(world.data, kept / step, symlinks=True)
        assert forked.night(world, "second", 3, steps=[step]) == 0, forks.log_of(world, "second").read_text()

    def put_back(step: str) -> Settings:
        shutil.rmtree(world.data)
        shutil.copytree(kept / step, world.data, symlinks=True)
        return world

    return put_back


@pytest.mark.parametrize("kill", list(night.KILLS))
def test_killed_then_run_again(
    kill: str,
    before: Callable[[str], Settings],
    forked: forks.Forks,
    first: tuple[Settings, Content],
    untouched: Content,
) -> None:
    """A night ends in the step that is killed; it stands where the steps before it, each a process, have left it."""
    step = night.step_of(kill)
    world = before(step)
    killed = forked.night(world, "second", 3, steps=STEPS[STEPS.index(step) :], kill=kill)
    assert killed == -signal.SIGKILL, forks.log_of(world, "second").read_text()
    assert content(world) == (untouched if kill in night.PUBLISHED else first[1])
    is_whole(world)

    assert forked.night(world, "third", 3) == 0, forks.log_of(world, "third").read_text()
    is_mended(world, untouched)


def test_each_point_is_listed_with_its_result() -> None:
    listed = (PROJECT_DIR / "docs" / "runbooks" / "crashes.md").read_text(encoding="utf-8")
    for kill in night.KILLS:
        seen = "the new release" if kill in night.PUBLISHED else "the release before"
        assert f"| {kill} | {seen} |" in listed, kill
