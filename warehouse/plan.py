"""The plan of a run: which dates of which model it replaces, and why. Written to state before anything is built.

A run builds its own day, the dates that accepted or retired batches made dirty, and forward as far as each model
looks back; a changed model, seed or setting plans the model's full history. A date stays dirty until a release that
contains it is published. A rebuild asks for a range on top of that.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from ingestion import ledger, raw
from ingestion.config import Settings, utc_now
from ingestion.contracts import load_feeds, undated_feeds
from ingestion.errors import ContractError, UsageError
from warehouse.parts import PartColumn

RUN_DAY = "day of the run"
DIRTY = "files came or were rejected, or a rollback"
FORWARD = "looks back to a changed day"
CHANGED = "model, seed or setting changed"
IN_RANGE = "in the backfill range"
# How many missing days a line names.
NAMED = 10


@dataclass(frozen=True)
class Model:
    """What the planner must know of a dbt model.

    Args:
        fingerprint: changes with the model's code, or that of anything it is made from, undated feeds among it.
        windowed: whether it is replaced by date; any other is rebuilt whole by every run.
        reach: how many days before a date its rows depend on a feed, by feed (`build.reach`).
        feeds: the feeds that it is made from, null for all.
        code: the fingerprint of its code alone.
        ancestors: names of the models that it is made from, directly or not.
        part: the column by which it is replaced, hashed and published; null where it is one whole.
        days_in_one_pass: how many planned days it makes at once at most; null where rows alone bound a pass.
        row_weight: how many times the usual memory a planned row takes while it is made.
        reads_back: how many days before its planned ones it reads, itself or through views.
        absorbs: whether it is a checkpoint, which reads itself and is made in one pass.
        renewed: whether a run makes those of its rows anew that may have changed, by key.
    """

    name: str
    fingerprint: str
    windowed: bool
    feeds: frozenset[str] | None = None
    code: str = ""
    reach: Mapping[str, int] = field(default_factory=dict)
    ancestors: frozenset[str] = frozenset()
    part: PartColumn | None = None
    days_in_one_pass: int | None = None
    row_weight: float = 1
    reads_back: int = 0
    absorbs: bool = False
    renewed: bool = False


@dataclass(frozen=True)
class BackfillRange:
    """The range of a rebuild, first and last day included.

    Args:
        marts: only these and what they are made from; empty for all. What is dirty or changed is planned as ever.
        left_out: days whose raw files are damaged or gone: they keep the rows that they have, and stay dirty.
        missing: feed and day of snapshots that were never taken in, or were rejected.
    """

    first: str
    last: str
    marts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Dates per model with the reason; `build_through` is the last day that may be built."""

    run_id: str
    day: date
    build_through: date
    dirty_upto: int
    dates: dict[str, dict[str, str]] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    has_dirty: bool = False
    backfill_range: BackfillRange | None = None

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

    def lines(self) -> list[str]:
        """The plan for people: a line per model and reason, then the models that are rebuilt whole."""
        lines = [
            f"plan  {model:<34} {count:>4} {'date ' if count == 1 else 'dates'}  {span:<24}  {why}"
            for model, count, span, why in self.table()
        ]
        whole = [model for model in self.changed if not self.dates.get(model)]
        lines += [f"plan  {model:<34} whole {'':<29}  {CHANGED}" for model in whole if model not in self.dates]
        if self.backfill_range:
            lines += _missing_lines(self.backfill_range)
            lines += [
                f"plan  {day}: raw is damaged or gone; its rows stay as they are"
                for day in self.backfill_range.left_out
            ]
        return lines

    def table(self) -> list[tuple[str, int, str, str]]:
        """One row per model and reason: model, dates, span, reason."""
        rows = []
        for model, days in self.dates.items():
            for reason in sorted(set(days.values())):
                of_reason = sorted(day for day, why in days.items() if why == reason)
                span = of_reason[0] if len(of_reason) == 1 else f"{of_reason[0]} .. {of_reason[-1]}"
                rows.append((model, len(of_reason), span, reason))
        return rows


def _missing_lines(backfill_range: BackfillRange) -> list[str]:
    """A line per feed of snapshots that has no rows on some of the days of the range."""
    days: dict[str, list[str]] = {}
    for feed, day in backfill_range.missing:
        days.setdefault(feed, []).append(day)
    return [
        f"plan  no {feed} in raw on {len(missing)} of the days of the range: {', '.join(missing[:NAMED])}"
        + (f" and {len(missing) - NAMED} more" if len(missing) > NAMED else "")
        for feed, missing in days.items()
    ]


