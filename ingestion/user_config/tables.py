"""Each table of the folder `config/`: its columns, what a row may hold, and what its rows must be together."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations, groupby, pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]
# As ids of feeds are compared: exactly, so a capital letter would match nothing.
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
AnyWord = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z0-9][a-z0-9_.-]*)$")]
# Compared in small letters, without blanks around.
Channel = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True, to_lower=True)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
# A day before any that can be captured: what holds since ever.
EVER = date(1970, 1, 1)
# What models call followers that no tier holds, and spend that no tier does.
NO_TIER = frozenset({"below", "unclassified", "unallocated"})


class Row(BaseModel):
    """A row of a table; an empty cell is null."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _in_order(self) -> "Row":
        """Pairs of bounds are half-open, so the upper one lies above the lower one."""
        for low, high in (("valid_from", "valid_to"), ("min_followers", "max_followers"), ("min_score", "max_score")):
            first, last = self.__dict__.get(low), self.__dict__.get(high)
            if first is not None and last is not None and first >= last:
                raise ValueError(f"{low} {first} must lie below {high} {last}, which is not part of it")
        return self


class TierScheme(Row):
    """A tier of a scheme on a platform, or on all that have no rows of their own."""

    scheme: Word
    platform: AnyWord = "*"
    tier: Word
    tier_rank: Annotated[int, Field(ge=1)]
    min_followers: Count
    max_followers: Count | None = None
    valid_from: date = EVER
    valid_to: date | None = None
    source_note: Text

    @model_validator(mode="after")
    def _has_a_name_of_its_own(self) -> "TierScheme":
        if self.tier in NO_TIER:
            raise ValueError(f"tier {self.tier} is what marts call followers or spend of no tier: name it otherwise")
        return self


class TrustSignal(Row):
    """What a signal of trust weighs: points grow from `points_at_cut` at `cut` to `points_in_full` at `in_full`."""

    signal: Word
    side: Literal["audience", "engagement"]
    cut: Number
    in_full: Number
    points_at_cut: Count
    points_in_full: Annotated[int, Field(ge=0, lt=60)]
    looks_like: Text
    could_also_be: Text
    reason: Text

    @model_validator(mode="after")
    def _grows(self) -> "TrustSignal":
        if not self.cut < self.in_full or self.points_at_cut > self.points_in_full:
            raise ValueError("cut must lie below in_full, and points_at_cut may not lie above points_in_full")
        return self


class TrustVerdict(Row):
    """A verdict for scores from `min_score` to under `max_score`."""

    verdict: Literal["trusted", "watch", "suspicious"]
    min_score: Annotated[int, Field(ge=0, le=100)]
    max_score: Annotated[int, Field(ge=1, le=101)]
    reason: Text


class TrustWeight(Row):
    """A number that the verdicts of trust go by, beside the weights of their signals."""

    weight: Word
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    reason: Text


class RateCard(Row):
    """What one like, comment, share, save, view or impression is said to be worth; the default card values posts."""

    card: Word
    is_default: bool
    platform: AnyWord
    content_type: AnyWord
    metric: Literal["likes", "comments", "shares", "saves", "views", "impressions"]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    rate: Amount
    valid_from: date = EVER
    valid_to: date | None = None
    source_note: Text


class Benchmark(Row):
    """An engagement rate as a vendor publishes it; `compare_with` names our column of the same formula."""

    source: Word
    platform: Word
    denominator: Literal["followers", "views", "reach", "unclear"]
    statistic: Word
    as_of: date
    band: Text
    level: Word
    min_followers: Count
    max_followers: Count | None = None
    low: Amount | None = None
    high: Amount | None = None
    compare_with: Word | None = None
    source_note: Text

    @model_validator(mode="after")
    def _states_its_formula(self) -> "Benchmark":
        if self.compare_with is not None and self.denominator == "unclear":
            raise ValueError("a rate that is compared states its denominator: followers, views or reach")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} lies above high {self.high}")
        return self


class Platform(Row):
    """A way to write a platform; the platform itself is one as well. Letter case and signs make no difference."""

    spelling: Text
    platform: Word


class Country(Row):
    """A way to write a country, and its code of two letters in ISO 3166."""

    spelling: Text
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class ChannelAlias(Row):
    """How a source writes a channel, without regard to letter case; what is `direct` leads back to nobody."""

    alias: Channel
    channel: Channel
    source_note: Text


