"""Passes hold as many planned days as fit, in order; a night is one."""

from datetime import date

from ingestion.ledger import StoredFile
from warehouse import plan
from warehouse.build.meta import planned_parts
from warehouse.build.passes import passes
from warehouse.parts import PartColumn

DAYS = ["2026-01-31", "2026-01-03", "2026-02-01"]
EACH = dict.fromkeys(DAYS, 100)


def test_a_night_is_one_pass_however_many_rows_it_brings() -> None:
    assert passes(["2026-01-03"], {"2026-01-03": 10**9}, most_rows=1, most_days=1) == {"2026-01-03": 1}


def test_days_are_taken_in_order_as_long_as_their_rows_fit() -> None:
    assert passes(DAYS, EACH, most_rows=200, most_days=None) == {"2026-01-03": 1, "2026-01-31": 1, "2026-02-01": 2}
    assert passes(DAYS, EACH, most_rows=199, most_days=None) == {"2026-01-03": 1, "2026-01-31": 2, "2026-02-01": 3}
    assert passes(DAYS, EACH, most_rows=300, most_days=None) == dict.fromkeys(DAYS, 1)


def test_a_pass_is_no_shorter_than_what_it_reads_back() -> None:
    assert passes(DAYS, EACH, most_rows=0, fewest_days=2) == {"2026-01-03": 1, "2026-01-31": 1, "2026-02-01": 2}
    assert passes(DAYS, EACH, most_rows=0, fewest_days=36_500) == dict.fromkeys(DAYS, 1)


def test_a_bound_of_days_holds_whatever_their_rows() -> None:
    assert passes(DAYS, {}, most_rows=1, most_days=2) == {"2026-01-03": 1, "2026-01-31": 1, "2026-02-01": 2}


def planned(model: plan.Model, most_rows: float) -> list[tuple[str, str, str, int]]:
    """The model planned on all days, each of which has 100 rows of accounts and 50 of posts."""
    rows = {"account_snapshots": 100, "post_snapshots": 50}
    files = [StoredFile("path", "sha", "batch", feed, day, number) for feed, number in rows.items() for day in DAYS]
    day = date(2026, 2, 1)
    made = plan.Plan("run", day, day, 0, {model.name: dict.fromkeys(DAYS, "why")})
    return sorted(planned_parts(made, [model], files, most_rows))


def test_rows_are_those_of_the_feeds_of_a_model() -> None:
    accounts, both = (plan.Model("m", "", True, frozenset(feeds)) for feeds in (["account_snapshots"], ["account_snapshots", "post_snapshots"]))  # fmt: skip
    assert [row[3] for row in planned(accounts, 200)] == [1, 1, 2]
    assert [row[3] for row in planned(both, 200)] == [1, 2, 3]


def test_a_model_of_heavy_rows_takes_fewer() -> None:
    heavy = plan.Model("m", "", True, frozenset(["account_snapshots"]), row_weight=2)
    assert [row[3] for row in planned(heavy, 200)] == [1, 2, 3]


def test_a_checkpoint_is_made_in_one_pass() -> None:
    assert [row[3] for row in planned(plan.Model("m", "", True, absorbs=True), 1)] == [1, 1, 1]


def test_months_are_planned_by_their_first_days() -> None:
    model = plan.Model("m", "", True, part=PartColumn("activity_date", "month"))
    assert planned(model, 300) == [("m", "2026-01-01", "why", 1), ("m", "2026-02-01", "why", 2)]