def make(
    settings: Settings,
    run_id: str,
    day: date,
    models: list[Model],
    fresh_build: bool,
    backfill_range: BackfillRange | None = None,
) -> Plan:
    """Make the plan of a run and write it to state, replacing an earlier one of the same run.

    Args:
        fresh_build: the build database is new, so every model is planned in full.
        backfill_range: the range of a rebuild.
    """
    with ledger.write(settings) as connection:
        left_days = _left_days(settings, connection, models)
        plan = compute(connection, run_id, day, models, fresh_build, backfill_range, left_days)
        _record(connection, plan, models)
    return plan


def compute(
    connection: ledger.Connection,
    run_id: str,
    day: date,
    models: list[Model],
    fresh_build: bool,
    backfill_range: BackfillRange | None = None,
    left_days: Mapping[str, set[str]] = MappingProxyType({}),
) -> Plan:
    """What a run would replace as state stands; nothing is written.

    Args:
        left_days: by feed, days that a record may have left for another.
    """
    build_through = ledger.last_buildable_day(connection, day)
    dirty_upto = ledger.newest_dirty(connection)
    dirty = _days_by_feed(ledger.dirty_dates(connection, build_through))
    for feed, days in left_days.items():
        dirty.setdefault(feed, set()).update(left for left in days if left <= build_through)
    landed = _days_by_feed(ledger.landed_dates(connection, build_through))
    is_released = ledger.is_released(connection, str(day))
    let_go = set(ledger.empty_days(connection))
    known = ledger.mart_states(connection)
    selected = _selected(models, backfill_range)
    dates: dict[str, dict[str, str]] = {}
    changed = []
    for model in models:
        state = known.get(model.name)
        is_same = state is not None and state["built"] == state["released"] == model.fingerprint
        is_changed = fresh_build or not is_same
        if is_changed:
            changed.append(model.name)
        if model.windowed:
            planned = _dates_of(model, is_changed, day, is_released, dirty, _of(model, landed))
            if backfill_range:
                planned = _with_range(planned, backfill_range, _of(model, landed), is_changed, model.name in selected)
            dates[model.name] = {when: why for when, why in planned.items() if when not in let_go}
    has_dirty = any(_of(model, dirty) for model in models)
    return Plan(
        run_id, day, date.fromisoformat(build_through), dirty_upto, dates, tuple(changed), has_dirty, backfill_range
    )


def _left_days(settings: Settings, connection: ledger.Connection, models: list[Model]) -> dict[str, set[str]]:
    """By feed, days on which other files have a record that is in a file that came or was rejected.

    A record stands on the day that its latest file says, so it may leave another. A capture cannot: its instant is part
    of what it is.
    """
    of_windows = {feed for model in models if model.windowed for feed in model.feeds or load_feeds()}
    changed = ledger.dirty_batches(connection)
    files = ledger.raw_files_with_state(connection)
    found: dict[str, set[str]] = {}
    for name, feed in load_feeds().items():
        if name in of_windows and feed.date and feed.date not in feed.key:
            mine = [file["path"] for file in files if file["feed"] == name and file["batch_id"] in changed]
            counting = {f["path"]: f["snapshot_date"] for f in files if f["feed"] == name and f["state"] == "accepted"}
            if mine and counting:
                found[name] = raw.days_of_keys(settings, feed, mine, counting)
    return found


def _selected(models: list[Model], backfill_range: BackfillRange | None) -> set[str]:
    """Names of the models that a rebuild is asked for. Raises ContractError for a mart that there is none of."""
    by_name = {model.name: model for model in models}
    if not backfill_range or not backfill_range.marts:
        return set(by_name)
    unknown = sorted(set(backfill_range.marts) - set(by_name))
    if unknown:
        marts = ", ".join(sorted(name for name in by_name if name.startswith(("dim_", "fct_", "bridge_"))))
        raise UsageError(f"no mart is named {', '.join(unknown)}; there are: {marts}")
    return set(backfill_range.marts).union(*(by_name[name].ancestors for name in backfill_range.marts))


def _with_range(
    planned: dict[str, str], backfill_range: BackfillRange, landed: set[str], is_changed: bool, is_selected: bool
) -> dict[str, str]:
    """A model's dates with the backfill range, without the days whose raw is lost; a changed model needs those too."""
    if is_selected:
        planned = {day: IN_RANGE for day in landed if backfill_range.first <= day <= backfill_range.last} | planned
    kept_out = set() if is_changed else set(backfill_range.left_out)
    return {day: why for day, why in sorted(planned.items()) if day not in kept_out}


def check_order(first: date, last: date) -> None:
    """Raise ContractError for a range that can never be: reversed, or in the future."""
    today = utc_now().date()
    if last < first:
        raise UsageError(f"the range {first} .. {last} is reversed; name the earlier day first")
    if last > today:
        raise UsageError(f"the range {first} .. {last} is in the future; today is {today} (UTC)")


