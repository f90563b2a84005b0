"""Print what the trust verdicts are worth: `make eval-trust` (ARGS="--sample choosing" for the half that chose).

Exit code 1 when a figure to reach is missed. ARGS="--only misread" evaluates copies of some scenarios alone, in a few
minutes; other copies are drawn then, and nothing is to be reached.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.trust import warehouse, world
from bench.trust.measure import Measures, measure

FORMATS = {
    "recall": "{:.3f}", "watch_or_more": "{:.3f}", "precision": "{:.3f}", "f1": "{:.3f}", "suspicious": "{:.3f}",
    "account_months": "{:,.0f}", "per_1000_account_months": "{:.1f}", "share_attacked": "{:.3f}",
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


def targets(audience: Measures, engagement: Measures | None = None) -> list[Target]:
    """The figures to reach, over all kinds of curves together; an attack hidden by coverage is counted apart."""

    def recall(table: pd.DataFrame, scenario: str, *left_out: str) -> float:
        rows = table[(table.scenario == scenario) & ~table["size"].isin(left_out)]
        return float(rows.found.sum() / max((rows.copies - rows.hidden).sum(), 1))

    attacks = audience.attacks
    real = audience.alarms[audience.alarms.world == "real, rounded"]
    misread = audience.copies[(audience.copies.scenario == "misread") & ~audience.copies.before]
    viral = audience.copies[(audience.copies.scenario == "viral post") & ~audience.copies.before]
    found = [
        Target("recall of bursts of 20 % and more", recall(attacks, "burst", "5 %"), 0.95),
        Target("recall of bursts with loss", recall(attacks, "burst and loss"), 0.97),
        Target("recall of sawtooth", recall(attacks, "sawtooth"), 0.90),
        Target("recall of drips of 1 % a day and more", recall(attacks, "drip", "0.5 % a day"), 0.70),
        Target(
            "new suspicions per 1,000 months, untouched real curves", float(real.per_1000_account_months.max()), 5, True
        ),
        Target("share of viral posts called suspicious", float(viral.is_found.mean()), 0.02, True),
        Target("share of misread counts called suspicious", float(misread.is_found.mean()), 0.005, True),
    ]
    if engagement is not None:
        found.append(Target("recall of bought likes", recall(engagement.attacks, "bought likes"), 0.80))
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
        ("attacks, by tier", measures.tiers), ("honest events", measures.honest),
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
    arguments = parser.parse_args()
    sample = world.EVALUATING if arguments.sample == "evaluating" else world.CHOOSING
    only = frozenset(arguments.only) if arguments.only else None
    first, last = sample.days
    print(f"sample {sample.name}: half of the accounts, {first} .. {last}, verdicts from {sample.evaluated_from}")
    started = time.perf_counter()
    found = {}
    sides = [("followers", "audience", world.worlds(sample, only), {scenario for scenario, _ in world.ATTACKS})]
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
