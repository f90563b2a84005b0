"""A delivery that withdraws very much stops a night, and one that does not passes."""

from collections.abc import Iterable

import duckdb
import pytest

from expectations.suites.marts import withdrawals
from ingestion import ledger
from ingestion.config import Settings


def suite_of(settings: Settings, rows: Iterable[tuple[str, str, int, float, float]]) -> dict[str, float | None]:
    """Values of the check for withdrawing deliveries: feed, batch, keys, share of keys, share of amount."""
    settings.build_db.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.build_db)) as build:
        build.execute("create schema staging; create schema meta")
        build.execute(
            "create table staging.stg_landing__withdrawing_deliveries (feed varchar, mapping varchar, as_of timestamp,"
            " keys_withdrawn bigint, share_of_keys double, share_of_amount double);"
            " create table meta.arrival (batch_id varchar, feed varchar, mapping varchar, as_of timestamp, file varchar)"
        )
        for feed, batch, *figures in rows:
            told = [feed, batch, "2026-01-05"]
            build.execute(
                "insert into staging.stg_landing__withdrawing_deliveries values (?, ?, ?, ?, ?, ?)", [*told, *figures]
            )
            build.execute("insert into meta.arrival values (?, ?, ?, ?, 'f.csv')", [batch, *told])
    with ledger.write(settings) as connection:
        connection.execute(
            "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since) values ('orders', '2026-01-05', 'new', 'accepted', '')"
        )
    made = withdrawals.suite(settings)
    return (
        {} if made is None else {subject: cells["share_withdrawn_at_once"] for (subject, _), cells in made.rows.items()}
    )


@pytest.mark.parametrize(
    ("keys", "of_keys", "of_amount", "value"),
    [(11, 0.03, 0.01, 0.03), (11, 0.01, 0.5, 0.5), (10, 1.0, 1.0, 0.0), (500, 0.01, 0.02, 0.02)],
)
def test_more_than_ten_keys_count_by_their_share(
    settings: Settings, keys: int, of_keys: float, of_amount: float, value: float
) -> None:
    found = suite_of(settings, [("orders", "new", keys, of_keys, of_amount)])
    assert list(found.values()) == [value]
    limit = withdrawals.checks()[0].threshold.maximum
    assert limit is not None
    assert (value > limit) == (keys == 11)


def test_what_a_release_holds_already_is_not_evaluated_again(settings: Settings) -> None:
    assert suite_of(settings, [("orders", "old", 500, 0.9, 0.9)]) == {}
