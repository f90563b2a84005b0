"""The checks of one feed's landed files; every feed has the same ones, per platform where it has one.

Did it arrive, in time, in the usual volume, with its rows, cells and columns? Of counts at an instant also: do they
move as counts do? Evaluated are the run's day and every date that no release holds yet, so a blocked night is evaluated
again by the next; of files, those that no release could hold yet. What a person has acknowledged begins a new usual.
"""

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from math import ceil, log
from statistics import median
from typing import Any

import duckdb

from expectations.suites import NAMED, Check, Severity, Suite, Threshold
from expectations.suites.landing import bounds, days, files, money
from expectations.suites.landing.days import EVERYWHERE, MIN_KEYS, ByDay, Measures
from ingestion import ledger, raw
from ingestion.config import Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.required import Required, required

# Evaluated in any night, and named after by files that no feed claims.
ACCOUNTS = "account_snapshots"

TRAILING_DAYS = 28
# Two days make no median worth blocking a night for; the sample's first three dates are never evaluated.
MIN_TRAILING_DATES = 3
WEEKS = 8
# One row is more than a twentieth of fewer.
MIN_ROWS_FOR_A_SHARE = 20
# A platform that is missing on an older day can be fetched no more.
MISSING_MATTERS_DAYS = 7
# The share of gaps that a silence must outlast to be one: weekends are honest, and one outage hides no other.
USUAL_GAPS = 0.9
# Where a count is known so rarely, its absence says nothing.
RARELY_KNOWN = 0.2

CELLS = "`make preview FILE=` shows the cells; a mapping says how they are read"
REJECT = (
    "reject a bad file with `make reject BATCH=` and the 12 characters of its batch, deliver a corrected one,"
    " and run again"
)
REST = f"deliver what is missing and run again; or {REJECT}"
ZEROS = f"{REJECT}; or its mapping says `zero_is_null`"


def checks(settings: Settings, name: str) -> list[Check]:
    """Checks of a feed with the bounds of the package. Raises ConfigError for a required feed that cannot be."""
    feed = load_feeds()[name]
    presence: Severity = "critical" if required(settings, name) else "warning"
    deliver = f"put the file under landing/{name}/ and run again, or take it out of GROUNDSWELL_REQUIRED_FEEDS"
    found = [
        Check("arrival", presence, bounds.ARRIVAL, deliver),
        Check("freshness_hours", presence, bounds.FRESHNESS_HOURS, deliver),
        Check("header_drift", "warning", bounds.HEADER_DRIFT, "if the names are meant, a mapping reads them"),
        Check("files_quarantined_whole", "warning", bounds.FILES_QUARANTINED, "`make doctor` says why each was"),
        Check("share_of_rows_quarantined", "warning", bounds.ROWS_QUARANTINED, "`make quarantine` writes the rows"),
        Check("share_of_cells_invalid", "warning", bounds.CELLS_INVALID, CELLS),
    ]
    if days.is_captured(feed):
        of_accounts = name == ACCOUNTS
        volume = bounds.VOLUME_OF_ACCOUNTS if of_accounts else bounds.VOLUME_OF_POSTS
        changed = bounds.CHANGED_COUNTS if of_accounts else bounds.CHANGED_POSTS
        change = bounds.CHANGE_OF_ACCOUNTS if of_accounts else bounds.CHANGE_OF_POSTS
        found += [
            Check("volume_against_trailing_median", "critical", volume, REST),
            Check("volume_change", "warning", change),
            Check("changed_against_usual", "critical", changed, REJECT),
            Check("known_counts_against_usual", "warning", bounds.KNOWN_COUNTS),
        ]
        if of_accounts:
            found += [
                Check("factor_of_middle_account", "critical", bounds.FACTOR, REJECT),
                Check("share_of_accounts_known", "critical", bounds.KNOWN_ACCOUNTS, REJECT),
                Check("known_followers_against_usual", "critical", bounds.KNOWN_FOLLOWERS, REJECT),
                Check("share_of_null_followers", "warning", bounds.NULL_FOLLOWERS),
                Check("share_of_zero_followers", "critical", bounds.ZERO_FOLLOWERS, ZEROS),
            ]
    elif feed.date is not None:
        found.append(Check("volume_of_weekday", "warning", bounds.VOLUME_OF_WEEKDAY))
    return [*found, *money.checks(name)]


