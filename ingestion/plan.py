"""The plan of a run: which dates of which model it replaces, and why. Written to state before anything is built.

A run builds its own day, the dates that accepted or retired batches made dirty, and forward as far as each model
looks back; a changed model, seed or setting plans the model's full history. A date stays dirty until a release that
contains it is published.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from ingestion import ledger
from ingestion.config import Settings
from ingestion.contracts import load_feeds

RUN_DAY = "day of the run"
DIRTY = "files came or were taken back"
FORWARD = "looks back to a changed day"
CHANGED = "model, seed or setting changed"


@dataclass(frozen=True)
class Model:
    """What the planner must know of a dbt model.

    Args:
        fingerprint: changes with the model's code, or that of anything it is made from, undated feeds among it.
        windowed: whether it is replaced by date; any other is rebuilt whole by every run.
        look_back_days: how many days before a date its rows depend on.
        look_back_by_feed: the same for a feed on which they depend further or less far back.
        feeds: the feeds that it is made from, null for all.
        code: the fingerprint of its code alone.
    """

    name: str
    fingerprint: str
    windowed: bool
    look_back_days: int = 0
    feeds: frozenset[str] | None = None
    code: str = ""
    look_back_by_feed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Dates per model with the reason; `cap` is the last day that may be built."""

    run_id: str
    day: date
    cap: date
    dirty_upto: int
    dates: dict[str, dict[str, str]] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    has_dirty: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing to build: no date is planned, no model changed and no feed brought anything to one built whole."""
        return not self.changed and not self.has_dirty and not any(self.dates.values())

    @property
    def all_dates(self) -> list[str]:
        return sorted({day for days in self.dates.values() for day in days})

    @property
    def window(self) -> tuple[str, str] | tuple[None, None]:
        days = self.all_dates
        return (days[0], days[-1]) if days else (None, None)

    def table(self) -> list[tuple[str, int, str, str]]:
        """One row per model and reason: model, dates, span, reason."""
        rows = []
        for model, days in self.dates.items():
            for reason in sorted(set(days.values())):
                of_reason = sorted(day for day, why in days.items() if why == reason)
                span = of_reason[0] if len(of_reason) == 1 else f"{of_reason[0]} .. {of_reason[-1]}"
                rows.append((model, len(of_reason), span, reason))
        return rows


def make(settings: Settings, run_id: str, day: date, models: list[Model], fresh_build: bool) -> Plan:
    """Make the plan of a run and write it to state, replacing an earlier one of the same run.

    Args:
        fresh_build: the build database is new, so every model is planned in full.
    """
    with ledger.write(settings) as connection:
        cap = last_buildable_day(connection, day)
        dirty_upto = connection.execute("select coalesce(max(id), 0) from dirty_dates").fetchone()[0]
        dirty = _days_by_feed(connection, "dirty_dates", cap)
        landed = _days_by_feed(connection, "raw_files", cap)
        is_released = connection.execute("select 1 from released_dates where snapshot_date = ?", (str(day),)).fetchone()
        known = {row["mart"]: row for row in connection.execute("select * from mart_state")}
        dates: dict[str, dict[str, str]] = {}
        changed = []
        for model in models:
            state = known.get(model.name)
            is_same = state is not None and state["built"] == state["released"] == model.fingerprint
            if fresh_build or not is_same:
                changed.append(model.name)
            if model.windowed:
                dates[model.name] = _dates_of(
                    model, model.name in changed, day, bool(is_released), dirty, _of(model, landed)
                )
        has_dirty = any(_of(model, dirty) for model in models)
        plan = Plan(run_id, day, date.fromisoformat(cap), dirty_upto, dates, tuple(changed), has_dirty)
        _record(connection, plan, models)
    return plan


def last_buildable_day(connection: sqlite3.Connection, day: date) -> str:
    """Last day that may be built: the run's own, or a later one that an earlier run has built already."""
    earlier = connection.execute("select max(cap) from plans where state <> 'unchanged'").fetchone()[0]
    return max(str(day), earlier or "")


