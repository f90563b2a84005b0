"""The integer program: which accounts to take. Exact, and what it says is checked again in whole numbers."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from serving.shortlist.ask import Ask, ShortlistError
from serving.shortlist.candidates import BIG, World

# Few candidates are solved to the last cent; of more, a list within a hundredth of a per cent of the best is good enough:
# 10,000 candidates took 2 to 8 s that way on two cores (2026-11), and to the last cent up to minutes.
SMALL = 200
GAP = 1e-4
TIME_LIMIT_SECONDS = 45.0
# Sums are scaled to this, so that the solver's tolerance of 10^-6 is far below one follower or cent in a million.
SCALE = 1000.0


@dataclass(frozen=True)
class Limits:
    """Limits on a list as whole numbers, null for none: `target` in the measure, `budget` in cents."""

    target: int | None = None
    budget: int | None = None
    max_creators: int | None = None
    iceberg: Decimal | None = None


@dataclass(frozen=True)
class Solved:
    """A list and how good it is proven to be.

    Args:
        chosen: places of its accounts in the world, ascending.
        value: what was made small or large, in its own unit.
        bound: no list can be better than this.
        is_cut_short: the time limit ended the search, so another machine may find a better list.
    """

    chosen: Any
    value: int
    bound: int
    is_cut_short: bool

    @property
    def gap(self) -> float:
        """How far the list may be from the best, as a share of its own value; 0 where it is proven the best."""
        return abs(self.value - self.bound) / max(abs(self.value), 1)


def limits_of(ask: Ask) -> Limits:
    """The limits of an ask on sums and numbers."""
    budget = int(ask.budget * 100) if ask.budget is not None else None
    return Limits(ask.target, budget, ask.max_creators, ask.iceberg)


def solve(world: World, places: Any, measure: str, goal: str, limits: Limits) -> Solved | None:
    """The best list among the accounts at `places`, null when there is none.

    Args:
        measure: column that `limits.target` is of.
        goal: `price_cents` or `creators` are made as small, any other column as large as can be.
    """
    problem = _Problem(world, places, measure, goal, limits)
    if not len(places) or not problem.can_be_met():
        return None
    return problem.solve(limits.target or 0) or problem.solve((limits.target or 0) + problem.slack)


@contextmanager
def _silenced() -> Iterator[None]:
    """Let nothing be printed by the solver, which writes some lines past Python whatever it is told."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class _Problem:
    """Columns are one per account, then one per person with several accounts."""

    def __init__(self, world: World, places: Any, measure: str, goal: str, limits: Limits) -> None:
        accounts = world.accounts
        self.places, self.goal, self.limits = places, goal, limits
        self.value = accounts[measure].to_numpy()[places].astype(np.int64)
        self.price = accounts["price_cents"].to_numpy()[places].astype(np.int64)
        self.is_big = accounts["followers"].to_numpy()[places].astype(np.int64) >= BIG
        creators = accounts["creator"].to_numpy()[places]
        numbers, of_account, sizes = np.unique(creators, return_inverse=True, return_counts=True)
        self.creators = of_account
        self.person = np.cumsum(sizes > 1) - 1
        self.is_shared = (sizes > 1)[of_account]
        self.people = int((sizes > 1).sum())
        self.n = len(places)
        self.gain = None if goal in ("price_cents", "creators") else accounts[goal].to_numpy()[places].astype(np.int64)
        # What rounding a solution of the solver's tolerance may take from the sum of the measure.
        self.slack = max((limits.target or 0) // 1_000_000, 1)

    def can_be_met(self) -> bool:
        """Whether everybody together reaches the target, and there is a big name where one is asked for."""
        return int(self.value.sum()) >= (self.limits.target or 0) and (
            self.limits.iceberg is None or bool(self.is_big.any())
        )

    def costs(self) -> Any:
        """What is to be small, one number a column."""
        own = self.price if self.goal == "price_cents" else ~self.is_shared if self.gain is None else -self.gain
        of_people = np.full(self.people, 1.0 if self.goal == "creators" else 0.0)
        return np.concatenate([np.asarray(own, float), of_people])

    def rows(self, target: int) -> list[Any]:
        """Constraints of the list."""
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        nobody = np.zeros(self.people)
        found = []

        def row(own: Any, of_people: Any, low: float, high: float) -> None:
            found.append(LinearConstraint(np.concatenate([np.asarray(own, float), of_people])[None, :], low, high))

        if target:
            # Nobody brings more than is asked for: the same lists, and a tighter program.
            row(np.minimum(self.value, target) * (SCALE / target), nobody, SCALE, np.inf)
        if self.limits.budget is not None:
            row(self.price * (SCALE / self.limits.budget), nobody, -np.inf, SCALE)
        if self.limits.max_creators is not None:
            row(~self.is_shared, np.ones(self.people), -np.inf, self.limits.max_creators)
        if self.limits.iceberg is not None:
            row(self.is_big, nobody, 1, 1)
            share = float(self.limits.iceberg)
            prices = self.price * (SCALE / max(int(self.price.max()), 1))
            row(np.where(self.is_big, (1 - share) * prices, -share * prices), nobody, -np.inf, 0)
        shared = np.flatnonzero(self.is_shared)
        if len(shared):
            # Whoever has an account on the list is on it.
            at = np.arange(len(shared))
            person = self.n + self.person[self.creators[shared]]
            links = csr_array(
                (np.concatenate([np.ones(len(shared)), -np.ones(len(shared))]),
                 (np.concatenate([at, at]), np.concatenate([shared, person]))),
                shape=(len(shared), self.n + self.people),
            )  # fmt: skip
            found.append(LinearConstraint(links, -np.inf, 0))
        return found

    def solve(self, target: int) -> Solved | None:
        """The list; null when there is none, or rounding has broken a limit."""
        from scipy.optimize import Bounds, milp

        costs = self.costs()
        scale = max(float(np.abs(costs).max()), 1.0) / SCALE
        with _silenced():
            result = milp(
                costs / scale,
                integrality=np.ones(len(costs)),
                bounds=Bounds(0, 1),
                constraints=self.rows(target),
                options={"mip_rel_gap": 0.0 if self.n <= SMALL else GAP, "time_limit": TIME_LIMIT_SECONDS},
            )
        if result.x is None:
            if result.status == 2:
                return None
            raise ShortlistError(f"the solver found no list within {TIME_LIMIT_SECONDS:.0f} s; ask for less")
        taken = np.flatnonzero(result.x[: self.n] > 0.5)
        if not self.keeps(taken):
            return None
        value = self.worth(taken)
        # Values are whole numbers, so the best one is at least the next whole number above the bound.
        low = int(np.ceil(result.mip_dual_bound * scale - 1e-4))
        bound = min(low, value) if self.gain is None else max(-low, value)
        return Solved(self.places[taken], value, bound, result.status == 1)

    def keeps(self, taken: Any) -> bool:
        """Whether accounts keep every limit, in whole numbers."""
        price, limits = int(self.price[taken].sum()), self.limits
        big = taken[self.is_big[taken]]
        return (
            int(self.value[taken].sum()) >= (limits.target or 0)
            and (limits.budget is None or price <= limits.budget)
            and (limits.max_creators is None or len(np.unique(self.creators[taken])) <= limits.max_creators)
            and (limits.iceberg is None or (len(big) == 1 and int(self.price[big].sum()) <= limits.iceberg * price))
        )

    def worth(self, taken: Any) -> int:
        """What the list is worth by its goal."""
        if self.goal == "creators":
            return len(np.unique(self.creators[taken]))
        return int((self.price if self.gain is None else self.gain)[taken].sum())
