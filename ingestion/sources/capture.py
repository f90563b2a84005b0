"""A capture of one source: ask for each target, keep what comes in the journal, land it, and record what did not come.

A capture is of one UTC day. What was killed goes on where it stopped; a later capture of the day asks for what is
missing alone. What a day has not brought by its end stays missing: no answer is ever landed under another day.
"""

import gzip
import json
import os
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from ingestion import erasure, ledger
from ingestion.config import Login, Settings
from ingestion.ledger.captures import Outcome
from ingestion.manifest import NAMES
from ingestion.raw import commit_file, sync_folder
from ingestion.sources import tokens
from ingestion.sources.catalog import SOURCES
from ingestion.sources.clock import Clock
from ingestion.sources.errors import (
    LASTING,
    RECEIVED,
    BadAnswer,
    BudgetSpent,
    CaptureRefused,
    DeadMetric,
    NotFound,
    NotSupported,
    Private,
    SourceError,
    Suspended,
    Throttled,
    Unauthorised,
    Unreachable,
)
from ingestion.sources.etags import Etags
from ingestion.sources.fetch import Fetcher
from ingestion.sources.journal import JOURNAL, Journal, Record, key_of
from ingestion.sources.kept import limit_of
from ingestion.sources.platform import ACCOUNT, POST, TABLE, Brought, Call, Source, Target, Wanted, at, picked
from ingestion.sources.settings import Entry
from ingestion.sources.targets import targets_of, watched_platforms

# What stands behind the id of a connection; null where there is none.
KeyOf: TypeAlias = Callable[[str], Login | None]
# Calls in a row without an answer, after which nothing more is asked of a source.
MOST_FAILURES = 3
# Fewer targets than that may all be gone in earnest.
FEWEST_OF_A_BATCH = 10
# Stands for the source of accounts that none asks.
NO_SOURCE = "(none)"
# A capture ends before its day does: what is asked after midnight would be of another day.
END_OF_DAY = time(23, 59, 30)
INSTANT = "%Y-%m-%dT%H%M%S"


@dataclass
class Captured:
    """What a capture asked for and brought.

    Args:
        missing: targets by the reason for which they did not come.
        problems: sentences for people: lines of the watchlist, and why the source ended early.
        share: of all that the day was asked for, what came, or was gone on an earlier day already.
    """

    source: str
    day: str
    asked: int = 0
    received: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    units: int = 0
    money: Decimal = Decimal(0)
    files: list[str] = field(default_factory=list)
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    share: float = 1.0

    @property
    def failed(self) -> Counter[str]:
        """What did not come for a reason that a later attempt may not meet."""
        return Counter({reason: count for reason, count in self.missing.items() if reason not in LASTING})


def share_of_day(source: str, day: str, connection: ledger.Connection) -> float:
    """Share of what a day was asked for that came, or was gone on an earlier day already; 1 where nothing was asked."""
    outcomes = ledger.outcomes_of_day(connection, source, day)
    gone = ledger.missing_before(connection, source, day, LASTING)
    settled = sum(what == RECEIVED or (what in LASTING and key in gone) for key, what in outcomes.items())
    return settled / len(outcomes) if outcomes else 1.0


def folder_of(settings: Settings, source: str) -> Path:
    """Where a source keeps its journal and its cache."""
    return settings.data / "state" / "sources" / source