def suites(settings: Settings, run_id: str, day: date, limits: dict[str, dict[str, Threshold]]) -> list[Suite]:
    """A suite of each feed that has something to say: of accounts always, of others where any ever came.

    Raises ContractError when a raw file is damaged, ConfigError for settings that cannot be.

    Args:
        limits: the bound of every check by feed and name: a day that fails is no base for the next one.
    """
    asked = {item.feed for item in required(settings)}
    with ledger.read(settings) as connection:
        batches = ledger.unreleased_batches(connection, run_id)
        last = {name: ledger.last_date_with_rows(connection, name, str(day)) for name in load_feeds()}
        new = {row["feed"] for row in batches}
        dirty = {name for name in load_feeds() if len(files.days_to_check(connection, name, day)) > 1}
    found = []
    for name, feed in load_feeds().items():
        at = last[name]
        is_recent = at is not None and feed.date is not None and at >= str(day - timedelta(days=TRAILING_DAYS))
        has_come = at is not None and days.is_captured(feed)
        if name == ACCOUNTS or name in asked | new | dirty or has_come or is_recent:
            mine = [row for row in batches if row["feed"] == name or (name == ACCOUNTS and files.of_no_feed(row))]
            found.append(_Landed(settings, run_id, day, feed, limits[name], mine).suite())
    return found


