"""Print what the trust verdicts are worth: `make eval-trust` (ARGS="--sample choosing" for the half that chose).

Exit code 1 when a figure to reach is missed. ARGS="--only misread" evaluates copies of some scenarios alone, in a few
minutes; other copies are drawn then, and nothing is to be reached. ARGS="--copies 10": wider intervals in less time.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.trust import warehouse, world
from bench.trust.measure import APART, GAINS, Measures, measure

FORMATS = {
    "recall": "{:.3f}", "watch_or_more": "{:.3f}", "precision": "{:.3f}", "f1": "{:.3f}", "suspicious": "{:.3f}",
    "account_months": "{:,.0f}", "per_1000_account_months": "{:.1f}",
    "standing_per_1000": "{:.1f}", "share_attacked": "{:.3f}",
    "days_median": "{:.0f}", "days_p90": "{:.0f}", "share_of_days_suspicious": "{:.4f}",
    "share_of_days_watch": "{:.4f}", "share_of_days_insufficient": "{:.3f}",
}  # fmt: skip


SCENARIOS = [scenario for scenario, _ in world.ATTACKS | world.HONEST | world.MISREADS]


@dataclass(frozen=True)
class Target:
    """A figure to reach: what was measured, and the least (or most) it may be."""

    name: str
    observed: float
    limit: float
    is_most: bool = False

    @property
    def is_reached(self) -> bool:
        return self.observed <= self.limit if self.is_most else self.observed >= self.limit


# Of bursts of 10 % those count that bring so many followers: smaller ones are printed beside them.
LEAST_GAIN = {"10 %": GAINS[-1]}
# Scenario, size (all where none), world's name ends with, least share to be found.
RECALLS = [
    ("burst", "10 %", "", 0.85), ("burst", "20 %", "", 0.96), ("burst", "30 %", "", 0.96), ("burst", "100 %", "", 0.96),
    ("burst and loss", "", "", 0.97), ("slow burst", "", "", 0.75), ("repeats", "", "", 0.6),
    ("bought views", "", "", 0.5),
    ("drip", "1 % a day", "", 0.88), ("drip", "0.5 % a day, 90 days", "", 0.4), ("sawtooth", "4 % high", "", 0.92),
    ("burst", "30 %", "weekly", 0.8),
    ("burst", "50 %", "posts without views", 0.7), ("burst", "30 %", "posts without views", 0.5),
]  # fmt: skip
# Scenario, size, most of them that may be called suspicious.
HONEST_AT_MOST = [
    ("viral post", "", 0.03), ("purge", "", 0.03), ("misread", "", 0.03), ("steady fast grower", "", 0.03),
    ("giveaway", "", 0.05),
]  # fmt: skip


def targets(audience: Measures, engagement: Measures | None = None) -> list[Target]:
    """The figures to reach; an attack hidden by coverage is counted apart, a scenario that was not tried has none."""

    def of(copies: pd.DataFrame, scenario: str, size: str, world_ends: str) -> pd.DataFrame:
        is_apart = copies.world.str.endswith(APART)
        where = copies.world.str.endswith(world_ends) if world_ends else ~is_apart
        return copies[where & (copies.scenario == scenario) & ~copies.before & (copies["size"].eq(size) | (size == ""))]

    found = []
    for scenario, size, world_ends, least in RECALLS:
        tried = of(audience.copies, scenario, size, world_ends)
        tried = tried[~tried.is_hidden & ~(tried.gain < LEAST_GAIN.get(size, 0))]
        if len(tried):
            gain = f"from a gain of {LEAST_GAIN[size]}" if size in LEAST_GAIN else ""
            name = " ".join(word for word in ("recall of", scenario, size, gain, world_ends) if word)
            found.append(Target(name, float(tried.is_found.mean()), least))
    bursts = of(audience.copies, "burst", "", "").found_after.dropna()
    if len(bursts):
        found.append(Target("days until a burst is found, median", float(bursts.median()), 6, True))
    for scenario, size, most in HONEST_AT_MOST:
        for world_ends in ("", "every third day", "weekly", "posts without views"):
            tried = of(audience.copies, scenario, size, world_ends)
            if len(tried):
                name = " ".join(word for word in (scenario, world_ends, "called suspicious") if word)
                found.append(Target(name, float(tried.is_found.mean()), most, True))
    shown = audience.alarms[(audience.alarms.scenario == "untouched") & ~audience.alarms.world.str.endswith(APART)]
    months = float(shown.account_months.sum())
    found += [
        Target("new suspicions per 1,000 months, untouched curves", 1000 * float(shown.alarms.sum()) / months, 5, True),
        Target("of them standing after 14 days", 1000 * float(shown.standing.sum()) / months, 3, True),
    ]
    if engagement is not None:
        likes = engagement.attacks[engagement.attacks.scenario == "bought likes"]
        found.append(
            Target("recall of bought likes", float(likes.found.sum() / (likes.copies - likes.hidden).sum()), 0.80)
        )
    return found


def table(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table."""
    shown = frame.copy()
    for name, form in FORMATS.items():
        if name in shown:
            shown[name] = ["-" if pd.isna(value) else form.format(value) for value in shown[name]]
    rows = [list(shown.columns), ["---"] * len(shown.columns), *shown.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _print(title: str, measures: Measures) -> None:
    for name, frame in (
        ("attacks, by size", measures.attacks), ("attacks, by kind of curve", measures.worlds),
        ("attacks, by tier", measures.tiers), ("attacks, by gain", measures.gains), ("honest events", measures.honest),
        ("untouched curves", measures.alarms), ("calibration", measures.calibration),
    ):  # fmt: skip
        if not frame.empty:
            print(f"\n{title}: {name}\n\n{table(frame)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", choices=["choosing", "evaluating"], default="evaluating")
    parser.add_argument(
        "--only", metavar="SCENARIO", choices=sorted({*SCENARIOS}), nargs="+", help="scenarios of followers"
    )
    parser.add_argument(
        "--copies", metavar="NUMBER", type=int, default=world.COPIES, help="of each change of followers, 40 by default"
    )
    arguments = parser.parse_args()
    sample = world.EVALUATING if arguments.sample == "evaluating" else world.CHOOSING
    only = frozenset(arguments.only) if arguments.only else None
    first, last = sample.days
    print(f"sample {sample.name}: half of the accounts, {first} .. {last}, verdicts from {sample.evaluated_from}")
    started = time.perf_counter()
    found = {}
    sides = [
        (
            "followers",
            "audience",
            world.worlds(sample, only, arguments.copies),
            {scenario for scenario, _ in world.ATTACKS},
        )
    ]
    if only is None:
        bought_likes = {scenario for scenario, _ in world.LIKE_ATTACKS}
        sides.append(("likes and comments", "engagement", world.post_worlds(sample), bought_likes))
    for title, side, worlds, attacks in sides:
        with tempfile.TemporaryDirectory() as folder, warehouse.evaluate(worlds, Path(folder)) as connection:
            found[side] = measure(connection, worlds, sample, attacks, side)
        _print(title, found[side])
    if only is not None:
        return 0
    print(f"\nto reach ({time.perf_counter() - started:.0f} s)\n")
    reached = targets(found["audience"], found["engagement"])
    for target in reached:
        word = "at most" if target.is_most else "at least"
        reached_word = "yes" if target.is_reached else "NO"
        print(f"  {reached_word:<4} {target.name}: {target.observed:.3f}, {word} {target.limit:g}")
    return int(not all(target.is_reached for target in reached))


if __name__ == "__main__":
    sys.exit(main())
