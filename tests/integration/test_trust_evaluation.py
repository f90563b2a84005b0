"""The harness through the real models on a small world: it finds what was bought, and notices a broken signal."""

import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from bench.trust import warehouse, world
from bench.trust.__main__ import table, targets
from bench.trust.measure import Measures, measure
from warehouse.build.dbt import DBT_PROJECT

COPIES = 6
ATTACKS = {key: world.ATTACKS[key] for key in (
    ("burst", "100 %"), ("burst and loss", "100 %, 60 % lost"), ("drip", "1 % a day"), ("sawtooth", "10 % high"),
)}  # fmt: skip
HONEST = {key: world.HONEST[key] for key in (("viral post", "100 %"), ("re-capture after a gap", "20 days, 20 %"))}
MISREADS = {key: world.MISREADS[key] for key in (
    ("misread", "a neighbour's count, 40 % more"), ("misread", "30 % more for two days"),
    ("misread", "20 % more, by turns for 20 days"),
)}  # fmt: skip
DAYS = 106
BAD_INPUT = {
    "zero": np.zeros(DAYS),
    "still": np.full(DAYS, 5000.0),
    "one point": np.where(np.arange(DAYS) == 50, 5000.0, np.nan),
    "to zero and back": np.where(np.arange(DAYS) == 50, 0.0, 5000.0 + np.arange(DAYS)),
    "twenty days alike": np.where(np.arange(DAYS) < 20, 5000.0, np.nan),
}


def small_world() -> world.World:
    """Fifty simulated accounts, copies with purchases and honest events, and series that are no data."""
    random = np.random.default_rng(5)
    body = world.simulated_curves(random, DAYS, accounts=50)
    made = world.copies(body, ATTACKS | HONEST | MISREADS, world.CHOOSING, random, COPIES)
    views = np.arange(DAYS) * 500.0
    bad = [world.Curve(name, counts, views, np.full(DAYS, np.nan)) for name, counts in BAD_INPUT.items()]
    # The untouched are called as the real ones are: the figures to reach are read from that world.
    return world.World("real, rounded", "tiktok", world.FIRST_DAY, [*body, *made, *bad])


def moved_world() -> world.World:
    """An account that changes its platform: half of its days under another platform's id."""
    followers = 5000.0 + np.arange(DAYS)
    half = np.where(np.arange(DAYS) >= 53, followers * 10, np.nan)
    curve = world.Curve("still", half, np.full(DAYS, np.nan), np.full(DAYS, np.nan))
    return world.World("moved", "instagram", world.FIRST_DAY, [curve])


def measured(folder: Path, project: Path = DBT_PROJECT) -> tuple[Measures, dict[tuple[str, str], set[str]]]:
    """Measures of the small world, and the verdicts of each series of bad input."""
    worlds = [small_world(), moved_world()]
    with closing(warehouse.evaluate(worlds, folder, project)) as connection:
        measures = measure(connection, worlds, world.CHOOSING, {scenario for scenario, _ in ATTACKS})
        rows = connection.execute(
            "select platform, account_id, list(distinct verdict order by verdict)"
            " from groundswell.marts.fct_follower_trust_daily where list_contains($names, account_id) group by all",
            {"names": [*BAD_INPUT]},
        ).fetchall()
    return measures, {(platform, name): set(verdicts) for platform, name, verdicts in rows}


@pytest.fixture(scope="module")
def evaluated(
    tmp_path_factory: pytest.TempPathFactory, accounts_alone: None
) -> tuple[Measures, dict[tuple[str, str], set[str]]]:
    return measured(tmp_path_factory.mktemp("evaluated"))


@pytest.fixture(scope="module")
def without_views(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> Measures:
    """The same world evaluated by a project whose view signal never fires."""
    folder = tmp_path_factory.mktemp("broken")
    project = folder / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    signal = project / "models" / "intermediate" / "trust" / "int_trust__growth_without_activity.sql"
    text = signal.read_text(encoding="utf-8")
    assert "    from either\n" in text
    signal.write_text(text.replace("    from either\n", "    from either\n    where false\n"), encoding="utf-8")
    return measured(folder, project)[0]


def test_what_was_bought_is_found(evaluated):
    measures, _ = evaluated
    assert set(measures.attacks.scenario) == {scenario for scenario, _ in ATTACKS}
    assert {target.name for target in targets(measures) if not target.is_reached} == set()
    # Bursts are a watch at once, for they double an account within three days, and suspicious once 5 days old.
    bursts = measures.attacks[measures.attacks.scenario == "burst"]
    assert bursts.watch_or_more.min() == 1
    assert 5 <= bursts.days_median.min() <= bursts.days_median.max() <= 6


def test_honest_events_are_not_called_suspicious(evaluated):
    measures, _ = evaluated
    assert measures.honest.suspicious.max() == 0


def test_bad_input_gets_no_verdict_beyond_its_evidence(evaluated):
    _, verdicts = evaluated
    assert verdicts["tiktok", "zero"] == {"insufficient_data"}
    assert verdicts["tiktok", "one point"] == {"insufficient_data"}
    # Still counts speak for nothing and against nobody; short of a week they say too little.
    assert verdicts["tiktok", "still"] == {"insufficient_data", "trusted"}
    assert "suspicious" not in verdicts["tiktok", "to zero and back"]
    assert verdicts["tiktok", "twenty days alike"] == {"insufficient_data", "trusted"}
    # Ten times the followers under another platform are another account's.
    assert verdicts["instagram", "still"] == {"insufficient_data", "trusted"}


def test_a_broken_signal_is_noticed(without_views):
    missed = {target.name for target in targets(without_views) if not target.is_reached}
    assert missed >= {"recall of burst 100 %", "recall of drip 1 % a day"}


def test_scenarios_can_be_chosen():
    assert world.chosen(ATTACKS | MISREADS, frozenset({"misread"})) == MISREADS
    assert world.chosen(ATTACKS, None) == ATTACKS


def test_the_tables_are_markdown(evaluated):
    lines = table(evaluated[0].attacks).splitlines()
    assert lines[0].startswith("| scenario | size | copies |")
    assert len({line.count("|") for line in lines}) == 1


def test_a_copy_that_was_suspicious_before_is_left_out(evaluated):
    measures, _ = evaluated
    assert (measures.attacks.copies.sum() + measures.copies[measures.copies.is_attack].before.sum()) == COPIES * len(
        ATTACKS
    )
