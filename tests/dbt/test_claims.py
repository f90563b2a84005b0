"""Claims of the trade: every one has a row, and their intervals are those of a bootstrap."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from warehouse.build import dbt
from warehouse.build.dbt import DBT_PROJECT

# The claims of the trade press, as the design names them.
CLAIMS = {
    "micro_er_beats_mega_same_niche", "mega_er_under_2pct", "advocates_10x", "er_peak_1k_5k",
    "reach_rate_higher_under_10k", "size_inverse_engagement", "followers_do_not_predict_sales", "nano_gifted_micro_200",
    "nanos_cheaper_than_mega", "small_list_equals_mega", "graduation", "ambassadors_stay", "weekly_conversations",
    "paid_posts_lose_trust", "rival_brands", "mixed_beats_single", "live_host_sales",
}  # fmt: skip


def test_every_claim_has_a_row_in_an_empty_warehouse_and_says_what_is_missing(empty):
    rows = empty.query("select claim, verdict, missing, unit_count, observed from groundswell.marts.fct_claim_check")
    assert {row[0] for row in rows} == CLAIMS
    assert all(row[1] == "not enough data" and row[2] and row[3] == 0 and row[4] is None for row in rows)


@pytest.fixture(scope="module")
def interval(empty):
    """The interval that the models take of the units of one claim, by the compiled SQL that the nightly runs."""
    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models" / "intermediate" / "claim"

    def take(claim: str, units: pd.DataFrame) -> tuple[float, float, float]:
        with duckdb.connect(":memory:") as connection:
            connection.execute("set threads = 2; attach ':memory:' as build")
            connection.execute("create schema build.seeds; create schema build.intermediate")
            connection.execute(
                f"create table build.seeds.claims as from read_csv('{DBT_PROJECT / 'seeds' / 'claims.csv'}')"
            )
            frame = units.assign(claim=claim, platform="*")
            connection.register("frame", frame)
            connection.execute("create table build.intermediate.int_claim__units_gathered as from frame")
            for name in ("int_claim__draws", "int_claim__sides_resampled", "int_claim__intervals_estimated"):
                sql = (folder / f"{name}.sql").read_text()
                connection.execute(f"create table build.intermediate.{name} as {sql}")
            return connection.execute(
                "select figure, interval_low, interval_high from build.intermediate.int_claim__intervals_estimated"
            ).fetchall()[0]

    return take


@pytest.mark.parametrize("accounts", [40, 400, 5_000])
def test_an_interval_is_that_of_a_bootstrap_by_another_hand(interval, accounts):
    generator = np.random.default_rng(accounts)
    sides = {"a": generator.lognormal(-3, 0.6, accounts), "b": generator.lognormal(-4, 0.8, accounts // 2 + 15)}
    units = pd.concat(
        [
            pd.DataFrame({"side": side, "unit_id": [f"{n:05d}" for n in range(len(x))], "x": x, "y": np.nan})
            for side, x in sides.items()
        ]
    )
    figure, low, high = interval("micro_er_beats_mega_same_niche", units)
    replicates = [
        np.median(generator.choice(sides["a"], len(sides["a"])))
        / np.median(generator.choice(sides["b"], len(sides["b"])))
        for _ in range(4_000)
    ]
    expected_low, expected_high = np.quantile(replicates, [0.025, 0.975])
    assert figure == pytest.approx(np.median(sides["a"]) / np.median(sides["b"]))
    # 500 replicates know the end of an interval to about a tenth of its width, scaled ones to a fifth.
    width = expected_high - expected_low
    assert low == pytest.approx(expected_low, abs=0.2 * width)
    assert high == pytest.approx(expected_high, abs=0.2 * width)


def test_a_correlation_and_a_slope_are_those_of_another_hand(interval):
    generator = np.random.default_rng(7)
    x = generator.lognormal(9, 1.5, 200).round()
    y = np.exp(0.7 * np.log(x) + generator.normal(0, 0.5, 200)).round()
    names = [f"{n:05d}" for n in range(200)]
    frame = pd.DataFrame({"side": "a", "unit_id": names, "x": x, "y": y})
    figure, low, high = interval("followers_do_not_predict_sales", frame)
    assert figure == pytest.approx(frame["x"].rank().corr(frame["y"].rank()))
    assert low < figure < high
    logs = pd.DataFrame({"side": "a", "unit_id": names, "x": np.log(x), "y": np.log(np.maximum(y, 1))})
    figure, low, high = interval("size_inverse_engagement", logs)
    assert figure == pytest.approx(np.polyfit(logs["x"], logs["y"], 1)[0], abs=1e-4)
    assert low < figure < high