def _days_by_feed(connection: sqlite3.Connection, table: str, cap: str) -> dict[str, set[str]]:
    """Dates up to `cap` per feed. A feed without a day of its own plans no date: its models change with it."""
    days: dict[str, set[str]] = {}
    query = f"select distinct feed, snapshot_date from {table} where snapshot_date <= ?"
    undated = undated_feeds()
    for row in connection.execute(query, (cap,)):
        if row["feed"] not in undated:
            days.setdefault(row["feed"], set()).add(row["snapshot_date"])
    return days


def undated_feeds() -> set[str]:
    """Feeds whose rows have no day of their own: models see all of their accepted rows at any day."""
    return {name for name, feed in load_feeds().items() if feed.day is None}


def _of(model: Model, days: dict[str, set[str]]) -> set[str]:
    return {day for feed, found in days.items() if model.feeds is None or feed in model.feeds for day in found}


def _dates_of(
    model: Model, is_changed: bool, day: date, is_released: bool, dirty: dict[str, set[str]], landed: set[str]
) -> dict[str, str]:
    planned: dict[str, str] = {}
    if is_changed:
        planned |= dict.fromkeys(landed, CHANGED)
    else:
        planned |= dict.fromkeys(_forward(model, dirty, landed), FORWARD)
    planned |= dict.fromkeys(_of(model, dirty), DIRTY)
    if not is_released:
        planned[str(day)] = RUN_DAY
    return dict(sorted(planned.items()))


def _forward(model: Model, dirty: dict[str, set[str]], landed: set[str]) -> set[str]:
    """Landed dates from which the model looks back to a date that is dirty in one of its feeds."""
    found: set[str] = set()
    for feed in dirty:
        reach = timedelta(days=model.look_back_by_feed.get(feed, model.look_back_days))
        starts = sorted(date.fromisoformat(text) for text in _of(model, {feed: dirty[feed]})) if reach else []
        found |= {
            text
            for text in landed - found
            if any(start < date.fromisoformat(text) <= start + reach for start in starts)
        }
    return found


def _record(connection: sqlite3.Connection, plan: Plan, models: list[Model]) -> None:
    fingerprints = {model.name: model.fingerprint for model in models}
    connection.execute(
        "insert or replace into plans values (?, ?, ?, ?, ?, ?, ?)",
        (
            plan.run_id, str(plan.day), ledger.stamp(), plan.dirty_upto, str(plan.cap),
            json.dumps(fingerprints, sort_keys=True), "unchanged" if plan.is_empty else "planned",
        ),
    )  # fmt: skip
    connection.execute("delete from plan_dates where run_id = ?", (plan.run_id,))
    connection.executemany(
        "insert into plan_dates values (?, ?, ?, ?)",
        [(plan.run_id, model, day, why) for model, days in plan.dates.items() for day, why in days.items()],
    )
    if not plan.is_empty:
        # Written before the build: what a crash leaves half-built under new code is planned in full again.
        connection.executemany(
            "insert into mart_state values (?, ?, null) on conflict (mart) do update set built = excluded.built",
            fingerprints.items(),
        )


def load(connection: sqlite3.Connection, run_id: str) -> Plan | None:
    """The stored plan of a run, null where it has none."""
    row = connection.execute("select * from plans where run_id = ?", (run_id,)).fetchone()
    if row is None:
        return None
    dates: dict[str, dict[str, str]] = {}
    for item in connection.execute("select * from plan_dates where run_id = ? order by snapshot_date", (run_id,)):
        dates.setdefault(item["mart"], {})[item["snapshot_date"]] = item["reason"]
    return Plan(run_id, date.fromisoformat(row["day"]), date.fromisoformat(row["cap"]), row["dirty_upto"], dates)


def is_unchanged(connection: sqlite3.Connection, run_id: str) -> bool:
    """Whether the run's plan found nothing to build."""
    row = connection.execute("select state from plans where run_id = ?", (run_id,)).fetchone()
    return row is not None and row["state"] == "unchanged"


def is_superseded(connection: sqlite3.Connection, plan: Plan) -> bool:
    """Whether a later release holds all dates of this plan, with everything that was dirty when it was made."""
    still_dirty = connection.execute(
        "select 1 from dirty_dates where id <= ? and snapshot_date <= ?", (plan.dirty_upto, str(plan.cap))
    ).fetchone()
    released = {row[0] for row in connection.execute("select snapshot_date from released_dates")}
    return still_dirty is None and set(plan.all_dates) <= released