def capture(
    settings: Settings,
    name: str,
    entry: Entry,
    key_of_connection: KeyOf,
    log: Callable[[str], None] = print,
    clock: Clock | None = None,
    stop_at: datetime | None = None,
) -> Captured:
    """Capture one source for the UTC day of now; what has come already today is not asked again.

    Args:
        stop_at: UTC instant at which it stops; what was not asked by then is `throttled`. Default: the day's end.
    Raises:
        CaptureRefused: where it cannot be asked at all, as without a key.
        LeaseLost: while another capture of the source is at work.
    """
    clock, source = clock or Clock(), SOURCES[name]
    key = _key(source, entry, key_of_connection)
    with Journal(folder_of(settings, name)) as journal:
        now = clock.now()
        head = journal.head()
        if head is not None and head["day"] != str(now.date()):
            log(f"{name}: a capture of {head['day']} did not end; what it received is landed")
            _land(settings, source, journal, head)
            head = None
        problems: list[str] = []
        if head is None:
            asked, problems = _asked(settings, source, entry, now)
            if not (asked.accounts or asked.posts or asked.options.get("asks_itself")):
                return Captured(name, str(now.date()), problems=problems)
            head = {"instant": str(_instant(settings, name, now)), "day": str(now.date()), "asked": asdict(asked)}
            journal.begin(head)
        else:
            log(f"{name}: goes on with the capture that began at {head['instant']} UTC")
        if kept_for := limit_of(settings, name):
            log(kept_for)
        end = datetime.combine(now.date(), END_OF_DAY)
        end = min(stop_at, end) if stop_at else end
        limit = clock.monotonic() + (end - now).total_seconds()
        stopped = _walk(settings, source, entry, key, journal, head, clock, limit, log)
        done = _land(settings, source, journal, head)
        with ledger.read(settings) as connection:
            done.share = share_of_day(name, head["day"], connection)
        done.problems = [*problems, *([f"{name}: {stopped}"] if stopped else [])]
        Etags(folder_of(settings, name) / "etags").prune()
        return done


def record_unasked(settings: Settings, entries: Iterable[str], now: datetime) -> dict[str, int]:
    """Give accounts of platforms that no configured source asks their reason; returns how many, by platform."""
    reached = {SOURCES[name].platform for name in entries}
    found = {name: list(accounts) for name, accounts in watched_platforms(settings).items() if name not in reached}
    if found:
        rows = [Outcome(name, ACCOUNT, each, NotSupported.reason) for name, held in found.items() for each in held]
        with ledger.write(settings) as connection:
            midnight = datetime.combine(now.date(), time())
            ledger.record_capture(connection, NO_SOURCE, midnight, (0, 0, Decimal(0)), rows)
    return {name: len(held) for name, held in found.items()}


def land_open(settings: Settings, source: Source) -> None:
    """Land what a killed capture received. Raises LeaseLost while a capture of the source is at work."""
    if not (folder_of(settings, source.name) / JOURNAL).exists():
        return
    with Journal(folder_of(settings, source.name)) as journal:
        head = journal.head()
        if head is not None:
            _land(settings, source, journal, head)


def _key(source: Source, entry: Entry, key_of_connection: KeyOf) -> Login | None:
    """The key of a source. Raises CaptureRefused where it needs one and there is none."""
    key = key_of_connection(entry.connection) if entry.connection else None
    if key is None and (source.needs_key or entry.connection):
        named = entry.connection or f"groundswell_{source.name}"
        more = "" if entry.connection else f" and write `connection: {named}` into config/sources.yml"
        variable = f"AIRFLOW_CONN_{named.upper()}"
        raise CaptureRefused(
            f"{source.name}: no key; make an Airflow connection {named!r} with the key as its password, or set"
            f" {variable}{more} (docs/sources/{source.name}.md)"
        )
    return key


def _asked(settings: Settings, source: Source, entry: Entry, now: datetime) -> tuple[Wanted, list[str]]:
    """Whom a new capture asks for: all of the day but what has come, or of which the platform has spoken."""
    found = asked_of(settings, source, entry, now)
    with ledger.read(settings) as connection:
        known = ledger.outcomes_of_day(connection, source.name, found[0].day)
    settled = {target for target, outcome in known.items() if outcome == RECEIVED or outcome in LASTING}
    asked, problems = found
    itself = (ACCOUNT, entry.account) if source.asks_accounts else (TABLE, source.name)
    options = {**asked.options, "asks_itself": bool(asked.options.get("asks_itself")) and itself not in settled}
    accounts = tuple(target for target in asked.accounts if (ACCOUNT, target.account) not in settled)
    posts = tuple(post for post in asked.posts if (POST, post) not in settled)
    return Wanted(accounts, posts, asked.day, options), problems