class HouseCode(Row):
    """A promo code that belongs to nobody on purpose, compared as those of orders are."""

    code: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    note: Text | None = None


class Shop(Row):
    """A shop by the name that its orders carry, empty where it is the only one: its brand, and where its days lie."""

    shop: str = ""
    brand: Text | None = None
    time_zone: str = "UTC"
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None

    @model_validator(mode="after")
    def _zone_is_known(self) -> "Shop":
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"unknown time zone {self.time_zone!r}; write one like Asia/Taipei or UTC") from error
        return self


@dataclass(frozen=True)
class Placed:
    """A row with the file and the line on which it begins."""

    row: Any
    file: str
    line: int
    is_users: bool

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


# What is wrong with rows taken together: the row at which it is said, and words that name the remedy.
Problems = Iterator[tuple[Placed, str]]


@dataclass(frozen=True)
class Table:
    """A table of `config/` and how its rows join the package's.

    Args:
        key: columns that name a row once.
        replaces: columns by which a user's rows take the place of the package's: all of a scheme, else the key.
        kinds: DuckDB's type of each column.
        check: what the joined rows must be together.
        known_keys: whether a row must have a key of the package's: models know no other.
    """

    name: str
    model: type[Row]
    key: tuple[str, ...]
    kinds: Mapping[str, str]
    check: Callable[[list[Placed]], Problems]
    replaces: tuple[str, ...] = ()
    known_keys: bool = False

    @property
    def columns(self) -> list[str]:
        return list(self.model.model_fields)

    def place_of(self, row: Row) -> tuple[Any, ...]:
        """What a row takes the place of."""
        return tuple(getattr(row, name) for name in self.replaces or self.key)

    def key_of(self, row: Row) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in self.key)


def _no_problem(_: list[Placed]) -> Problems:
    yield from ()


def _meet(first: Any, last: Any, other_first: Any, other_last: Any) -> bool:
    """Whether two half-open ranges meet; an end of None is none."""
    return (last is None or other_first < last) and (other_last is None or first < other_last)


def _check_schemes(placed: list[Placed]) -> Problems:
    """Within a scheme and platform no two tiers hold one count of followers on one day, and ranks follow followers."""

    def group(item: Placed) -> tuple[str, str]:
        return item.row.scheme, item.row.platform

    for (scheme, platform), held in groupby(sorted(placed, key=group), group):
        for one, other in combinations(sorted(held, key=lambda item: item.row.min_followers), 2):
            low, high = one.row, other.row
            if not _meet(low.valid_from, low.valid_to, high.valid_from, high.valid_to):
                continue
            where = f"scheme {scheme}, platform {platform}"
            said_at = max(one, other, key=lambda item: item.line)
            if _meet(low.min_followers, low.max_followers, high.min_followers, high.max_followers):
                yield (
                    said_at,
                    f"{where}: {low.tier} ({_span(low)}) and {high.tier} ({_span(high)}) overlap; end"
                    f" {low.tier} at max_followers {high.min_followers}, which is not part of it",
                )
            elif low.tier_rank >= high.tier_rank:
                yield (
                    said_at,
                    f"{where}: {low.tier} has fewer followers than {high.tier} and no lower tier_rank"
                    f" ({low.tier_rank}, {high.tier_rank}); number the tiers from the smallest up",
                )
            elif low.tier == high.tier:
                yield said_at, f"{where}: {low.tier} is there twice on the same days; give each tier its own name"


def _span(row: Any) -> str:
    return f"{row.min_followers} and more" if row.max_followers is None else f"{row.min_followers}-{row.max_followers}"


def _check_verdicts(placed: list[Placed]) -> Problems:
    """Each score of 0 to 100 has one verdict."""
    ordered = sorted(placed, key=lambda item: item.row.min_score)
    edges = [(ordered[0], 0, ordered[0].row.min_score), (ordered[-1], ordered[-1].row.max_score, 101)]
    edges += [(later, before.row.max_score, later.row.min_score) for before, later in pairwise(ordered)]
    for item, ends, begins in edges:
        if ends != begins:
            what = (
                f"scores {ends} to {begins - 1} have no verdict" if ends < begins else f"scores from {begins} have two"
            )
            yield item, f"{what}; let each verdict begin where the one below it ends, from 0 to 101"