def resolve(
    settings: Settings, first: date, last: date, marts: Iterable[str] = (), run_id: str | None = None
) -> tuple[BackfillRange, date]:
    """The range of a rebuild against what raw holds, and the day of the run: the last one with raw in it.

    Args:
        run_id: the run that asks, which hashes each raw file once; null for one who only looks.

    Raises ContractError when the range is reversed, in the future or before the first raw day; it names the range
    that exists.
    """
    dated = {name: feed for name, feed in load_feeds().items() if feed.day}
    with ledger.read(settings) as connection:
        files = [file for file in ledger.accepted_raw_files(connection) if file.feed in dated]
        let_go = ledger.empty_days(connection)
    if not files:
        raise ContractError("raw holds no day yet: put files into landing and run `make nightly`")
    days = sorted({file.snapshot_date for file in files})
    exists = f"raw holds {days[0]} .. {days[-1]}"
    if let_go:
        exists += f"; {let_go[0]} .. {let_go[-1]} were let go (`groundswell terms`), and are never rebuilt"
    try:
        check_order(first, last)
    except ContractError as error:
        raise UsageError(f"{error}; {exists}") from error
    if str(first) < days[0]:
        raise UsageError(f"the range {first} .. {last} begins before the first raw day; {exists}")
    span = [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]
    within = [file for file in files if str(first) <= file.snapshot_date <= str(last)]
    windowed = [file for file in within if dated[file.feed].visible == "planned_days"]
    lost = {path for path, _ in raw.damaged(settings, [file.seal for file in windowed], run_id)}
    left_out = sorted({file.snapshot_date for file in windowed if file.path in lost})
    held = {(file.feed, file.snapshot_date) for file in windowed}
    feeds = sorted({file.feed for file in files if dated[file.feed].visible == "planned_days"})
    missing = tuple((feed, day) for feed in feeds for day in span if (feed, day) not in held and day not in let_go)
    built = sorted({file.snapshot_date for file in within} - set(left_out))
    backfill_range = BackfillRange(str(first), str(last), tuple(sorted(set(marts))), tuple(left_out), missing)
    return backfill_range, date.fromisoformat(built[-1]) if built else last


def _days_by_feed(rows: list[ledger.Row]) -> dict[str, set[str]]:
    """Dates per feed. A feed without a day of its own plans no date: its models change with it."""
    days: dict[str, set[str]] = {}
    undated = undated_feeds()
    for row in rows:
        if row["feed"] not in undated:
            days.setdefault(row["feed"], set()).add(row["snapshot_date"])
    return days


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
        reach = timedelta(days=model.reach.get(feed, 0))
        starts = sorted(date.fromisoformat(text) for text in _of(model, {feed: dirty[feed]})) if reach else []
        found |= {
            text
            for text in landed - found
            if any(start < date.fromisoformat(text) <= start + reach for start in starts)
        }
    return found


def _record(connection: ledger.Connection, plan: Plan, models: list[Model]) -> None:
    fingerprints = {model.name: model.fingerprint for model in models}
    ledger.record_plan(
        connection,
        plan.run_id,
        str(plan.day),
        plan.dirty_upto,
        str(plan.build_through),
        json.dumps(fingerprints, sort_keys=True),
        "unchanged" if plan.is_empty else "planned",
        [(model, day, why) for model, days in plan.dates.items() for day, why in days.items()],
        json.dumps(asdict(plan.backfill_range)) if plan.backfill_range else None,
    )
    if not plan.is_empty:
        # Written before the build: what a crash leaves half-built under new code is planned in full again.
        ledger.record_built(connection, fingerprints.items())


def load(connection: ledger.Connection, run_id: str) -> Plan | None:
    """The stored plan of a run, null where it has none."""
    row = ledger.plan_of(connection, run_id)
    if row is None:
        return None
    dates: dict[str, dict[str, str]] = {}
    for item in ledger.dates_of_plan(connection, run_id):
        dates.setdefault(item["mart"], {})[item["snapshot_date"]] = item["reason"]
    stored = ledger.range_of_plan(connection, run_id)
    backfill_range = _range_of(json.loads(stored)) if stored else None
    day, build_through = date.fromisoformat(row["day"]), date.fromisoformat(row["cap"])
    return Plan(run_id, day, build_through, row["dirty_upto"], dates, backfill_range=backfill_range)


def _range_of(stored: dict[str, Any]) -> BackfillRange:
    """A range as it was stored: JSON knows no tuples."""
    missing = tuple((feed, day) for feed, day in stored["missing"])
    return BackfillRange(stored["first"], stored["last"], tuple(stored["marts"]), tuple(stored["left_out"]), missing)


def is_superseded(connection: ledger.Connection, plan: Plan) -> bool:
    """Whether a later release holds all dates of this plan, with everything that was dirty when it was made."""
    still_dirty = ledger.is_dirty(connection, plan.dirty_upto, str(plan.build_through))
    return not still_dirty and set(plan.all_dates) <= ledger.released_dates(connection)