def asked_of(settings: Settings, source: Source, entry: Entry, now: datetime) -> tuple[Wanted, list[str]]:
    """All that a source is asked for on a day, and lines of the watchlist that cannot be read."""
    # What is asked besides accounts and posts by name: posts of one's own account, or a table.
    options: dict[str, Any] = {"asks_itself": source.asks_itself(entry.own)}
    options |= {"account": entry.account} if entry.account else {}
    options |= {key: list(given) if isinstance(given, tuple) else given for key, given in entry.own.items()}
    if entry.account and not re.fullmatch(source.account_is, entry.account):
        raise CaptureRefused(
            f"{source.name}: `account:` of config/sources.yml, {entry.account!r}, is not written as that platform does"
            f" (docs/sources/{source.name}.md)"
        )
    for key in source.needs:
        if key not in entry.own:
            raise CaptureRefused(
                f"{source.name}: write `{key}:` into config/sources.yml (docs/sources/{source.name}.md)"
            )
    if source.needs_account and not entry.account:
        raise CaptureRefused(
            f"{source.name}: it is asked through an account of your own; write its id as `account:` into"
            f" config/sources.yml (docs/sources/{source.name}.md)"
        )
    if not source.asks_accounts:
        with ledger.read(settings) as connection:
            last = ledger.last_whole_day(connection, source.name)
        options |= {"last_day": last} if last and last < str(now.date()) else {}
        return Wanted((), (), str(now.date()), options), []
    most = source.latest_posts if entry.latest_posts is None else entry.latest_posts
    found = targets_of(settings, source.platform, now.date(), most)
    return Wanted(found.accounts, found.posts, str(now.date()), options), found.problems


def _instant(settings: Settings, name: str, now: datetime) -> datetime:
    """The instant of a new capture, in whole seconds: later than any before it, whatever the clock says."""
    now = now.replace(microsecond=0)
    with ledger.read(settings) as connection:
        last = ledger.last_capture(connection, name)
    return max(now, last + timedelta(seconds=1)) if last and last.date() == now.date() else now


def _asked_again(head: dict[str, Any]) -> Wanted:
    held = head["asked"]
    accounts = tuple(Target(**target) for target in held["accounts"])
    return Wanted(accounts, tuple(held["posts"]), held["day"], held["options"])


