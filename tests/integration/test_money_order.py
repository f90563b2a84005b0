"""Money through landing, build and release: late, split and day by day gives what all at once gives."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR, Settings

from . import night
from .conftest import OPERATIONAL, make_settings, reading

pytestmark = pytest.mark.usefixtures("money_alone")

FIXTURE = PROJECT_DIR / "tests" / "fixtures" / "money_by_hand"
LAST_DAY = date(2026, 2, 28)
Row = dict[str, str]


def deliver(settings: Settings, name: str, keep: Callable[[str, Row], bool] = lambda feed, row: True) -> None:
    """Drop the rows of the hand-worked world that are kept, one file a feed."""
    for path in sorted(FIXTURE.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as source:
            rows = [row for row in csv.DictReader(source) if keep(path.stem, row)]
        if rows:
            target = settings.landing / path.stem / f"{path.stem}_{name}.csv"
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


def attribution(settings: Settings) -> set[tuple[object, ...]]:
    with reading(settings) as marts:
        return set(marts.execute("select * from marts.fct_attribution").fetchall())


LINEAGE = ("source_file", "source_line", "batch_id")


def figures(settings: Settings) -> dict[str, set[tuple[object, ...]]]:
    """Rows of each mart of the latest release without the file and line that each came from: those differ."""
    with reading(settings) as marts:
        columns: dict[str, list[str]] = {}
        for mart, column in marts.execute(
            "select table_name, column_name from information_schema.columns where table_schema = 'marts'"
        ).fetchall():
            if mart not in OPERATIONAL and column not in LINEAGE:
                columns.setdefault(mart, []).append(column)
        return {
            mart: set(marts.execute(f"select {', '.join(names)} from marts.{mart}").fetchall())
            for mart, names in columns.items()
        }


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The whole world in one night."""
    settings = make_settings(tmp_path_factory.mktemp("at_once") / "data")
    deliver(settings, "all")
    night.run(settings, "run", LAST_DAY)
    return settings


def is_late(feed: str, row: Row) -> bool:
    return feed == "touches" and row["customer_id"] == "c2"


def test_late_touches_change_exactly_the_rows_of_their_orders(at_once: Settings, tmp_path: Path) -> None:
    """The touches of c2, who ordered o2 and renewed with o3, arrive when all is published."""
    settings = make_settings(tmp_path / "late")
    deliver(settings, "first", lambda feed, row: not is_late(feed, row))
    night.run(settings, "run 1", date(2026, 2, 23))
    deliver(settings, "late", is_late)
    # Five days later; nothing else happened in between, but time.
    before = attribution(settings)
    night.run(settings, "run 2", LAST_DAY)
    after = attribution(settings)
    assert {row[1] for row in before ^ after} == {"o2", "o3"}
    # The code's owner had it all along; its order is no longer one without a click.
    shown = "select code_without_click, credit from marts.fct_attribution where order_id = 'o2' and attribution_model = 'promo_code'"
    with reading(settings) as marts:
        assert marts.execute(shown).fetchall() == [(False, 1)]
    assert ("o2", "promo_code", "K2", True) in {(*row[1:4], row[13]) for row in before}
    assert figures(settings) == figures(at_once)


def test_a_file_split_in_two_and_nights_apart_give_equal_marts(at_once: Settings, tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "split")
    # Every other row of each feed by its text, so that the halves of an order and its refund come apart.
    halves = [lambda feed, row, half=half: sum(map(ord, "".join(row.values()))) % 2 == half for half in (0, 1)]
    deliver(settings, "second", halves[1])
    night.run(settings, "run 1", date(2026, 1, 20))
    deliver(settings, "first", halves[0])
    night.run(settings, "run 2", date(2026, 2, 10))
    night.run(settings, "run 3", LAST_DAY)
    assert figures(settings) == figures(at_once)


def test_another_base_currency_rebuilds_the_money(at_once: Settings) -> None:
    before = attribution(at_once)
    euro = at_once.model_copy(update={"base_currency": "EUR"})
    night.run(euro, "euro", LAST_DAY)
    rows = [row for row in attribution(euro) if row[1] == "o4" and row[2] == "linear"]
    # Rates to USD are none to EUR: o4's own 30 EUR are left (50 net less 20 refunded), dollars have no rate.
    with reading(euro) as marts:
        assert marts.execute(
            "select order_id, credited_net_revenue_base, base_currency from marts.fct_attribution"
            " where attribution_model = 'linear' and order_id in ('o1', 'o4') order by 1, 2"
        ).fetchall() == [("o1", None, "EUR"), ("o1", None, "EUR"), ("o4", 30, "EUR")]
    assert len(rows) == 1
    night.run(at_once, "dollar", LAST_DAY)
    assert attribution(at_once) == before
