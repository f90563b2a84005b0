"""From an ask to its list, or to the limits that stand in its way."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from serving.report.source import Source
from serving.shortlist.ask import Ask, ShortlistError, many
from serving.shortlist.candidates import World, read_world
from serving.shortlist.solve import Limits, Solved, limits_of, solve


@dataclass(frozen=True)
class Shortlist:
    """A solved ask. `money` is in cents of the base currency; `top` says what it buys from one of the highest tier."""

    ask: Ask
    world: World
    candidates: int
    solved: Solved
    money: int
    top: str

    def total(self, column: str) -> int | None:
        """Sum of a figure over the list, null when it is unknown of one of its accounts."""
        values = self.world.accounts[column].iloc[self.solved.chosen]
        return None if values.isna().any() else int(values.sum())

    @property
    def creators(self) -> int:
        return int(self.world.accounts["creator"].iloc[self.solved.chosen].nunique())


def make_shortlist(source: Source, ask: Ask) -> Shortlist:
    """The list. Raises ShortlistError when there is none, with the limit that binds."""
    world = read_world(source, ask)
    places = world.eligible()
    goal = "price_cents" if ask.aim == "price" else "engagements"
    solved = solve(world, places, ask.measure, goal, limits_of(ask))
    if solved is None or not len(solved.chosen):
        raise ShortlistError(explain(world, ask))
    money = int(world.accounts["price_cents"].iloc[solved.chosen].sum())
    return Shortlist(ask, world, len(places), solved, money, one_of_the_top(world, ask, places, money))


def one_of_the_top(world: World, ask: Ask, places: Any, money: int) -> str:
    """What the same money buys from one account of its platform's highest tier within the same limits."""
    accounts = world.accounts.iloc[places]
    names = " or ".join(sorted(set(accounts["top_tier"].dropna()))) or "account of the highest tier"
    top = accounts[accounts["is_top"]]
    if top.empty:
        return f"No {names} is within the limits."
    affordable = top[top["price_cents"] <= money]
    if affordable.empty:
        least = top.sort_values(["price_cents", "platform", "account_id"]).iloc[0]
        return (
            f"The same money buys no {names}: the cheapest within the limits costs {amount(least['price_cents'])}"
            f" {world.currency} a post and brings {int(least[ask.measure]):,} {ask.measure}."
        )
    order = [ask.measure, "price_cents", "platform", "account_id"]
    best = affordable.sort_values(order, ascending=[False, True, True, True]).iloc[0]
    return (
        f"The same money buys one {best['top_tier']} with {int(best[ask.measure]):,} {ask.measure} in one post, for"
        f" {amount(best['price_cents'])} {world.currency}: {best['platform']} {best['account_id']}."
    )


def amount(cents: Any) -> str:
    """Cents as money."""
    return f"{int(cents) / 100:,.2f}"


def explain(world: World, ask: Ask) -> str:
    """Why there is no list: the best that can be reached, and each limit whose loosening alone gives a list."""
    limits, places = limits_of(ask), world.eligible()
    everybody = int(world.accounts[ask.measure].iloc[np.flatnonzero(world.usable)].sum())
    if ask.target and everybody < ask.target:
        return (
            f"No list: the target is larger than the world. All {int(world.usable.sum()):,} accounts with a known price"
            f" have {everybody:,} {ask.measure} together, not {ask.target:,}. Ask for less, or land more accounts."
        )
    loosened = list(_loosened(world, ask, limits))
    enough = [line for line, solved in loosened if solved]
    if enough:
        told = ["Any one of these would do:", *(f"  {line}" for line in enough)]
    else:
        told = [
            "No single limit stands in the way; loosen two or more together:",
            *(f"  {line}" for line, _ in loosened),
        ]
    return "\n".join([_reachable(world, ask, places, limits), *told])


def _reachable(world: World, ask: Ask, places: Any, limits: Limits) -> str:
    """The most that the ask's limits let a list reach, in words."""
    within = ", ".join(ask.words(world.currency)[1:]) or "without any limit"
    if not len(places):
        return f"No list: no account with a known price and {ask.measure} is within the limits ({within})."
    most = _most(world, ask, places, limits)
    if not most:
        cheapest = amount(world.accounts["price_cents"].iloc[places].min())
        return f"No list: nobody can be taken ({within}); the cheapest post costs {cheapest} {world.currency}."
    reached = f"{most:,} {ask.measure}" + (f", not {ask.target:,}" if ask.target else "")
    return f"No list: of {many(len(places), 'candidate')} the best ones ({within}) reach {reached}."


def _most(world: World, ask: Ask, places: Any, limits: Limits) -> int:
    """The most of the measure that a list can reach, 0 where there is none."""
    most = solve(world, places, ask.measure, ask.measure, replace(limits, target=None))
    return most.value if most else 0


def _loosened(world: World, ask: Ask, limits: Limits) -> Iterator[tuple[str, bool]]:
    """Each limit with what comes of letting it go, and whether that gives a list."""
    places = world.eligible()
    # Without a target any one post will do.
    wanted = replace(limits, target=limits.target or 1)
    numbers: dict[str, tuple[Limits, str]] = {
        "budget": (replace(wanted, budget=None), "price_cents"),
        "max_creators": (replace(wanted, max_creators=None), "creators"),
        "iceberg": (replace(wanted, iceberg=None), "price_cents"),
    }
    for name, (without, goal) in numbers.items():
        if getattr(limits, name) is not None:
            solved = solve(world, places, ask.measure, goal, without)
            yield _said(world, ask, name, places, without, solved), solved is not None
    for name in world.matches:
        others = world.eligible(without=name)
        solved = solve(world, others, ask.measure, "price_cents", wanted)
        yield _said(world, ask, name, others, wanted, solved), solved is not None


def _said(world: World, ask: Ask, name: str, places: Any, without: Limits, solved: Solved | None) -> str:
    """One loosened limit in words."""
    if solved is None:
        return f"{name.upper()}: without it {_most(world, ask, places, without):,} {ask.measure} are reached"
    if name == "budget":
        return f"BUDGET: {amount(solved.value)} instead of {amount(limits_of(ask).budget)} {world.currency}"
    if name == "max_creators":
        return f"MAX_CREATORS: {solved.value:,} would do instead of {ask.max_creators:,}"
    return f"{name.upper()}: without it a list costs {amount(solved.value)} {world.currency}"