@dataclass
class _Landed:
    """What the checks of one feed look at, and the suite that they fill."""

    settings: Settings
    run_id: str
    day: date
    feed: Feed
    limits: dict[str, Threshold]
    batches: list[ledger.Row]
    platforms: dict[date, list[tuple[str, str]]] = field(default_factory=dict)

    def suite(self) -> Suite:
        """The suite with its frame: a row for the run, each platform and day, each file, each new header."""
        name = self.feed.feed
        with ledger.read(self.settings) as connection:
            self.days = sorted(files.days_to_check(connection, name, self.day))
            if self.feed.date is not None:
                self.days = [at for at in self.days if at > self.day - timedelta(days=TRAILING_DAYS)]
            reach = WEEKS * 7 if self.feed.date is not None else TRAILING_DAYS
            first, last = self.days[0] - timedelta(days=reach), self.days[-1]
            self.files = files.files_of(connection, name, first, last)
            self.rejected = files.files_of(connection, name, first, last, "rejected")
            self.empty = ledger.empty_deliveries(connection, name, str(first), str(self.days[-1]))
            latest = files.latest_files(connection, name, self.day)
            drifts = files.header_drifts(self.settings, connection, self.batches)
            self.acknowledged = {
                (item.expectation, item.subject): item for item in ledger.acknowledged(connection, f"landing.{name}")
            }
        evaluated = [file for at in self.days for file in self.files.get(at, [])]
        rows = len(evaluated) if name == ACCOUNTS else len({file.day for file in evaluated if self._has_days})
        self.result = Suite(f"landing.{name}", checks(self.settings, name), expected_rows=rows + len(drifts) + 1)
        self.result.files = {file.batch: file.name for file in evaluated}
        self.result.files |= {row["batch_id"][:12]: row["file"] for row in self.batches}
        raw.verify(self.settings, sorted(file.seal for file in latest), self.run_id)
        with closing(duckdb.connect(config=self.settings.duckdb_config)) as reader:
            self.reader = reader
            self.measures: ByDay = {}
            if self._has_days:
                self.measures = days.measure(
                    self.settings, reader, self.feed, self.files, self.days, self.run_id, self._is_bad
                )
            self._measure_presence(latest)
            self._measure_days()
            if name == ACCOUNTS:
                self._measure_nulls_and_zeros(evaluated)
            money.Money(self.result, self.settings, reader, self.feed, self.run_id).measure(self.batches, self.day)
        self._measure_batches()
        for batch, drift in drifts.items():
            self.result.measure("header_drift", "the header", drift.names, batch, drift.words)
        return self.result

    @property
    def _has_days(self) -> bool:
        """Whether its days can be compared: agreements and attributes come when they change."""
        return days.is_captured(self.feed) or self.feed.date is not None

    # --- did it come

    def _measure_presence(self, latest: list[files.File]) -> None:
        asked = required(self.settings, self.feed.feed)
        is_silent = not asked and not days.is_captured(self.feed) and self._has_fallen_silent()
        if not asked and (days.is_captured(self.feed) or is_silent):
            asked = [Required(self.feed.feed)]
        for item in asked:
            where = f"{item.platform}, the run of {self.day}" if item.platform else f"the run of {self.day}"
            window = [self.day - timedelta(days=back) for back in range(item.days)]
            within = f" within {item.days} days" if item.days > 1 else ""
            came = self._rows_within(window, item.platform)
            said_none = not item.platform and any(row["snapshot_date"] in map(str, window) for row in self.empty)
            arrived = max(came, 1) if said_none else came
            self.result.measure("arrival", where, arrived, note="" if arrived else f"no row has come{within}")
            if item.platform is None and not is_silent:
                empty = [row for row in self.empty if row["snapshot_date"] <= str(self.day)]
                hours = files.hours_since_last_row(self.settings, self.reader, self.feed, latest, empty, self.day)
                allowed = 24 * (item.days - 1)
                value = None if hours is None else hours - allowed
                note = f"{hours:,.0f} hours in all, {allowed} of them are allowed" if hours and allowed else ""
                self.result.measure("freshness_hours", where, value, note=note)

    def _rows_within(self, window: list[date], platform: str | None) -> int:
        of_window = [file for at in window for file in self.files.get(at, [])]
        if platform is None or not of_window:
            return sum(file.rows for file in of_window)
        (rows,) = self.reader.execute(
            f"select count(*) from {files.RAW} where platform = $platform",
            {**self._verified(of_window), "platform": platform},
        ).fetchone() or (0,)
        return int(rows)

    def _verified(self, of_files: list[files.File]) -> dict[str, Any]:
        return files.verified(self.settings, self.feed, of_files, self.run_id)

    def _has_fallen_silent(self) -> bool:
        """Whether a feed of flows is silent for longer than it usually is."""
        came = [at for at in sorted(self.files) if self.day - timedelta(days=TRAILING_DAYS) <= at < self.day]
        return self.feed.date is not None and self.day not in self.files and _is_overdue(came, self.day)

    # --- days

    def _measure_days(self) -> None:
        for at in self.days:
            has_come = at in self.files or any(row["snapshot_date"] == str(at) for row in self.empty)
            if not (has_come and self._has_days):
                continue
            of_day = self.measures.get(at, {})
            before = {
                platform
                for back in range(1, TRAILING_DAYS + 1)
                for platform in self.measures.get(at - timedelta(days=back), {})
            }
            for platform in sorted({*of_day, *before}):
                self._measure_day(platform, at, of_day.get(platform))

    def _measure_day(self, platform: str, at: date, now: Measures | None) -> None:
        subject = self._subject(platform, at)
        batches = self._batches_of(platform, at) if now else ""
        if self.feed.date is not None:
            self._measure_weekday(platform, at, now, batches)
            return
        volume = "volume_against_trailing_median"
        before = days.trailing(self.measures, platform, at, TRAILING_DAYS, self._since(volume, platform, at))
        ratio, note = self._volume(at, now.keys if now else 0, before, platform)
        self.result.measure(volume, subject, ratio, batches, note)
        if now is None:
            return
        self.result.measure("volume_change", subject, ratio, batches, note)
        self._measure_changes(platform, at, now, batches)
        self._measure_known(platform, at, now, batches)
        if self.feed.feed == ACCOUNTS:
            self.result.measure("factor_of_middle_account", subject, now.moved, batches, _words_of_factor(now))
            self.result.measure("share_of_accounts_known", subject, now.share_known, batches, _words_of_known(now))

    def _volume(self, at: date, keys: int, before: dict[date, Measures], platform: str) -> tuple[float | None, str]:
        """Keys of a day against the median of the days before, and both in words; null where nothing is usual."""
        if len(before) < MIN_TRAILING_DATES:
            return None, ""
        usual = median(of_day.keys for of_day in before.values())
        note = f"{keys:,} came, {usual:,.0f} are usual"
        if keys == 0:
            matters = (self.day - at).days <= MISSING_MATTERS_DAYS and _is_overdue(list(before), at)
            return (None, "") if not matters or self._was_rejected(platform, at) else (0.0, note)
        # Of a handful one more or less is no cut.
        return (keys if usual >= MIN_KEYS else min(keys + 1, max(keys, usual))) / usual, note

    def _measure_weekday(self, platform: str, at: date, now: Measures | None, batches: str) -> None:
        same = [at - timedelta(weeks=back) for back in range(1, WEEKS + 1)]
        keys = [of_day.keys for day in same if (of_day := self.measures.get(day, {}).get(platform))]
        usual = median(keys) if len(keys) >= MIN_TRAILING_DATES else 0
        came = now.keys if now else 0
        value = came / usual if usual >= MIN_ROWS_FOR_A_SHARE else None
        note = f"{came:,} came, {usual:,.0f} are usual on that weekday"
        self.result.measure("volume_of_weekday", self._subject(platform, at), value, batches, note)

    def _measure_changes(self, platform: str, at: date, now: Measures, batches: str) -> None:
        check = "changed_against_usual"
        before = days.trailing(self.measures, platform, at, TRAILING_DAYS, self._since(check, platform, at))
        shares = [of_day.changed for of_day in before.values() if of_day.changed is not None]
        usual = median(shares) if len(shares) >= MIN_TRAILING_DATES else 0.0
        # Of so many accounts ten would have changed: that none has is no chance.
        is_enough = now.changed is not None and usual * now.compared >= MIN_KEYS
        value = now.changed / usual if is_enough and now.changed is not None else None
        note = f"{now.changed or 0:.0%} of the counts differ from those of {now.before}, {usual:.0%} are usual"
        self.result.measure(check, self._subject(platform, at), value, batches, note)

    def _measure_known(self, platform: str, at: date, now: Measures, batches: str) -> None:
        """Per count the share in which it is known against the usual one: of followers critical, of others named."""
        worst: tuple[float, str, float, float] | None = None
        check = "known_followers_against_usual"
        for name, share in now.known.items():
            since = self._since(check, platform, at) if name == days.FOLLOWERS else None
            before = days.trailing(self.measures, platform, at, TRAILING_DAYS, since)
            shares = [of_day.known[name] for of_day in before.values() if name in of_day.known]
            usual = median(shares) if len(shares) >= MIN_TRAILING_DATES else 0.0
            value = share / usual if usual >= RARELY_KNOWN and now.keys >= MIN_ROWS_FOR_A_SHARE else None
            note = f"{name} are known in {share:.0%} of the rows, {usual:.0%} are usual"
            if name == days.FOLLOWERS and self.feed.feed == ACCOUNTS:
                self.result.measure(check, self._subject(platform, at), value, batches, note)
            if value is not None and (worst is None or value < worst[0]):
                worst = value, name, share, usual
                self.result.measure("known_counts_against_usual", self._subject(platform, at), value, batches, note)

    def _is_bad(self, platform: str, at: date, of_day: Measures) -> bool:
        """Whether a day of a platform is no base for the next ones: its counts or accounts are not what they were."""
        values = {"factor_of_middle_account": of_day.moved, "share_of_accounts_known": of_day.share_known}
        for check, value in values.items():
            limit = self.limits.get(check)
            if value is None or limit is None or not limit.is_outside(value):
                continue
            known = self.acknowledged.get((check, self._subject(platform, at)))
            if known is None or limit.is_worse(value, known.value):
                return True
        return False

    def _subject(self, platform: str, at: date) -> str:
        return str(at) if platform == EVERYWHERE else f"{platform} {at}"

    def _since(self, check: str, platform: str, at: date) -> str | None:
        """The last day before a day at which a person acknowledged a check of a platform: a new usual begins there."""
        known = [
            item.snapshot_date
            for (name, subject), item in self.acknowledged.items()
            if name == check and subject == self._subject(platform, date.fromisoformat(item.snapshot_date))
        ]
        return max((found for found in known if found < str(at)), default=None)

    def _batches_of(self, platform: str, at: date) -> str:
        """The first batches that hold rows of a platform on a day."""
        of_day = self.files.get(at, [])
        if platform == EVERYWHERE or len(of_day) == 1:
            return " ".join(file.batch for file in of_day[:NAMED])
        if at not in self.platforms:
            paths = {str(self.settings.raw / file.path): file.batch for file in of_day}
            self.platforms[at] = [
                (name, paths[path])
                for name, path in self.reader.execute(
                    f"select distinct platform, filename from {files.RAW_BY_FILE} order by all",
                    {"paths": list(paths)},
                ).fetchall()
            ]
        return " ".join([batch for name, batch in self.platforms[at] if name == platform][:NAMED])

    def _was_rejected(self, platform: str, at: date) -> bool:
        """Whether a person has rejected rows of a platform on a day, and so knows that they are missing."""
        paths = [str(self.settings.raw / file.path) for file in self.rejected.get(at, [])]
        if not paths or platform == EVERYWHERE:
            return bool(paths)
        query = f"select 1 from {files.RAW} where platform = $platform limit 1"
        return self.reader.execute(query, {"paths": paths, "platform": platform}).fetchone() is not None

    # --- files and batches

    def _measure_nulls_and_zeros(self, evaluated: list[files.File]) -> None:
        """Null and zero followers per file, not per date: a failed capture must not hide among the day's good ones."""
        if not evaluated:
            return
        rows = self.reader.execute(
            "select filename, count(*), count(*) filter (followers is null), count(*) filter (followers = 0)"
            f" from {files.RAW_BY_FILE} group by all",
            self._verified(evaluated),
        ).fetchall()
        counted = {path: (total, nulls, zeros) for path, total, nulls, zeros in rows}
        for file in evaluated:
            total, nulls, zeros = counted[str(self.settings.raw / file.path)]
            enough = total >= MIN_ROWS_FOR_A_SHARE
            where = str(file.day)
            self.result.measure("share_of_null_followers", where, nulls / total if enough else None, file.batch)
            self.result.measure("share_of_zero_followers", where, zeros / total if enough else None, file.batch)

    def _measure_batches(self) -> None:
        """What of the new files was quarantined, and which cells of the rows that load could not be read."""
        run = f"the run of {self.day}"
        whole = [row["batch_id"][:12] for row in self.batches if row["state"] == "quarantined"]
        self.result.measure("files_quarantined_whole", run, len(whole), " ".join(whole[:NAMED]))
        accepted = [row for row in self.batches if row["state"] == "accepted"]
        if read := sum(row["rows_read"] for row in accepted):
            refused = sum(row["rows_quarantined"] - row["rows_left_out"] for row in accepted)
            self.result.measure("share_of_rows_quarantined", run, refused / read)
            invalid: Counter[str] = Counter()
            for row in accepted:
                invalid.update(json.loads(row["invalid_cells"] or "{}"))
            loaded = sum(row["rows_accepted"] for row in accepted)
            self.result.measure("share_of_cells_invalid", run, 0.0)
            for column, cells in sorted(invalid.items()):
                named = [row["batch_id"][:12] for row in accepted if column in json.loads(row["invalid_cells"] or "{}")]
                self.result.measure(
                    "share_of_cells_invalid", f"{column}, {run}", cells / loaded, " ".join(named[:NAMED])
                )


def _is_overdue(came: list[date], at: date) -> bool:
    """Whether nothing coming on a day makes a longer gap than is usual between the days before it."""
    if len(came) < MIN_TRAILING_DATES:
        return False
    gaps = sorted((after - before).days for before, after in pairwise(came))
    usual = gaps[ceil(USUAL_GAPS * len(gaps)) - 1]
    return (at - came[-1]).days + 1 > usual


def _words_of_factor(now: Measures) -> str:
    if now.direction is None or now.factor is None:
        return ""
    if (now.like_views or 0) > 0.5:
        return f"followers are about the views of {now.before}: two columns are swapped"
    if abs(log(now.direction)) > 0.9 * log(now.factor):
        way = f"{now.direction:,.2f} times those of {now.before}"
        return f"followers of the middle of {now.compared:,} accounts are {way}: another unit or column"
    return f"followers rose and fell alike since {now.before}: each account may have another's row"


def _words_of_known(now: Measures) -> str:
    words = f"{now.seen_before or 0:,} of {now.keys:,} accounts were ever seen there"
    if now.elsewhere:
        platform, count = now.elsewhere
        return f"{words}, {count:,} of them as accounts of {platform}: one platform's rows under another's name"
    return f"{words}: ids are written otherwise, or the roster is another"