def _walk(
    settings: Settings,
    source: Source,
    entry: Entry,
    key: Login | None,
    journal: Journal,
    head: dict[str, Any],
    clock: Clock,
    limit: float,
    log: Callable[[str], None],
) -> SourceError | None:
    """Make each call of the capture that the journal does not hold; returns why the source ended early, if it did."""
    known = {record.key: record.facts for record in journal.records()}
    spent = _Spent.of(settings, source, entry, head["day"], journal)
    asked = _asked_again(head)
    total = sum(1 for _ in source.forecast(asked))
    etags = Etags(folder_of(settings, source.name) / "etags")
    token = tokens.current(folder_of(settings, source.name), key.key) if key else None
    with ExitStack() as stack:
        fetcher = stack.enter_context(
            Fetcher(
                clock,
                source.headers(key._replace(key=token.value) if key and token else None),
                source.per_second,
                source.burst,
                limit,
                source.classify,
                etags,
            )
        )
        base = entry.base_url or source.base(entry.account)
        if key and token and token.is_due(clock.now()):
            _renew(settings, source, key, token, fetcher, base, clock, log)
        refused = _exchange(settings, source, entry, key, token, fetcher, clock, log) if key and token else None
        walk, facts, made = source.walk(asked), None, 0
        # By host: one server of many that fails is no failure of the others.
        failures: Counter[str] = Counter()
        stopped: dict[str, SourceError] = {}
        while True:
            try:
                call = walk.send(facts)
            except StopIteration:
                return next(iter(stopped.values()), None)
            url = call.url if "://" in call.url and not entry.base_url else f"{base}{_path(call.url)}"
            host = urlsplit(url).netloc
            made += 1
            name = key_of(*call.key)
            if name in known:
                facts = known[name]
                continue
            before = fetcher.calls
            try:
                if refused is not None:
                    stopped.setdefault(host, refused)
                if host in stopped:
                    raise stopped[host]
                spent.require(call)
                brought = _ask(fetcher, url, call)
                _require_some(call, brought)
                failures[host] = 0
                error = None
            except SourceError as found:
                brought, error = Brought(missing=dict.fromkeys(call.targets, found.reason)), found
                failures[host] += isinstance(found, Unreachable | Throttled)
                if host not in stopped:
                    log(f"{source.name}: {call.endpoint}: {found}")
                is_lasting = isinstance(found, Unauthorised | BudgetSpent) or _is_over(found, clock, limit)
                if is_lasting or failures[host] >= MOST_FAILURES:
                    stopped.setdefault(host, found)
            calls = fetcher.calls - before
            if calls:
                spent.add(call)
            is_passing = bool(call.name) and not brought.items and error is None
            held = replace(brought, facts=None) if is_passing else brought
            journal.append(_record(f"{name}-{uuid.uuid4().hex}" if is_passing else name, call, held, error, calls))
            facts = brought.facts
            if made % 50 == 0:
                log(f"{source.name}: {made:,} of about {max(made, total):,} calls")


def _is_over(error: SourceError, clock: Clock, limit: float) -> bool:
    return isinstance(error, Throttled) and clock.monotonic() >= limit


def _exchange(
    settings: Settings,
    source: Source,
    entry: Entry,
    key: Login,
    token: tokens.Token,
    fetcher: Fetcher,
    clock: Clock,
    log: Callable[[str], None],
) -> SourceError | None:
    """Trade what the connection holds for a token, which no disk sees; returns why there is none, if so."""
    call = source.exchange(key._replace(key=token.value), clock.now())
    if call is None:
        return None
    url = f"{entry.base_url}{_path(call.url)}" if entry.base_url else call.url
    url = url if "://" in url else f"{source.base(entry.account)}{url}"
    try:
        facts = _ask(fetcher, url, call).facts
    except SourceError as error:
        log(f"{source.name}: no token: {error}")
        # The account or table that would have been asked for is not what is missing.
        return Unauthorised(str(error)) if error.reason in LASTING else error
    if facts.get("refresh"):
        tokens.keep(folder_of(settings, source.name), key.key, str(facts["refresh"]), clock.now())
    fetcher.headers = source.headers(key._replace(key=str(facts["token"])))
    return None


def _renew(
    settings: Settings,
    source: Source,
    key: Login,
    token: tokens.Token,
    fetcher: Fetcher,
    base: str,
    clock: Clock,
    log: Callable[[str], None],
) -> None:
    """Renew a token that ends, where the source has such ones; a failure costs nothing while the old one holds."""
    call = source.renewal(key, token.value)
    if call is None:
        return
    try:
        value = _ask(fetcher, f"{base}{call.url}", call).facts
    except SourceError as error:
        log(f"{source.name}: its token is not renewed, and is used as it is: {error}")
        return
    tokens.keep(folder_of(settings, source.name), key.key, str(value), clock.now())
    fetcher.headers = source.headers(key._replace(key=str(value)))
    log(f"{source.name}: its token is renewed")


def _path(address: str) -> str:
    """An address without its server, which another answers for."""
    return urlsplit(address).path if "://" in address else address


