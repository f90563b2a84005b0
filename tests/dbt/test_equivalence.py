"""How many accounts equal one: worlds in which the draws cannot matter, bounds, and a reading of its own of the draws."""

import random
from collections.abc import Callable
from math import ceil
from statistics import median
from typing import Any

import duckdb
import pytest

from warehouse.build import dbt

MODEL = "intermediate/equivalence/int_equivalence__equivalents_sampled.sql"
MEASURES = ("followers", "reach", "engagements")
REPLICATES = 200
Draw = Callable[..., dict[tuple[str, str], dict[str, Any]]]


def account(tier: str, number: int, followers: float | None, reach: float | None = None, engagements: float | None = None,
            suspicious: bool = False) -> dict[str, Any]:  # fmt: skip
    return {
        "platform": "instagram", "account_id": f"{tier}{number}", "snapshot_date": "2026-03-01", "scheme": "standard",
        "tier": tier, "tier_rank": {"nano": 1, "micro": 2, "mega": 4}[tier], "followers": followers,
        "is_suspicious": suspicious, "data_origin": "observed",
        **{f"{measure}_value": None if suspicious else value
           for measure, value in zip(MEASURES, (followers, reach, engagements), strict=True)},
    }  # fmt: skip


def placed(accounts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Accounts with their places: how many of their tier, up to them, have the measure."""
    for row in accounts:
        for measure in MEASURES:
            before = accounts[: accounts.index(row) + 1]
            row[f"{measure}_place"] = sum(
                other["tier"] == row["tier"] and other[f"{measure}_value"] is not None for other in before
            )
    return accounts


@pytest.fixture(scope="module")
def sql(empty: Any) -> str:
    return (dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models" / MODEL).read_text()


@pytest.fixture
def draw(sql: str) -> Draw:
    """Run the model on accounts; rows by pair of tiers. `edits` replace a text of its SQL, all of which must be there."""

    def run(accounts: list[dict[str, Any]], *edits: tuple[str, str]) -> dict[tuple[str, str], dict[str, Any]]:
        text = sql
        for old, new in edits:
            assert old in text, f"the model no longer holds {old!r}: adjust the test"
            text = text.replace(old, new)
        with duckdb.connect() as connection:
            connection.execute("attach ':memory:' as build; create schema build.intermediate")
            values = ", ".join(f"{m}_value decimal(18, 2), {m}_place bigint" for m in MEASURES)
            connection.execute(
                "create table build.intermediate.int_equivalence__accounts_pooled (platform varchar, account_id varchar,"
                " snapshot_date date, scheme varchar, tier varchar, tier_rank integer, followers bigint,"
                f" is_suspicious boolean, {values}, data_origin varchar)"
            )
            names = ", ".join(placed(accounts)[0])
            marks = ", ".join("?" * len(accounts[0]))
            connection.executemany(
                f"insert into build.intermediate.int_equivalence__accounts_pooled ({names}) values ({marks})",
                [list(row.values()) for row in accounts],
            )
            cursor = connection.execute(text)
            columns = [column[0] for column in cursor.description or []]
            rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        return {(row["from_tier"], row["to_tier"]): row for row in rows}

    return run


def equal_world(extra: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """30 nanos of 1,000 followers, 300 reach and 40.25 engagements; 30 megas of 10,000, 3,300 and 410."""
    return [
        *(account("nano", n, 1_000, 300, 40.25) for n in range(30)),
        *(account("mega", n, 10_000, 3_300, 410) for n in range(30)),
        *(extra or []),
    ]


def test_of_equal_accounts_the_number_is_a_division_rounded_up(draw: Draw) -> None:
    row = draw(equal_world())["nano", "mega"]
    # 10,000 / 1,000 = 10; 3,300 / 300 = 11; 410 / 40.25 = 10.19, so an eleventh account is needed.
    for measure, expected in {"followers": 10, "reach": 11, "engagements": 11}.items():
        assert [row[f"n_{measure}{end}"] for end in ("", "_low", "_high")] == [expected] * 3
        assert row[f"n_{measure}_unreached"] == 0
        assert (row[f"n_from_{measure}"], row[f"n_to_{measure}"]) == (30, 30)
    assert (row["median_followers_from"], row["median_followers_to"]) == (1_000, 10_000)


def test_of_two_values_the_number_lies_between_its_bounds(draw: Draw) -> None:
    world = [
        *(account("nano", n, 1_000 if n % 2 else 3_000) for n in range(40)),
        *(account("mega", n, 30_000) for n in range(30)),
    ]
    row = draw(world)["nano", "mega"]
    # All of 3,000 are 10, all of 1,000 are 30; the mean of 2,000 makes it about 15.
    assert 10 <= row["n_followers_low"] < row["n_followers"] < row["n_followers_high"] <= 30
    assert 14 <= row["n_followers"] <= 17


def test_fewer_than_30_accounts_a_side_give_no_number_but_the_count(draw: Draw) -> None:
    world = equal_world()
    world[0]["reach_value"] = None
    world[-1]["engagements_value"] = None
    row = draw(world)["nano", "mega"]
    assert row["n_followers"] == 10
    assert [row[f"n_reach{end}"] for end in ("", "_low", "_high", "_unreached")] == [None] * 4
    assert [row[f"n_engagements{end}"] for end in ("", "_low", "_high", "_unreached")] == [None] * 4
    assert (row["n_from_reach"], row["n_to_reach"], row["n_to_engagements"]) == (29, 30, 29)


def test_suspicious_accounts_are_left_out_and_counted(draw: Draw) -> None:
    bought = [
        *(account("nano", 90 + n, 9_000, 9_000, 9_000, suspicious=True) for n in range(2)),
        account("mega", 99, 99_000_000, 9, 9, suspicious=True),
    ]
    row = draw(equal_world(bought))["nano", "mega"]
    assert (row["n_followers"], row["n_from_followers"], row["n_suspicious_from"], row["n_suspicious_to"]) == (
        10,
        30,
        2,
        1,
    )
    assert row["median_followers_to"] == 10_000


def test_a_target_that_no_sequence_reaches_gives_no_number_but_says_how_often(draw: Draw) -> None:
    world = [*(account("nano", n, 1_000) for n in range(30)), *(account("mega", n, 6_000_000) for n in range(30))]
    row = draw(world)["nano", "mega"]
    # 6,000 accounts are needed and a sequence ends at 5,000.
    assert (row["n_followers"], row["n_followers_unreached"]) == (None, REPLICATES)


def test_one_simulated_account_makes_the_row_simulated(draw: Draw) -> None:
    world = equal_world()
    world[-1]["data_origin"] = "simulated"
    assert draw(world)["nano", "mega"]["data_origin"] == "simulated"


def place_of(replicate: int, step: int, salt: int, count: int) -> int:
    """The macro `draw_place`, read anew."""
    mixed = (replicate * 69621 + step * 16807 + salt * 48271 + 12345) % 2147483647
    for key in (step * 1103 + 7, replicate * 7919 + salt, step + replicate * 31):
        mixed = (mixed * mixed + key) % 2147483647
    return mixed % count


BLOCK, LIBRARY = 16, 256


def read_by_definition(values: dict[str, list[float]], from_tier: str, to_tier: str, rank: dict[str, int]) -> list[int]:
    """First steps at which sums of drawn blocks of accounts reach the median of drawn targets, sorted."""
    higher, lower = values[to_tier], values[from_tier]
    salt = rank[from_tier] * 10 + 1
    blocks = [
        [lower[place_of(block, step, salt, len(lower))] for step in range(1, BLOCK + 1)]
        for block in range(1, LIBRARY + 1)
    ]
    # The library's mean over the pool's.
    measure = (sum(map(sum, blocks)) * len(lower)) / (sum(lower) * BLOCK * LIBRARY)
    steps = []
    for replicate in range(1, REPLICATES + 1):
        target = median(
            higher[place_of(replicate, n, 1000 + rank[to_tier] * 10 + 1, len(higher))]
            for n in range(1, len(higher) + 1)
        )
        total, step, drawn = 0.0, 0, []
        while total < target * measure:
            if not drawn:
                drawn = list(blocks[place_of(replicate, step // BLOCK + 1, 2000 + salt, LIBRARY)])
            step += 1
            total += drawn.pop(0)
        steps.append(step)
    return sorted(steps)


def test_a_library_says_what_draws_of_each_account_say(draw: Draw) -> None:
    """Of a skewed pool, against a loop that draws each account anew from a generator of Python's."""
    generator = random.Random(7)
    nanos = [round(generator.lognormvariate(7, 1)) for _ in range(300)]
    world = [account("nano", n, value) for n, value in enumerate(nanos)]
    world += [account("mega", n, 150_000) for n in range(30)]
    row = draw(world)["nano", "mega"]
    steps = []
    for _ in range(2_000):
        total, step = 0, 0
        while total < 150_000:
            total += generator.choice(nanos)
            step += 1
        steps.append(step)
    steps.sort()
    median_, low, high = (steps[ceil(share * len(steps)) - 1] for share in (0.5, 0.025, 0.975))
    assert row["n_followers"] == pytest.approx(median_, rel=0.03)
    assert row["n_followers_high"] - row["n_followers_low"] == pytest.approx(high - low, rel=0.2)


def test_numbers_are_those_of_a_loop_that_follows_the_definition(draw: Draw) -> None:
    rank = {"nano": 1, "micro": 2, "mega": 4}
    values = {
        "nano": [1_000.0 + 37 * n * n for n in range(15)] * 2 + [9_000.0],
        "micro": [10_000.0 + 911 * n for n in range(60)],
        "mega": [1_000_000.0 + 45_678 * n for n in range(33)],
    }
    world = [account(tier, n, value) for tier, own in values.items() for n, value in enumerate(own)]
    rows = draw(world)
    for pair in (("nano", "micro"), ("nano", "mega"), ("micro", "mega")):
        steps = read_by_definition(values, *pair, rank)
        # The smallest value at or below which a share of the 200 lies: the 100th, the 5th and the 195th.
        expected = [steps[ceil(share * REPLICATES) - 1] for share in (0.5, 0.025, 0.975)]
        assert [rows[pair][f"n_followers{end}"] for end in ("", "_low", "_high")] == expected


@pytest.mark.parametrize(
    "edit",
    [
        ("aims.aim > sums.reached - sums.added", "aims.aim > sums.reached"),
        ("min(step) as step", "max(step) as step"),
        ("percentile_disc(0.5)", "percentile_disc(0.9)"),
        ("floor(median(cast(members.value * 100 as bigint))) / 100 as aim", "max(members.value) as aim"),
    ],
)
def test_a_broken_rule_shows(draw: Draw, edit: tuple[str, str]) -> None:
    world = [
        *(account("nano", n, 1_000 if n % 2 else 3_000) for n in range(40)),
        *(account("mega", n, 30_000 + 1_000 * (n % 5)) for n in range(30)),
    ]
    assert draw(world, edit) != draw(world)


def test_the_look_of_a_tier_needs_30(draw: Draw) -> None:
    row = draw(equal_world(), (">= 30", ">= 31"))["nano", "mega"]
    assert row["n_followers"] is None


def test_a_sum_that_equals_the_target_reaches_it(draw: Draw) -> None:
    broken = draw(equal_world(), ("where reached >= aim", "where reached > aim"))
    assert broken["nano", "mega"]["n_followers"] == 11
