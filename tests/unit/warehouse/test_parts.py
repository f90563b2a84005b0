"""Parts by days and by months: their names, their first days, and the condition of their rows."""

import duckdb

from warehouse.parts import PartColumn

DAYS = ["2026-02-28", "2025-12-31", "2026-02-01"]
BY_DAY, BY_MONTH = PartColumn("activity_date"), PartColumn("activity_date", "month")


def test_days_are_parts_of_their_own_and_months_hold_theirs() -> None:
    assert BY_DAY.labels(DAYS) == ["2025-12-31", "2026-02-01", "2026-02-28"]
    assert BY_MONTH.labels(DAYS) == ["2025-12", "2026-02"]
    assert (BY_DAY.first_day("2026-02-28"), BY_MONTH.first_day("2026-02-28")) == ("2026-02-28", "2026-02-01")


def test_conditions_and_names_agree() -> None:
    series = "generate_series(date '2025-11-30', date '2026-03-01', interval 1 day)"
    rows = f"(select cast(unnest({series}) as date) as activity_date)"
    for part, labels in ((BY_DAY, DAYS), (BY_MONTH, ["2025-12", "2026-02"])):
        found = duckdb.sql(f"select distinct {part.label_sql} from {rows} where {part.only(labels)}").fetchall()
        assert sorted(label for (label,) in found) == sorted(labels)
        assert duckdb.sql(f"select count(*) from {rows} where {part.only([])}").fetchall() == [(0,)]
    assert duckdb.sql(f"select count(*) from {rows} where {BY_MONTH.only(['2026-02'])}").fetchall() == [(28,)]


def test_rows_without_a_date_are_a_part_of_their_own() -> None:
    rows = "(select unnest([date '2026-02-28', null, null, date '2026-03-01']) as activity_date)"
    for part, label in ((BY_DAY, "2026-02-28"), (BY_MONTH, "2026-02")):
        found = duckdb.sql(f"select {part.label_sql} as part, count(*) from {rows} group by 1 order by 1").fetchall()
        assert found == [(label, 1), (part.label("2026-03-01"), 1), ("unknown", 2)]
        for labels, count in (([label], 1), (["unknown"], 2), (["unknown", label], 3)):
            assert duckdb.sql(f"select count(*) from {rows} where {part.only(labels)}").fetchall() == [(count,)]
