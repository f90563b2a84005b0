"""Killed at random instants, in whatever job: readers see a whole release, and the next run ends as if never killed."""

import os
import random

import pytest

from ingestion.config import Settings

from . import forks
from .chaos import JOBS, Chaos
from .two_days import Content, first

__all__ = ["first"]

pytestmark = pytest.mark.usefixtures("tiers_alone")

KILLS, SEED = int(os.environ.get("KILLS", 12)), int(os.environ.get("SEED", 1))


@pytest.fixture(scope="module")
def chaos(first: tuple[Settings, Content], forked: forks.Forks, tmp_path_factory: pytest.TempPathFactory) -> Chaos:
    return Chaos(first[0], tmp_path_factory.mktemp("chaos"), forked)


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_random(chaos: Chaos, number: int) -> None:
    # The kinds in turn, and the instants spread over each: chance chooses within a share of its own.
    job = list(JOBS)[number % len(JOBS)]
    at, rounds = number // len(JOBS), -(-KILLS // len(JOBS))
    print(chaos.kill(job, (at + random.Random(f"{SEED} {number}").random()) / rounds))
