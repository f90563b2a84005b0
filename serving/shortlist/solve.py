"""The integer program: which accounts to take. Exact, and what it says is checked again in whole numbers.

Of 10,000 candidates most cannot be in the best list. The linear relaxation tells what each would cost it at least (its
reduced cost); a good list from the few that cost least bounds the best one; whoever costs more than lies between the
two is left out for good, which loses nothing, and the rest is solved to the end.
"""

import heapq
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from serving.shortlist.ask import Ask, ShortlistError
from serving.shortlist.candidates import World

# People of the first, small program.
CORE = 400
# Where more than these are left to be decided, a list within this share of the best is good enough.
MANY, GAP = 2_000, 1e-4
TIME_LIMIT_SECONDS = 40.0
# The small program need not be solved to the end.
CORE_SECONDS, CORE_GAP = 5.0, 1e-4
# Sums are scaled to this, so that the solver's tolerance of 10^-6 is one in 10^9 of the target or the budget.
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
    places = _without_dominated(world, places, measure, goal, limits)
    problem = _Problem(world, places, measure, goal, limits)
    if not len(places) or not problem.can_be_met():
        return None
    # What rounding may take from the sum, within the solver's tolerance, is asked for on top the second time.
    target = limits.target or 0
    return problem.best(target) or problem.best(target + target // 10**8 + 1)


def _without_dominated(world: World, places: Any, measure: str, goal: str, limits: Limits) -> Any:
    """Places without the people that no list of at most so many creators needs.

    Where as many others as a list may hold each cost no more and bring no less, one of them is not on the list and can
    take the place. People with several accounts count as what all of these bring for the price of the cheapest, and
    stand in for nobody. With a big name's share a cheaper list may break it, so there all stay.
    """
    most = limits.max_creators
    if most is None or limits.iceberg is not None or goal not in ("price_cents", measure):
        return places
    people = world.accounts.iloc[places].groupby("creator", sort=True).agg(
        price=("price_cents", "min"), value=(measure, "sum"), accounts=(measure, "size")
    )  # fmt: skip
    best: list[int] = []
    needed = set()
    for creator, _, value, accounts in sorted(people.itertuples(name=None), key=lambda row: (row[1], -row[2], row[0])):
        brings = min(int(value), limits.target) if limits.target and goal == "price_cents" else int(value)
        if len(best) == most and best[0] >= brings:
            continue
        needed.add(creator)
        if accounts == 1:
            (heapq.heappush if len(best) < most else heapq.heappushpop)(best, brings)
    return places[world.accounts["creator"].iloc[places].isin(needed).to_numpy()]


@dataclass(frozen=True)
class _Found:
    """A solution of a program: its columns, its worth and the solver's bound, scaled as the costs are."""

    columns: Any
    bound: float
    is_cut_short: bool


class _Problem:
    """Columns are one per account, then one per person with several accounts; costs are to be small."""

    def __init__(self, world: World, places: Any, measure: str, goal: str, limits: Limits) -> None:
        accounts = world.accounts
        self.places, self.limits, self.goal = places, limits, goal
        self.value = accounts[measure].to_numpy()[places].astype(np.int64)
        self.price = accounts["price_cents"].to_numpy()[places].astype(np.int64)
        self.is_big = accounts["is_big"].to_numpy(bool)[places]
        self.gain = None if goal in ("price_cents", "creators") else accounts[goal].to_numpy()[places].astype(np.int64)
        _, self.creators, sizes = np.unique(
            accounts["creator"].to_numpy()[places], return_inverse=True, return_counts=True
        )
        self.is_shared = (sizes > 1)[self.creators]
        self.person = (np.cumsum(sizes > 1) - 1)[self.creators]
        self.n, self.people = len(places), int((sizes > 1).sum())

    def can_be_met(self) -> bool:
        """Whether everybody together reaches the target, and there is a big name where one is asked for."""
        return int(self.value.sum()) >= (self.limits.target or 0) and (
            self.limits.iceberg is None or bool(self.is_big.any())
        )

    def best(self, target: int) -> Solved | None:
        """The best list for a target; null when there is none, or rounding has broken a limit."""
        costs, matrix, low, high = self._program(target)
        unit = SCALE / max(float(np.abs(costs).max()), 1.0)
        program = _Program(costs * unit, matrix, low, high)
        relaxed = program.relax()
        if relaxed is None:
            return None
        least, of_columns = relaxed
        of_people = self._costs_of_people(of_columns)
        found = self._core(program, of_columns, of_people)
        if found is None or not self._keeps(found.columns):
            return None
        worth = float(program.costs @ found.columns)
        # Worths are whole numbers: a better list is better by one at least, and none holds who costs more than that.
        if worth - least >= unit * (1 - 1e-6):
            lower, upper = np.zeros(len(of_columns)), np.ones(len(of_columns))
            upper[self._columns_of(of_people > worth - unit / 2 - least)] = 0.0
            gap = 0.0 if int((lower < upper).sum()) <= MANY else GAP
            better = program.integers(lower, upper, TIME_LIMIT_SECONDS, gap)
            least = max(least, min(better.bound, worth))
            is_better = better.columns is not None and float(program.costs @ better.columns) < worth
            found = better if is_better and self._keeps(better.columns) else replace(better, columns=found.columns)
        return self._solved(found, least / unit)

    def _costs_of_people(self, of_columns: Any) -> Any:
        """What taking a person costs the relaxation at least, by the best choice of accounts; a gain is negative."""
        accounts = of_columns[: self.n]
        people = int(self.creators.max()) + 1
        gains = np.bincount(self.creators, np.minimum(accounts, 0), people)
        cheapest = np.full(people, np.inf)
        np.minimum.at(cheapest, self.creators, accounts)
        own = np.zeros(people)
        own[self.creators[self.is_shared]] = of_columns[self.n + self.person[self.is_shared]]
        return own + np.where(gains < 0, gains, cheapest)

    def _columns_of(self, people: Any) -> Any:
        """The columns of people that are marked."""
        marked = np.zeros(self.n + self.people, bool)
        marked[: self.n] = people[self.creators]
        marked[self.n + self.person[self.is_shared]] = people[self.creators[self.is_shared]]
        return marked

    def _core(self, program: "_Program", of_columns: Any, of_people: Any) -> "_Found | None":
        """A good list: whoever the relaxation is sure of is kept or left, those it is least sure of are solved."""
        order = np.argsort(np.abs(of_people), kind="stable")
        size = CORE
        while True:
            is_sure = np.ones(len(of_people), bool)
            is_sure[order[:size]] = False
            upper = np.ones(len(of_columns))
            upper[self._columns_of(is_sure & (of_people >= 0))] = 0.0
            kept = self._columns_of(is_sure & (of_people < 0))
            kept[: self.n] &= ~self.is_shared | (of_columns[: self.n] < 0)
            found = program.integers(np.where(kept, 1.0, 0.0), upper, CORE_SECONDS, CORE_GAP)
            if found.columns is not None:
                return found
            if size >= len(of_people):
                if found.is_cut_short:
                    raise ShortlistError(f"the solver found no list within {CORE_SECONDS:.0f} s; ask for less")
                return None
            size *= 5

    def _program(self, target: int) -> tuple[Any, Any, Any, Any]:
        """Costs of the columns, and the limits as rows of a matrix with their lower and upper bounds."""
        from scipy.sparse import csr_array, vstack

        own = self.price if self.goal == "price_cents" else ~self.is_shared if self.gain is None else -self.gain
        of_people = np.full(self.people, 1.0 if self.goal == "creators" else 0.0)
        nobody = np.zeros(self.people)
        rows: list[tuple[Any, Any, float, float]] = [(np.zeros(self.n), nobody, -np.inf, np.inf)]
        if target:
            # Nobody brings more than is asked for: the same lists, and a tighter program.
            rows.append((np.minimum(self.value, target) * (SCALE / target), nobody, SCALE, np.inf))
        if self.limits.budget is not None:
            rows.append((self.price * (SCALE / self.limits.budget), nobody, -np.inf, SCALE))
        if self.limits.max_creators is not None:
            rows.append((~self.is_shared, np.ones(self.people), -np.inf, self.limits.max_creators))
        if self.limits.iceberg is not None:
            rows.append((self.is_big, nobody, 1, 1))
            share, prices = float(self.limits.iceberg), self.price * (SCALE / max(int(self.price.max()), 1))
            rows.append((np.where(self.is_big, (1 - share) * prices, -share * prices), nobody, -np.inf, 0))
        dense = csr_array(np.array([np.concatenate([np.asarray(a, float), b]) for a, b, _, _ in rows]))
        # Whoever has an account on the list is on it.
        shared = np.flatnonzero(self.is_shared)
        at = np.arange(len(shared))
        cells = np.concatenate([np.ones(len(shared)), -np.ones(len(shared))])
        where = (np.concatenate([at, at]), np.concatenate([shared, self.n + self.person[shared]]))
        links = csr_array((cells, where), shape=(len(shared), self.n + self.people))
        low = np.concatenate([[row[2] for row in rows], np.full(len(shared), -np.inf)])
        high = np.concatenate([[row[3] for row in rows], np.zeros(len(shared))])
        return np.concatenate([np.asarray(own, float), of_people]), vstack([dense, links], "csr"), low, high

    def _solved(self, found: _Found, least: float) -> Solved:
        taken = np.flatnonzero(found.columns[: self.n])
        value = self._worth(taken)
        low = int(np.ceil(least - 1e-4))
        bound = min(low, value) if self.gain is None else max(-low, value)
        return Solved(self.places[taken], value, bound, found.is_cut_short)

    def _keeps(self, columns: Any) -> bool:
        """Whether a list keeps every limit, in whole numbers."""
        taken = np.flatnonzero(columns[: self.n])
        price, limits = int(self.price[taken].sum()), self.limits
        big = taken[self.is_big[taken]]
        return (
            int(self.value[taken].sum()) >= (limits.target or 0)
            and (limits.budget is None or price <= limits.budget)
            and (limits.max_creators is None or len(np.unique(self.creators[taken])) <= limits.max_creators)
            and (limits.iceberg is None or (len(big) == 1 and int(self.price[big].sum()) <= limits.iceberg * price))
        )

    def _worth(self, taken: Any) -> int:
        """What a list is worth by its goal."""
        if self.goal == "creators":
            return len(np.unique(self.creators[taken]))
        return int((self.price if self.gain is None else self.gain)[taken].sum())


@dataclass(frozen=True)
class _Program:
    """Costs, rows and their bounds; columns lie between 0 and 1."""

    costs: Any
    matrix: Any
    low: Any
    high: Any

    def relax(self) -> tuple[float, Any] | None:
        """Least cost without whole numbers, and what each column costs it when no account is tied to a person."""
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        equal = self.low == self.high
        above, below = np.isfinite(self.high) & ~equal, np.isfinite(self.low) & ~equal
        with _silenced():
            result = linprog(
                self.costs,
                A_ub=vstack([self.matrix[above], -self.matrix[below]], "csr"),
                b_ub=np.concatenate([self.high[above], -self.low[below]]),
                A_eq=self.matrix[equal] if equal.any() else None,
                b_eq=self.high[equal] if equal.any() else None,
                bounds=(0, 1),
                method="highs",
            )
        if result.x is None:
            return None
        prices = np.zeros(len(self.low))
        marginals = result.ineqlin.marginals
        prices[above] += marginals[: above.sum()]
        prices[below] -= marginals[above.sum() :]
        if equal.any():
            prices[equal] = result.eqlin.marginals
        # A tie has no price of its own: it holds within each person.
        prices[(self.high == 0) & np.isneginf(self.low) & self.is_tie] = 0.0
        return float(result.fun), self.costs - self.matrix.T @ prices

    @property
    def is_tie(self) -> Any:
        """Rows of two cells, 1 and -1: an account is on the list only with its person."""
        return (np.diff(self.matrix.indptr) == 2) & (self.matrix.sum(axis=1) == 0)

    def integers(self, lower: Any, upper: Any, seconds: float, gap: float) -> _Found:
        """The best columns in whole numbers between bounds; null columns when there are none, or time ran out."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        with _silenced():
            result = milp(
                self.costs,
                integrality=np.ones(len(self.costs)),
                bounds=Bounds(lower, upper),
                constraints=LinearConstraint(self.matrix, self.low, self.high),
                options={"mip_rel_gap": gap, "time_limit": seconds},
            )
        columns = None if result.x is None else np.round(result.x)
        bound = np.inf if result.status == 2 else -np.inf if result.mip_dual_bound is None else result.mip_dual_bound
        return _Found(columns, float(bound), result.status == 1)


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
