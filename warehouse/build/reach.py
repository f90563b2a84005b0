"""How far back each model's rows depend: its own reach, added to the longest chain of reaches above it, feed by feed.

A model says its own reach (`meta.look_back_days`): how many days before a row's date it reads, beyond what the rows
that it reads depend on. Nobody adds sums up by hand. A checkpoint says `meta.absorbs`: what it is made of does not add
to what goes on from it, which takes only its own reach of it. Nothing looks ahead: a day is made of what was captured
by its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

# A model that says so many days, a hundred years, depends on all history: sums end here.
UNLIMITED = 36_500


@dataclass(frozen=True)
class Node:
    """What the sum must know of a model: its own reach in days, the models that it is made of, and its feeds."""

    own: int = 0
    absorbs: bool = False
    parents: tuple[str, ...] = ()
    feeds: frozenset[str] = frozenset()


Chain = tuple[tuple[str, int], ...]


def chain_of(nodes: Mapping[str, Node], name: str, feed: str, known: dict[tuple[str, str], Chain]) -> Chain:
    """Model and own reach along the longest way from a model up to a feed; `known` keeps what was walked already."""
    if (name, feed) not in known:
        node = nodes[name]
        above: Chain = ()
        for parent in sorted(node.parents):
            if feed in nodes[parent].feeds and not nodes[parent].absorbs:
                above = max(above, chain_of(nodes, parent, feed, known), key=days_of)
        known[name, feed] = ((name, node.own), *above)
    return known[name, feed]


def days_of(chain: Chain) -> int:
    """The sum of a chain, at most UNLIMITED."""
    return min(sum(own for _, own in chain), UNLIMITED)


def reaches(nodes: Mapping[str, Node]) -> dict[str, dict[str, int]]:
    """Days that each model looks back, by feed."""
    known: dict[tuple[str, str], Chain] = {}
    return {
        name: {feed: days_of(chain_of(nodes, name, feed, known)) for feed in sorted(node.feeds)}
        for name, node in nodes.items()
    }


def explain(nodes: Mapping[str, Node], name: str) -> list[str]:
    """For people: how far a model looks back into each of its feeds, and the models that this adds up from."""
    known: dict[tuple[str, str], Chain] = {}
    alike: dict[Chain, list[str]] = {}
    for feed in sorted(nodes[name].feeds):
        alike.setdefault(tuple(step for step in chain_of(nodes, name, feed, known) if step[1]), []).append(feed)
    lines = []
    for chain, feeds in sorted(alike.items(), key=lambda item: -days_of(item[0])):
        days = days_of(chain)
        how_far = "all history" if days == UNLIMITED else f"{days} {'day' if days == 1 else 'days'}"
        lines.append(f"{name} looks back {how_far} into {', '.join(feeds)}")
        lines += [f"  {own:>6,}  {model}" for model, own in chain]
    return lines
