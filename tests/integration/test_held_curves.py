"""How many real counts are held: the bundled curves, by the project's models and by the rule written out once more."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from bench.trust import warehouse, world
from ingestion import raw
from ingestion.config import Settings
from ingestion.lease import hold
from warehouse.build import run as build

Held = set[tuple[str, str, date]]
MODELS = ("int_snapshot__counts_captured", "int_snapshot__counts_held")


def curves() -> list[tuple[str, date, int | None, int | None]]:
    """Account, day, subscribers, views, with the zeros that the publisher wrote where a capture failed."""
    return duckdb.execute(
        "select account_id, day, subscribers, views from read_parquet(?) order by day, account_id", [str(world.CURVES)]
    ).fetchall()


def far_apart(one: int, other: int) -> bool:
    return max(one, other) >= max(1000, 5 * min(one, other))


def by_the_rule() -> Held:
    """Day by day as it is written: captures are a day apart and more, so each is 20 hours after the one before."""
    accepted: dict[tuple[str, str], tuple[int, date]] = {}
    candidate: dict[tuple[str, str], tuple[int, bool]] = {}
    held: Held = set()
    days: dict[date, list[tuple[str, str, int]]] = {}
    accounts = Counter(day for _, day, _, _ in curves())
    for account, day, subscribers, views in curves():
        counts = (("followers", subscribers), ("views_total", views))
        days.setdefault(day, []).extend((account, metric, count) for metric, count in counts if count is not None)
    for day, counts in sorted(days.items()):
        found: list[tuple[tuple[str, str], int, bool]] = []
        for account, metric, count in counts:
            key = (account, metric)
            last, known_on = accepted.get(key, (None, day))
            is_implausible = last is not None and (
                (count == 0 and last >= 1000) or (far_apart(count, last) and day - known_on <= timedelta(30))
            )
            again, is_barred = candidate.get(key, (0, False))
            says_the_same = min(count, again) > 0 and max(count, again) <= 2 * min(count, again)
            if is_implausible and not (says_the_same and not is_barred):
                found.append((key, count, is_barred and says_the_same))
            else:
                accepted[key] = (count, day)
                candidate.pop(key, None)
        many = len({account for (account, _), _, _ in found})
        bars = many >= 5 and many > 0.02 * accounts[day]
        for key, count, was_barred in found:
            candidate[key] = (count, was_barred or bars)
            held.add((*key, day))
    return held


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("curves")
    settings = Settings(_env_file=None, data=folder / "data", settle_seconds=0.0)  # type: ignore[call-arg]
    raw.write_empty_schemas(settings)
    with hold(settings, "curves", "build_marts", warehouse.quiet) as lease:
        build.build_marts(settings, "curves", date(2020, 1, 1), lease, warehouse.quiet)
    with closing(duckdb.connect(str(settings.build_db))) as connection:
        connection.execute(
            "create or replace view raw.account_snapshots as select 'youtube' as platform, account_id,"
            " day + interval 3 hour as captured_at, day as snapshot_date, subscribers as followers,"
            f" views as views_total, null::timestamp as as_of, 1 as arrival_order from read_parquet('{world.CURVES}')"
        )
        connection.execute("delete from meta.plan")
        connection.execute(
            "insert into meta.plan (model, snapshot_date, pass_number) select model, day,"
            " case when model like '%held' then dense_rank() over (order by day) else 1 end"
            f" from (select distinct day from read_parquet('{world.CURVES}')), (select unnest(?) as model)",
            [list(MODELS)],
        )
    warehouse.run_dbt(settings, folder, Path(warehouse.dbt.DBT_PROJECT), MODELS)
    with closing(duckdb.connect(str(settings.build_db), read_only=True)) as connection:
        yield connection


def test_few_real_counts_are_held_and_most_of_them_are_zeros(built: duckdb.DuckDBPyConnection) -> None:
    rows = built.execute(
        "select account_id, metric, snapshot_date, captured_count from intermediate.int_snapshot__counts_held"
    ).fetchall()
    assert {(account, metric, day) for account, metric, day, _ in rows} == by_the_rule()
    # Of 121,936 captures. The ten are totals of views that fell to a tenth and less, or rose from it: each looked at.
    assert Counter((metric, count == 0) for _, metric, _, count in rows) == {
        ("followers", True): 5, ("views_total", True): 764, ("views_total", False): 10,
    }  # fmt: skip