def _ask(fetcher: Fetcher, url: str, call: Call) -> Brought:
    """One call and its answer. That the platform knows nothing of the only target is an answer too."""
    try:
        answer = fetcher.get(
            url, call.params, is_text=call.is_text, is_cached=call.is_cached, body=call.body,
            content_type=call.content_type, is_bare=call.is_bare, deadline=call.deadline, max_bytes=call.most_bytes,
        )  # fmt: skip
        try:
            brought = call.read(answer.body)
            return replace(brought, items=[picked(item, call.kept) for item in brought.items]) if call.kept else brought
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise BadAnswer(f"an answer of another shape than documented ({type(error).__name__})") from error
    except DeadMetric:
        if not call.is_group:
            raise
        return Brought(facts={"dead": True})
    except (NotFound, Private, Suspended, NotSupported) as error:
        if call.absent_is_empty and isinstance(error, NotFound):
            return Brought()
        if call.kind == TABLE:
            # Of a reason that lasts nobody is told; a table that is not there has to be mended by a person.
            kind = BadAnswer if isinstance(error, NotFound) else Unauthorised
            raise kind(str(error)) from error
        if len(call.targets) != 1:
            raise
        return Brought(missing={call.targets[0]: error.reason})


def _require_some(call: Call, brought: Brought) -> None:
    """Raise BadAnswer where a platform suddenly knows nobody of a whole batch: that is an outage."""
    if len(call.targets) >= FEWEST_OF_A_BATCH and set(brought.missing) >= set(call.targets):
        raise BadAnswer(f"the answer knows none of {len(call.targets)}; it is taken for an outage")


def _record(name: str, call: Call, brought: Brought, error: SourceError | None, calls: int) -> Record:
    outcomes = [(call.kind, target, brought.missing.get(target, RECEIVED)) for target in call.targets]
    items = [[at(item, call.owner) if call.owner else None, item] for item in brought.items]
    return Record(
        name,
        call.endpoint,
        items,
        outcomes,
        brought.facts,
        error.reason if error else None,
        call.units if calls else 0,
        str(call.money if calls else 0),
        calls,
    )


@dataclass
class _Spent:
    """What a source took of its budget of the day."""

    most_units: int | None
    most_money: Decimal | None
    unit: str
    units: int
    money: Decimal

    @classmethod
    def of(cls, settings: Settings, source: Source, entry: Entry, day: str, journal: Journal) -> "_Spent":
        with ledger.read(settings) as connection:
            units, money = ledger.spent_on(connection, source.name, day)
        for record in journal.records():
            units, money = units + record.units, money + Decimal(record.money)
        most = entry.budget.units if entry.budget.units is not None else source.units_a_day
        return cls(most, entry.budget.money, source.unit, units, money)

    def require(self, call: Call) -> None:
        """Raise BudgetSpent where a call costs more than is left."""
        if self.most_units is not None and self.units + call.units > self.most_units:
            raise BudgetSpent(f"{self.units:,} of {self.most_units:,} {self.unit}s are spent today")
        if self.most_money is not None and self.money + call.money > self.most_money:
            raise BudgetSpent(f"{self.money} of {self.most_money} are spent today")

    def add(self, call: Call) -> None:
        self.units += call.units
        self.money += call.money


