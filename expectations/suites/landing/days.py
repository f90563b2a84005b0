"""What raw holds of each day of a feed, per platform: keys, known counts, and how they moved since the day before.

A day is measured from the accepted files that it has, whatever their number: of an account's captures the last one
counts, as in the marts. What was measured is kept in the ledger with the files that it was measured from, so that a
night reads its own days and the one before, and the days before those are known.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import duckdb

from expectations.suites.landing.files import RAW, File, verified
from ingestion import ledger, raw
from ingestion.config import Settings
from ingestion.contracts import Feed

# A change over a longer absence says nothing about last night.
MAX_GAP_DAYS = 7
# The middle of fewer accounts is one of a handful, and each of them is a tenth.
MIN_KEYS = 10
# With what is measured otherwise, or more, this number rises and kept measures are forgotten.
VERSION = 1
# Of feeds without platforms.
EVERYWHERE = ""
FOLLOWERS, VIEWS = "followers", "views_total"

# Whether a platform's day is not to be compared with, because a check of it has failed.
IsBad = Callable[[str, date, "Measures"], bool]


@dataclass
class Measures:
    """A day of a platform. Null: not known, or nothing to compare with.

    Args:
        keys: distinct accounts, posts, orders.
        known: per count the share of rows in which it is known.
        compared: of the keys those that the last good day before has too, within a week.
        changed: of the compared, the share of which any count has changed.
        factor: by how many times followers of the middle account moved, up or down; at least 1.
        direction: by how many times they rose; below 1 they fell.
        like_views: of the compared, the share whose followers are about the views of the day before.
        ever: accounts of the platform that any earlier day knows; null for a platform that none knows.
        seen_before: how many of them came today.
        elsewhere: a platform that knows them in its place, and how many of them.
    """

    keys: int
    known: dict[str, float] = field(default_factory=dict)
    before: str | None = None
    compared: int = 0
    changed: float | None = None
    factor: float | None = None
    direction: float | None = None
    like_views: float | None = None
    ever: int | None = None
    seen_before: int | None = None
    elsewhere: tuple[str, int] | None = None

    @property
    def share_known(self) -> float | None:
        """Of the accounts that could have come again the share that has; null for fewer than `MIN_KEYS`."""
        could = min(self.keys, self.ever or 0)
        return (self.seen_before or 0) / could if could >= MIN_KEYS else None

    @property
    def moved(self) -> float | None:
        """By how many times the middle account moved; null for fewer than `MIN_KEYS`."""
        return self.factor if self.compared >= MIN_KEYS else None


ByDay = dict[date, dict[str, Measures]]


def is_captured(feed: Feed) -> bool:
    """Whether rows are counts at an instant, so that a day holds all of them again."""
    return feed.time is not None and bool(feed.counts)


def measure(
    settings: Settings,
    reader: duckdb.DuckDBPyConnection,
    feed: Feed,
    files: dict[date, list[File]],
    fresh: Collection[date],
    run_id: str,
    is_bad: IsBad,
) -> ByDay:
    """Measures of every date that has files: those of `fresh` anew, of the others as they are kept, where they are.

    A date that is not of `fresh` and whose raw is damaged or gone is compared with nothing.
    Raises ContractError when a raw file of `fresh` is.
    """
    digests = {day: _digest(of_day) for day, of_day in files.items()}
    with ledger.read(settings) as connection:
        kept = ledger.day_measures(connection, feed.feed, str(min(files)), str(max(files))) if files else {}
    found: ByDay = {}
    to_read = []
    for day in sorted(files):
        measured_from, measures = kept.get(str(day), ("", ""))
        if day in fresh or measured_from != digests[day]:
            to_read.append(day)
        else:
            found[day] = _read_kept(measures)
    if to_read:
        worker = (_Captured if is_captured(feed) else _Flow)(settings, reader, feed, files, fresh, run_id, is_bad)
        to_read = [day for day in to_read if not worker.is_lost(day)]
        worker.measure(to_read, found)
        rows = {str(day): (digests[day], _to_keep(found[day])) for day in to_read}
        with ledger.write(settings) as connection:
            ledger.record_day_measures(connection, feed.feed, rows)
    return found


def _digest(files: Iterable[File]) -> str:
    return hashlib.sha256(" ".join([str(VERSION), *sorted(file.sha256 for file in files)]).encode()).hexdigest()


def _to_keep(measures: dict[str, Measures]) -> str:
    return json.dumps({platform: asdict(found) for platform, found in measures.items()}, sort_keys=True)


def _read_kept(text: str) -> dict[str, Measures]:
    return {platform: Measures(**found) for platform, found in json.loads(text).items()}


@dataclass
class _Worker:
    settings: Settings
    reader: duckdb.DuckDBPyConnection
    feed: Feed
    files: dict[date, list[File]]
    fresh: Collection[date]
    run_id: str
    is_bad: IsBad

    @property
    def platform(self) -> str:
        return "platform" if "platform" in self.feed.columns else f"'{EVERYWHERE}'"

    @property
    def key(self) -> str:
        """A row's key within its platform, in SQL."""
        names = [name for name in self.feed.key if name != "platform"]
        return names[0] if len(names) == 1 else f"hash({', '.join(names)})"

    def is_lost(self, day: date) -> bool:
        """Whether a day that nobody checks now has raw that is damaged or gone: its rows stay as they are."""
        seals = sorted(file.seal for file in self.files[day])
        return day not in self.fresh and bool(raw.damaged(self.settings, seals, self.run_id))

    def verified(self, days: Iterable[date]) -> dict[str, Any]:
        return verified(self.settings, self.feed, [file for day in days for file in self.files[day]], self.run_id)


