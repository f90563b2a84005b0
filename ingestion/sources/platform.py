"""What a platform's module supplies: its terms and limits, the calls of a capture, and what their answers hold.

A capture is a walk: a generator that yields one call after the other and is sent what each brought. The same answers
give the same walk, so a walk that was killed is walked again from the journal.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import BadAnswer, SourceError

# What an answer means beyond its status: an error that a source knows, or null.
Classify = Callable[[int, Any], SourceError | None]
ACCOUNT, POST, TABLE = "account", "post", "table"
# What would change how long an answer is kept, where no term of the platform bounds it.
OWN_CHOICE = "`retention_days` in config/sources.yml, where a contract or a law of yours says so"


@dataclass(frozen=True)
class Target:
    """An account that is asked for, and at most how many of its latest posts."""

    account: str
    latest_posts: int = 0


@dataclass(frozen=True)
class Wanted:
    """What a capture asks a source for.

    Args:
        accounts: in the order in which they are asked, each once.
        posts: ids of posts that are asked for by themselves.
        day: the UTC day of the capture.
        options: what `sources.yml` says beyond the common keys.
    """

    accounts: tuple[Target, ...]
    posts: tuple[str, ...]
    day: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Brought:
    """What an answer holds.

    Args:
        items: what lands, one object a line.
        missing: targets of the call that are not among them, with the reason.
        facts: what the walk needs to go on, as JSON.
    """

    items: list[Any] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    facts: Any = None


@dataclass(frozen=True)
class Call:
    """One call, and how its answer is read.

    Args:
        endpoint: names the landing file that its items go to.
        url: a path under the source's base URL, or a whole address.
        targets: what it asks for, of one kind; each is received or has a reason.
        read: the answer as items, reasons and facts. Raises SourceError for an answer that is none.
        owner: keys that lead to the account of an item: one that is erased never lands.
        is_text: the answer is no JSON.
        is_cached: the platform may say that nothing has changed since.
        absent_is_empty: where the platform knows nothing of it, there is nothing: no reason against its targets.
        is_group: metrics asked together; that one of them is dead is an answer, `{"dead": true}`.
        body: what is posted; empty where the call only gets.
        kept: paths of an item, as `customer.id`; all else of it never reaches the disk. Empty for whole items.
        is_bare: without the source's headers: the address lies with somebody else, and the key stays here.
        deadline: seconds that it may take with all its attempts; null for those of any call.
        most_bytes: of an answer; null for those of any call.
        name: what it is one of several calls for. That one of them has brought items ends them; until then nothing of
            what they bring is written, and a capture that was killed makes them once more.
    """

    endpoint: str
    url: str
    read: Callable[[Any], Brought]
    params: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    kind: str = ACCOUNT
    units: int = 1
    money: Decimal = Decimal(0)
    owner: tuple[str, ...] = ()
    is_text: bool = False
    is_cached: bool = False
    absent_is_empty: bool = False
    is_group: bool = False
    body: str = ""
    content_type: str = "application/json"
    kept: tuple[str, ...] = ()
    is_bare: bool = False
    deadline: float | None = None
    most_bytes: int | None = None
    name: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        if self.name:
            return (self.endpoint, self.name)
        return (self.endpoint, self.url, self.params, *((self.body,) if self.body else ()))


# What a walk is sent after a call: the facts, null where there was no answer.
Walk = Generator[Call, Any, None]


class Source:
    """A platform: its terms and limits, and what a capture asks of it.

    Attributes:
        platform: what its accounts are filed under; empty for a source without accounts.
        terms: where the platform's terms stand; `retention_days` is how long they let an answer be kept.
        keeps_derived: whether marts that are made of answers may outlast them.
        keeps: what of its answers is kept, for people. `term` is the term that bounds it, `would_change` what would
            let it be kept longer or shorter.
        per_second: calls a second, evenly, below the platform's limit; `burst` of them at once.
        units_a_day: the platform's own budget, in its `unit`; null for none.
        latest_posts: posts of an account, where nobody says otherwise.
        mappings: of the library, those that read its files.
        unrolled: endpoints whose lines become several rows each.
        needs_account: whether it asks through an account of one's own, `account` in `sources.yml`.
        account_is: what such an account looks like; it stands in addresses.
        options: keys of `sources.yml` that it reads, of those that not every source reads.
        needs: those of them without which it cannot be asked.
    """

    name: str
    platform: str
    base_url: str
    terms: str
    keeps: str
    term: str
    would_change: str
    retention_days: int | None = None
    keeps_derived: bool = True
    per_second: float = 1.0
    burst: float = 5.0
    units_a_day: int | None = None
    unit: str = "call"
    needs_key: bool = False
    latest_posts: int = 30
    mappings: tuple[str, ...] = ()
    unrolled: tuple[str, ...] = ()
    needs_account: bool = False
    asks_accounts: bool = True
    account_is: str = r"[^/?#\s]{1,200}"
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def headers(self, login: Login | None) -> dict[str, str]:
        """Headers of every call; the key stands here alone, never in an address."""
        return {}

    def base(self, account: str | None) -> str:
        """Where the platform answers; a shop has a server of its own."""
        return self.base_url.replace("{account}", account or "")

    def classify(self, status: int, body: Any) -> SourceError | None:
        """The error that an answer holds beyond its status; null where it holds none."""
        return None

    def names_of(self, account_id: str) -> set[str]:
        """How the watchlist may write an account."""
        return {account_id}

    def renewal(self, login: Login, token: str) -> Call | None:
        """The call that renews a token, whose facts are the new one; null where none is to be renewed."""
        return None

    def exchange(self, login: Login, now: datetime) -> Call | None:
        """The call that trades what the connection holds for a token, where that is none itself.

        Its facts are `{"token": ...}`, with a `refresh` where the next capture must trade another key.
        """
        return None

    def asks_itself(self, own: Mapping[str, Any]) -> bool:
        """Whether there is something to ask for besides accounts and posts by name, where `sources.yml` says `own`."""
        return self.needs_account or not self.asks_accounts

    def walk(self, asked: Wanted) -> Walk:
        """The calls of a capture, one after the other."""
        raise NotImplementedError

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        """Calls that a capture will make, as far as can be known before the first."""
        raise NotImplementedError


def batches(values: Iterable[str], size: int) -> Iterator[tuple[str, ...]]:
    """Values in batches of a size, the last one smaller."""
    iterator = iter(values)
    while batch := tuple(islice(iterator, size)):
        yield batch


def alive(probe: Callable[[tuple[str, ...]], Call], metrics: tuple[str, ...]) -> Generator[Call, Any, tuple[str, ...]]:
    """Those metrics of a dead group that the platform still knows: each half is asked by itself."""
    if len(metrics) == 1:
        return ()
    half = len(metrics) // 2
    found: tuple[str, ...] = ()
    for part in (metrics[:half], metrics[half:]):
        facts = yield probe(part)
        if facts and facts.get("dead"):
            found += yield from alive(probe, part)
        else:
            found += part
    return found


def windows(first: date, last: date, most_days: int) -> Iterator[tuple[date, date]]:
    """Spans of at most so many days that hold every day from the first to the last, the earliest first."""
    while first <= last:
        end = min(last, first + timedelta(days=most_days - 1))
        yield first, end
        first = end + timedelta(days=1)


def picked(item: Any, paths: Iterable[str]) -> Any:
    """An item with what lies under the paths alone; lists are entered, and at a path's end no object is kept."""
    tree: dict[str, Any] = {}
    for path in paths:
        branch = tree
        for key in path.split("."):
            branch = branch.setdefault(key, {})
    return _picked(item, tree)


def _picked(content: Any, tree: dict[str, Any]) -> Any:
    if isinstance(content, list):
        return [_picked(each, tree) for each in content if tree or not isinstance(each, dict | list)]
    if not isinstance(content, dict):
        # Where an object is documented, a text is none of its parts.
        return None if tree else content
    return {key: _picked(content[key], below) for key, below in tree.items() if key in content}


def at(content: Any, keys: tuple[str, ...]) -> Any:
    """What lies under keys of nested objects; null where nothing does."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def listed(body: Any, key: str) -> list[dict[str, Any]]:
    """The list of objects under a key of an answer. Raises BadAnswer where there is none."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadAnswer(f"an answer without a list {key!r}")
    return found