def _land(settings: Settings, source: Source, journal: Journal, head: dict[str, Any]) -> Captured:
    """Write what the journal holds to landing, then to the ledger; done twice, it is the same."""
    instant = datetime.fromisoformat(head["instant"])
    done = Captured(source.name, head["day"])
    outcomes = _outcomes(journal, _asked_again(head))
    folder = settings.landing / source.name
    folder.mkdir(parents=True, exist_ok=True)
    for left_over in folder.glob(".*.part"):
        left_over.unlink()
    written = list(_write(settings, source, journal, folder, instant))
    _note(folder, written, len(outcomes), sum(outcome == RECEIVED for outcome in outcomes.values()))
    for file in written:
        os.replace(file.partial, folder / file.name)
        done.files.append(f"{source.name}/{file.name}")
        done.rows += file.rows
    sync_folder(folder)
    for record in journal.records():
        done.calls += record.calls
        done.units += record.units
        done.money += Decimal(record.money)
    platform = source.platform or "(none)"
    with ledger.write(settings) as connection:
        rows = [Outcome(platform, kind, target, outcome) for (kind, target), outcome in outcomes.items()]
        ledger.record_capture(connection, source.name, instant, (done.calls, done.units, done.money), rows)
    journal.end()
    done.asked = len(outcomes)
    for outcome in outcomes.values():
        if outcome == RECEIVED:
            done.received += 1
        else:
            done.missing[outcome] += 1
    return done


def _outcomes(journal: Journal, asked: Wanted) -> dict[tuple[str, str], str]:
    """What became of each target: received where every call for it was answered, else the first reason."""
    found: dict[tuple[str, str], str] = {}
    for record in journal.records():
        for kind, target, outcome in record.outcomes:
            if found.get((kind, target), RECEIVED) == RECEIVED:
                found[kind, target] = outcome
    for account in asked.accounts:
        found.setdefault((ACCOUNT, account.account), Throttled.reason)
    return found


@dataclass(frozen=True)
class _Written:
    """A file of a capture, complete beside its place."""

    name: str
    partial: Path
    rows: int
    bytes: int
    sha256: str
    is_unrolled: bool


def _write(settings: Settings, source: Source, journal: Journal, folder: Path, instant: datetime) -> Iterator[_Written]:
    """A file per endpoint, one item a line, in the order in which they came; equal items give equal bytes."""
    owners = {owner for record in journal.records() for owner, _ in record.items if isinstance(owner, str)}
    erased = erasure.erased_among(settings, ACCOUNT, source.platform, owners) if source.platform else set()
    with ExitStack() as stack:
        open_files: dict[str, tuple[Path, Any]] = {}
        rows: Counter[str] = Counter()
        for record in journal.records():
            for owner, item in record.items:
                if owner in erased:
                    continue
                if record.endpoint not in open_files:
                    partial = folder / f".{record.endpoint}.part"
                    plain = stack.enter_context(partial.open("wb"))
                    packed = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=plain, mtime=0)
                    open_files[record.endpoint] = partial, stack.enter_context(packed)
                line = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
                open_files[record.endpoint][1].write(line.encode("utf-8", "surrogatepass") + b"\n")
                rows[record.endpoint] += 1
    for endpoint, (partial, _) in open_files.items():
        ready = partial.with_name(f".{endpoint}.ready.part")
        size, sha256 = commit_file(partial, ready)
        name = f"{endpoint}_{instant.strftime(INSTANT)}Z.jsonl.gz"
        yield _Written(name, ready, rows[endpoint], size, sha256, endpoint in source.unrolled)


def note_what_is_there(folder: Path) -> None:
    """Take files that are gone out of the folder's manifest."""
    _note(folder, (), 0, 0)


def _note(folder: Path, written: Iterable[_Written], asked: int, received: int) -> None:
    """Name the files in the folder's manifest, before they are there; files that are gone leave it."""
    path = folder / NAMES[0]
    try:
        held = json.loads(path.read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        held = []
    new = {file.name: file for file in written}
    kept = [each for each in held if each.get("name") not in new and (folder / str(each.get("name"))).exists()]
    kept += [
        {"name": name, "bytes": file.bytes, "sha256": file.sha256}
        | ({} if file.is_unrolled else {"rows": file.rows})
        | {"asked": asked, "received": received}
        for name, file in new.items()
    ]
    partial = path.with_name("._manifest.part")
    partial.write_text(json.dumps({"files": kept}, indent=1) + "\n", encoding="utf-8")
    commit_file(partial, path)