class _Flow(_Worker):
    """Orders, clicks, costs: a day holds what happened on it."""

    def measure(self, days: list[date], found: ByDay) -> None:
        """Add the keys of these days, in one reading."""
        rows = self.reader.execute(
            f"select snapshot_date, {self.platform}, count(distinct {self.key}) from {RAW} group by all",
            self.verified(days),
        ).fetchall()
        found.update({day: {} for day in days})
        for day, platform, keys in rows:
            found[day][platform] = Measures(keys)


class _Captured(_Worker):
    """Counts of accounts and of posts: each day is compared with the last good one before it."""

    def measure(self, days: list[date], found: ByDay) -> None:
        """Add the measures of these days, in their order; at most two days are held at a time."""
        self.loaded: list[date] = []
        self.has_level = FOLLOWERS in self.feed.columns
        if self.has_level:
            self._load_known()
        for number, day in enumerate(days):
            measures = self._load(day)
            found[day] = measures
            bases = {platform: self._base(platform, day, found) for platform in measures}
            for base in sorted({base for base in bases.values() if base}):
                keys = sum(of_day.keys for of_day in found[base].values())
                self._hold_base(day, base, has_repeats=sum(file.rows for file in self.files[base]) != keys)
                self._compare(day, base, [name for name, of in bases.items() if of == base], measures)
            if self.has_level:
                self._look_up(day, measures)
                if number + 1 < len(days):
                    good = [name for name, of_day in measures.items() if not self.is_bad(name, day, of_day)]
                    self._remember(day, good)

    def _base(self, platform: str, day: date, found: ByDay) -> date | None:
        """The last day before on which a platform came, no check of it has failed, and of which raw is whole."""
        for back in range(1, MAX_GAP_DAYS + 1):
            before = day - timedelta(days=back)
            measures = found.get(before, {}).get(platform)
            if measures and not self.is_bad(platform, before, measures) and not self.is_lost(before):
                return before
        return None

    @staticmethod
    def _table(day: date) -> str:
        return f"day_{day:%Y%m%d}"

    def _load(self, day: date) -> dict[str, Measures]:
        """Hold a day's last captures as a table; returns its keys and known counts."""
        counts = self.feed.counts
        shares = ", ".join(f"count({name}) / count(*)" for name in counts)
        paths = self.verified([day])
        rows = self.reader.execute(
            f"select platform, count(*), count(distinct {self.key}), {shares} from {RAW} group by platform", paths
        ).fetchall()
        self._hold(day, paths, has_repeats=any(row[1] != row[2] for row in rows))
        return {row[0]: Measures(row[2], dict(zip(counts, row[3:], strict=True))) for row in rows}

    def _hold(self, day: date, paths: dict[str, Any], has_repeats: bool) -> None:
        if day in self.loaded:
            return
        counts = ", ".join(self.feed.counts)
        level = f", {FOLLOWERS}, {VIEWS}" if self.has_level else ""
        latest = (
            f"qualify row_number() over (partition by platform, {self.key}"
            f" order by {self.feed.time} desc, as_of desc nulls last, source_sha256 desc) = 1"
        )
        self.reader.execute(
            f"create or replace temp table {self._table(day)} as select platform, {self.key} as key{level},"
            f" hash({counts}) as counts, coalesce({counts}) is not null as has_counts from {RAW}"
            f" {latest if has_repeats else ''}",
            paths,
        )
        self.loaded.append(day)
        for old in self.loaded[:-2]:
            self.reader.execute(f"drop table {self._table(old)}")
        self.loaded = self.loaded[-2:]

    def _hold_base(self, day: date, base: date, has_repeats: bool) -> None:
        """Hold a day that another one is compared with, beside it."""
        if base not in self.loaded:
            self.loaded.remove(day)
            self.loaded.append(day)
            self._hold(base, self.verified([base]), has_repeats)
            self.loaded.sort()

    def _compare(self, day: date, base: date, platforms: list[str], measures: dict[str, Measures]) -> None:
        # A count of 0 has no logarithm and is compared with nothing: its share has a check of its own.
        moved = f"ln(nullif(now.{FOLLOWERS}, 0) / nullif(before.{FOLLOWERS}, 0))"
        level = (
            f"exp(median(abs({moved}))), exp(median({moved})),"
            f" avg((abs(ln(nullif(now.{FOLLOWERS}, 0) / nullif(before.{VIEWS}, 0))) < 0.2)::integer)"
        )
        rows = self.reader.execute(
            "select now.platform, count(*), avg((now.counts <> before.counts)::integer)"
            " filter (where now.has_counts and before.has_counts),"
            f" {level if self.has_level else 'null, null, null'}"
            f" from {self._table(day)} as now join {self._table(base)} as before using (platform, key)"
            " where now.platform in (select unnest($platforms)) group by now.platform",
            {"platforms": platforms},
        ).fetchall()
        for platform, compared, changed, factor, direction, like_views in rows:
            of_day = measures[platform]
            of_day.before, of_day.compared, of_day.changed = str(base), compared, changed
            of_day.factor, of_day.direction, of_day.like_views = factor, direction, like_views

    # --- accounts that were ever known

    def _load_known(self) -> None:
        """Hold every account that readers know already; none before the first release."""
        self.reader.execute("create or replace temp table known (platform varchar, key varchar)")
        for path in (self.settings.published / "latest" / "marts" / "dim_account").glob("*.parquet"):
            self.reader.execute(
                "insert into known select platform, account_id from read_parquet($path)"
                " where last_seen_date is not null",
                {"path": str(path)},
            )

    def _look_up(self, day: date, measures: dict[str, Measures]) -> None:
        rows = self.reader.execute(
            "with ever as (select platform, count(*) as accounts from known group by platform)"
            f" select now.platform, any_value(ever.accounts), count(known.key) from {self._table(day)} as now"
            " join ever using (platform) left join known using (platform, key) group by now.platform"
        ).fetchall()
        for platform, ever, seen in rows:
            of_day = measures[platform]
            of_day.ever, of_day.seen_before = ever, seen
            if seen * 2 < of_day.keys:
                of_day.elsewhere = self.reader.execute(
                    f"select known.platform, count(*) from {self._table(day)} as now join known using (key)"
                    " where now.platform = $platform and known.platform <> $platform group by all"
                    " order by 2 desc, 1 limit 1",
                    {"platform": platform},
                ).fetchone()

    def _remember(self, day: date, platforms: list[str]) -> None:
        self.reader.execute(
            f"insert into known select platform, key from {self._table(day)} as now"
            " where platform in (select unnest($platforms)) and not exists"
            " (select 1 from known where known.platform = now.platform and known.key = now.key)",
            {"platforms": platforms},
        )


def trailing(measures: ByDay, platform: str, day: date, days: int, since: str | None) -> dict[date, Measures]:
    """Days of a platform before a day on which it came, not before what a person has acknowledged."""
    found = {}
    for back in range(days, 0, -1):
        before = day - timedelta(days=back)
        of_day = measures.get(before, {}).get(platform)
        if of_day is not None and of_day.keys and (since is None or str(before) >= since):
            found[before] = of_day
    return found
