"""Which feed a file fills, and which of its columns fills which of the feed's: by their names and by what they hold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ingestion.contracts import MEASURES, NUMBERS, Feed, FeedColumn, load_feeds
from ingestion.mapping.evidence import Evidence, Way
from ingestion.mapping.headers import (
    KNOWN,
    KNOWN_IN_PART,
    NEARLY_AS_GOOD,
    OWN_NAME,
    likeness,
    options,
    plain,
    synonyms,
)
from ingestion.values import MOMENTS

# Share of a column's filled cells that must be of the type for it to be taken: less where its name leaves no doubt,
# for then the others are spellings of null that nobody has listed yet.
FITTING, FITTING_BY_NAME = 0.8, 0.3
POINT, COMMA = (Way.of({"parse": "number"}, decimal_mark=mark) for mark in ".,")
PERCENT = [Way.of({"parse": "percent"}, decimal_mark=mark) for mark in ".,"]
# More kinds of one thing than any export was seen to have.
MOST_KINDS = 30
SEPARATORS = ["", ",", " ", ";"]
IDS_IN_URLS = {
    "youtube": r"^https?://(?:www\.)?youtube\.com/channel/(UC[A-Za-z0-9_-]{22})/?",
    "instagram": r"^https?://(?:www\.)?instagram\.com/([A-Za-z0-9_.]+)/?",
    "tiktok": r"^https?://(?:www\.)?tiktok\.com/@([A-Za-z0-9_.]+)/?",
    "x": r"^https?://(?:www\.)?(?:twitter|x)\.com/([A-Za-z0-9_]+)/?",
}
# Where the links of posts have their kind, and those of accounts a name.
NO_ACCOUNTS = {"p", "reel", "reels", "tv", "stories", "explore", "i", "status", "hashtag"}
POST_IN_URL = re.compile(r"^https?://[^/]+/.*\b(p|reels?|tv|video|photo|shorts|status|watch)\b[/?]")
# Names of a day that do not say which day it is.
ANY_DAY = {"date", "datum", "day", "fecha", "data", "timestamp", "日付", "createdat", "created", "dag", "tag", "giorno"}
# What may be one and the same column.
ALIASES = {"account_id", "handle", "display_name"}
WEIGHTS = {
    "missing": 2.0,
    "missing_code": 0.75,
    "no_measure": 5.0,
    "hallmark": 0.6,
    "unique": 0.75,
    "repeated": 4.0,
    "nothing_said": 3.0,
    "unread": 1.0,
}


@dataclass(frozen=True)
class Match:
    """A column of the file that fills one of the feed, how sure its name is, and how it is read."""

    index: int
    likeness: float
    way: Way


@dataclass
class Fit:
    """How a file fills a feed.

    Args:
        rivals: other columns that could fill one of the feed as well as the one that is taken.
        misfits: columns of the file that have the name of one of the feed, and cells that are not of its type.
    """

    feed: Feed
    header: list[str]
    columns: dict[str, Match] = field(default_factory=dict)
    rivals: dict[str, list[Match]] = field(default_factory=dict)
    misfits: dict[str, int] = field(default_factory=dict)
    score: float = 0.0

    @property
    def measures(self) -> list[str]:
        """Columns of the feed that say how much, and are filled."""
        return [name for name in self.columns if self.feed.columns[name].type in MEASURES]

    @property
    def missing(self) -> list[str]:
        """Required columns that nothing in the file fills; a platform and a time may come from elsewhere."""
        return [n for n in self.feed.required if n not in self.columns and n not in ("platform", self.feed.time)]


def needs_measure(feed: Feed) -> bool:
    """Whether rows of a feed without one count say nothing."""
    return feed.time is not None and bool(feed.counts)


def fit(evidence: Evidence, feed: Feed, header: Sequence[str] | None = None) -> Fit:
    """The best assignment of a file's columns to a feed's, from the surest pair down."""
    titles = list(header if header is not None else evidence.header)
    found = Fit(feed, titles)
    known = {option for name in feed.columns for option, place in options(feed.feed, name).items() if place < 40}
    pairs: list[tuple[float, str, Match]] = []
    for name, column in feed.columns.items():
        for index, title in enumerate(titles):
            is_other = plain(title) in known and plain(title) not in options(feed.feed, name)
            sure = likeness(feed.feed, name, title, column.type in MEASURES, is_other)
            if not sure:
                continue
            way = way_of(evidence, name, column, index, sure)
            if way is None and sure >= KNOWN and evidence.cells(index):
                found.misfits.setdefault(name, index)
            if way is not None:
                pairs.append((sure + _bonus(evidence, name, column, index), name, Match(index, sure, way)))
    order = list(feed.columns)
    pairs.sort(key=lambda pair: (-pair[0], order.index(pair[1]), pair[2].index))
    used: dict[int, str] = {}
    worth: dict[str, float] = {}
    for value, name, taken in pairs:
        shared = {name, used.get(taken.index, name)} <= ALIASES and name != used.get(taken.index)
        if name in found.columns:
            free = taken.index not in used
            if free and worth[name] - value < NEARLY_AS_GOOD and found.columns[name].index != taken.index:
                found.rivals.setdefault(name, []).append(taken)
            continue
        if taken.index in used and not shared:
            continue
        found.columns[name] = taken
        worth[name] = value
        used.setdefault(taken.index, name)
    taken_now = {taken.index for taken in found.columns.values()}
    found.rivals = {
        n: left for n, each in found.rivals.items() if (left := [t for t in each if t.index not in taken_now])
    }
    found.misfits = {
        name: index for name, index in found.misfits.items() if name not in found.columns and index not in taken_now
    }
    _place_the_day(evidence, found)
    found.score = _score(evidence, found)
    return found


def _bonus(evidence: Evidence, name: str, column: FeedColumn, index: int) -> float:
    """Of twins the one that needs no guess is taken: ids in links, counts in all their digits."""
    cells = evidence.cells(index)
    if name == "account_id" and cells and id_in_url(cells):
        return 0.02
    if column.type in MEASURES and cells and all(re.fullmatch(r"-?\d+([.,]\d\d?)?", cell) for cell in cells[:200]):
        return 0.01
    return 0.0


def id_in_url(cells: Sequence[str]) -> str | None:
    """The pattern by which an id is cut out of links."""
    for pattern in IDS_IN_URLS.values():
        found = [match[1] for cell in cells if (match := re.search(pattern, cell))]
        if len(found) >= FITTING * len(cells) and not set(found) & NO_ACCOUNTS:
            return pattern
    return None


def are_posts(cells: Sequence[str]) -> bool:
    """Whether links lead to posts."""
    return sum(bool(POST_IN_URL.search(cell)) for cell in cells) >= FITTING * len(cells)


def way_of(evidence: Evidence, name: str, column: FeedColumn, index: int, sure: float) -> Way | None:
    """How a column of the file must be read to be of a type; null where it is not of that type."""
    cells = evidence.cells(index)
    enough = FITTING_BY_NAME if sure >= KNOWN else FITTING
    if column.values and not column.required:
        # A kind that is none of the feed's means something: what, is asked.
        enough = 1.0
    if not cells:
        return Way() if sure >= KNOWN and not column.required else None
    if column.type in ("text", "id") and not column.known:
        return _way_of_text(column, cells, sure, name)
    if column.type == "code" and not column.known and not column.values:
        return _way_of_code(cells)
    if column.type == "list":
        return _way_of_list(evidence, column, cells, index)
    ways = _ways(evidence, column, index)
    shares = [each.get(index, 0.0) for each in evidence.shares(_kind(column), ways)]
    best = max(range(len(ways)), key=lambda n: (shares[n], -n))
    if column.known == "platforms" and shares[best] < 0.6:
        return None
    # Under the feed's own name stands the feed's own column, whatever is wrong with its cells.
    return ways[best] if shares[best] >= enough or (sure >= OWN_NAME and column.required) else None


def _way_of_text(column: FeedColumn, cells: list[str], sure: float, name: str) -> Way | None:
    if column.type == "id" and sure < KNOWN_IN_PART and all(re.fullmatch(r"[\d.,]+%?", cell) for cell in cells):
        # A number under a name that is only like that of an id is a count of something.
        return None
    if name == "account_id" and are_posts(cells):
        return None
    if column.type == "id" and (pattern := id_in_url(cells)) and name in ("account_id", "host_id"):
        return Way.of({"extract": pattern})
    if name == "account_id" and sum(cell.startswith("@") for cell in cells) >= FITTING * len(cells):
        return Way.of({"normalise": "handle"})
    return Way()


def _way_of_code(cells: list[str]) -> Way | None:
    """Kinds of something under names of their own, as `IG reel`: each as a code."""
    kinds = list(dict.fromkeys(cells))
    if len(kinds) > MOST_KINDS or any(len(kind) > 40 for kind in kinds):
        return None
    codes = {kind: re.sub(r"[^a-z0-9.-]+", "_", kind.lower()).strip("_") for kind in kinds}
    if not all(codes.values()):
        return None
    other = {kind: code for kind, code in codes.items() if not re.fullmatch(r"[A-Za-z0-9_.-]+", kind)}
    return Way.of({"values": other}) if other else Way()


def _way_of_list(evidence: Evidence, column: FeedColumn, cells: list[str], index: int) -> Way | None:
    if all(cell.startswith(("[", "{")) for cell in cells) and index in evidence.table.paths:
        return Way()
    if column.words:
        ways = [Way.of({"list_separator": mark} if mark else {}) for mark in SEPARATORS]
        plain_share = evidence.shares(column, ways[:1])[0].get(index, 0.0)
        if plain_share == 1:
            return ways[0]
        counts = [sum(mark in cell.strip("[]") for cell in cells) for mark in SEPARATORS[1:]]
        return ways[1 + max(range(len(counts)), key=lambda n: counts[n])] if max(counts) else ways[0]
    commas = sum("," in cell and "|" not in cell for cell in cells)
    return Way.of({"list_separator": ","}) if commas > len(cells) / 2 else Way()


def _kind(column: FeedColumn) -> FeedColumn:
    """A column of the same way of reading, so that one trial serves many."""
    if column.type == "integer":
        return FeedColumn(type="count")
    if column.type in ("amount", "rate", "figure"):
        return FeedColumn(type="figure")
    return column


def _ways(evidence: Evidence, column: FeedColumn, index: int) -> list[Way]:
    if column.type in NUMBERS:
        return [POINT, COMMA, *(PERCENT if column.type in ("rate", "figure") else [])]
    if column.type in MOMENTS:
        return evidence.moment_ways([index])
    return [Way()]


def _place_the_day(evidence: Evidence, found: Fit) -> None:
    """A column called Date is when a post was published, unless the posts stand there once for each date."""
    if found.feed.feed != "post_snapshots" or "captured_at" in found.columns or "published_at" not in found.columns:
        return
    day, post = found.columns["published_at"], found.columns.get("post_id")
    if plain(found.header[day.index]) not in ANY_DAY or post is None:
        return
    cells = evidence.cells(day.index)
    is_capture = evidence.distinct([post.index]) < 0.9 <= evidence.distinct([post.index, day.index])
    if is_capture or (len(cells) > 3 and len(set(cells)) == 1):
        found.columns["captured_at"] = found.columns.pop("published_at")


def _score(evidence: Evidence, found: Fit) -> float:
    score = 0.0
    for name, taken in found.columns.items():
        column = found.feed.columns[name]
        weight = 1.5 if column.required or column.type in MEASURES else 0.75
        sure = taken.likeness if taken.likeness >= KNOWN_IN_PART else taken.likeness / 2
        score += weight * sure * (1.0 if evidence.cells(taken.index) else 0.3)
    for name in found.missing:
        # What a whole file has in common stands in no column of it.
        is_common = found.feed.columns[name].type in ("code", "currency")
        score -= WEIGHTS["missing_code"] if is_common else WEIGHTS["missing"]
    if needs_measure(found.feed) and not found.measures:
        score -= WEIGHTS["no_measure"]
    describing = ("text", "id", "list", "boolean")
    if found.feed.feed == "accounts" and not any(
        found.feed.columns[name].type in describing and name != "account_id" for name in found.columns
    ):
        score -= WEIGHTS["nothing_said"]
    marks = synonyms().get(f"hallmarks.{found.feed.feed}", {})
    score += WEIGHTS["hallmark"] * min(6, sum(plain(title) in marks for title in found.header))
    used = {taken.index for taken in found.columns.values()}
    unread = sum(index not in used and plain(title) in _counts() for index, title in enumerate(found.header))
    score -= WEIGHTS["unread"] * min(4, unread)
    named = [found.columns[name].index for name in found.feed.identity if name in found.columns]
    ids = [name for name in found.feed.key if name in found.columns and found.feed.columns[name].type == "id"]
    if ids and len(evidence.rows) > 1:
        share = evidence.distinct(named)
        score += WEIGHTS["unique"] if share > 0.98 else -WEIGHTS["repeated"] * (0.9 - share) if share < 0.9 else 0
    return score


@lru_cache(maxsize=1)
def _counts() -> set[str]:
    """Names of counts and of sums of money, of whichever feed: one that is not read says that the feed is another."""
    feeds = load_feeds()
    named = [(feed, name) for feed in feeds.values() if feed.time is not None for name in feed.counts]
    named += [(feeds["orders"], "gross_amount"), (feeds["costs"], "amount"), (feeds["refunds"], "amount")]
    return {option for feed, name in named for option in options(feed.feed, name)}