def _check_cards(placed: list[Placed]) -> Problems:
    """Exactly one card values posts, and it says so in each of its rows."""
    defaults = {item.row.card for item in placed if item.row.is_default}
    for item in placed:
        if item.row.card in defaults and not item.row.is_default:
            yield item, f"card {item.row.card} is the default in some rows alone; say is_default alike in all of them"
    if len(defaults) != 1:
        last = max(placed, key=lambda item: (item.is_users, item.line))
        names = ", ".join(sorted(defaults)) or "none"
        yield last, f"one card is the default, not {names}; say is_default true in the rows of one card"


def _check_spellings(placed: list[Placed]) -> Problems:
    """Of a user's rows no two that are compared alike stand for different things."""
    seen: dict[str, Placed] = {}
    for item in placed:
        alike = " ".join(re.sub(r"[\W_]+", " ", item.row.spelling.casefold()).split())
        if not alike:
            yield item, f"spelling {item.row.spelling!r} has neither letters nor digits"
        elif item.is_users and alike in seen and _meaning(seen[alike]) != _meaning(item):
            words = f"{item.row.spelling!r} is compared as {seen[alike].row.spelling!r} on line {seen[alike].line}"
            yield item, f"{words}, which stands for {_meaning(seen[alike])}; keep one of the two"
        if item.is_users:
            seen[alike] = item


def _meaning(item: Placed) -> Any:
    return list(item.row.model_dump().values())[-1]


TABLES = {
    table.name: table
    for table in (
        Table(
            "tier_schemes",
            TierScheme,
            ("scheme", "platform", "tier", "valid_from"),
            {
                "scheme": "varchar",
                "platform": "varchar",
                "tier": "varchar",
                "tier_rank": "integer",
                "min_followers": "bigint",
                "max_followers": "bigint",
                "valid_from": "date",
                "valid_to": "date",
                "source_note": "varchar",
            },
            _check_schemes,
            replaces=("scheme",),
        ),
        Table(
            "trust_signals",
            TrustSignal,
            ("signal",),
            {
                "signal": "varchar",
                "side": "varchar",
                "cut": "double",
                "in_full": "double",
                "points_at_cut": "integer",
                "points_in_full": "integer",
                "looks_like": "varchar",
                "could_also_be": "varchar",
                "reason": "varchar",
            },
            _no_problem,
            known_keys=True,
        ),
        Table(
            "trust_verdicts",
            TrustVerdict,
            ("verdict",),
            {"verdict": "varchar", "min_score": "integer", "max_score": "integer", "reason": "varchar"},
            _check_verdicts,
        ),
        Table(
            "trust_weights",
            TrustWeight,
            ("weight",),
            {"weight": "varchar", "value": "double", "reason": "varchar"},
            _no_problem,
            known_keys=True,
        ),
        Table(
            "rate_cards",
            RateCard,
            ("card", "platform", "content_type", "metric", "valid_from"),
            {
                "card": "varchar",
                "is_default": "boolean",
                "platform": "varchar",
                "content_type": "varchar",
                "metric": "varchar",
                "currency": "varchar",
                "rate": "decimal(18,8)",
                "valid_from": "date",
                "valid_to": "date",
                "source_note": "varchar",
            },
            _check_cards,
        ),
        Table(
            "benchmarks",
            Benchmark,
            ("source", "platform", "statistic", "as_of", "band", "level"),
            {
                "source": "varchar",
                "platform": "varchar",
                "denominator": "varchar",
                "statistic": "varchar",
                "as_of": "date",
                "band": "varchar",
                "level": "varchar",
                "min_followers": "bigint",
                "max_followers": "bigint",
                "low": "decimal(9,6)",
                "high": "decimal(9,6)",
                "compare_with": "varchar",
                "source_note": "varchar",
            },
            _no_problem,
        ),
        Table(
            "platforms",
            Platform,
            ("spelling",),
            {"spelling": "varchar", "platform": "varchar"},
            _check_spellings,
        ),
        Table(
            "countries",
            Country,
            ("spelling",),
            {"spelling": "varchar", "country": "varchar"},
            _check_spellings,
        ),
        Table(
            "channel_aliases",
            ChannelAlias,
            ("alias",),
            {"alias": "varchar", "channel": "varchar", "source_note": "varchar"},
            _no_problem,
        ),
        Table("house_codes", HouseCode, ("code",), {"code": "varchar", "note": "varchar"}, _no_problem),
        Table(
            "shops",
            Shop,
            ("shop",),
            {"shop": "varchar", "brand": "varchar", "time_zone": "varchar", "currency": "varchar"},
            _no_problem,
        ),
    )
}
