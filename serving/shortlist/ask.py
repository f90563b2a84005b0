"""What a shortlist is asked for, read from words and checked before anything is opened."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation

MEASURES = ("followers", "reach", "engagements")
ATTRIBUTES = ("platform", "niche", "country", "city", "language")
AIMS = ("price", "engagements")
EXAMPLE = "for example: make shortlist FOLLOWERS=500000 BUDGET=20000 PLATFORM=instagram"


class ShortlistError(Exception):
    """There is no such list; the message says why, and what to do."""


@dataclass(frozen=True)
class Ask:
    """A target or a budget or both, and limits.

    Args:
        measure: what is counted, one of MEASURES: that of the target; engagements without one.
        target: the least sum of it, null when the most within `budget` is asked for.
        budget: the most that all posts together may cost, in base currency.
        aim: `price` (the lowest) or `engagements` (the most expected ones).
        only: attribute to the value that every account must have.
        min_trust: least trust score, 0 to 100.
        max_creators: the most creators; several accounts of one person are one.
        iceberg: one big name is in the list, for at most this share of its price; all others are small.
    """

    measure: str
    target: int | None = None
    budget: Decimal | None = None
    aim: str = "price"
    only: tuple[tuple[str, str], ...] = ()
    min_trust: int | None = None
    max_creators: int | None = None
    iceberg: Decimal | None = None

    @property
    def key(self) -> str:
        """The ask as one line, the same for equal asks."""
        return "|".join(f"{name}={value}" for name, value in asdict(self).items())

    def words(self, currency: str) -> list[str]:
        """The ask for people: what is wanted, then each limit."""
        wanted = f"at least {self.target:,} {self.measure}" if self.target else "the most expected engagements"
        if self.target and self.aim == "engagements":
            wanted += ", with the most expected engagements"
        elif self.target:
            wanted += " at the lowest price"
        return [
            wanted,
            *([f"for at most {self.budget:,.2f} {currency}"] if self.budget is not None else []),
            *(f"{name} {value}" for name, value in self.only),
            *([f"trust score of at least {self.min_trust}"] if self.min_trust is not None else []),
            *([f"at most {many(self.max_creators, 'creator')}"] if self.max_creators is not None else []),
            *([f"one big name for at most {self.iceberg:.0%} of the price"] if self.iceberg is not None else []),
        ]


def many(count: int, noun: str) -> str:
    """A count with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def read_ask(given: Mapping[str, str | None]) -> Ask:
    """The ask of words by name. Raises ShortlistError for what cannot be asked, with the remedy."""
    words = {name: text.strip() for name, text in given.items() if text and text.strip()}
    targets = {name: _whole(name, words[name], least=1) for name in MEASURES if name in words}
    if len(targets) > 1:
        raise ShortlistError(f"name one target, not {len(targets)}: {', '.join(name.upper() for name in targets)}")
    budget = _money(words["budget"]) if "budget" in words else None
    if not targets and budget is None:
        raise ShortlistError(f"say what to reach (FOLLOWERS=, REACH= or ENGAGEMENTS=), or a BUDGET=; {EXAMPLE}")
    measure, target = next(iter(targets.items()), ("engagements", None))
    aim = words.get("aim", "price" if targets else "engagements").lower()
    if aim not in AIMS:
        raise ShortlistError(f"AIM={words['aim']} is unknown; there are: {', '.join(AIMS)}")
    if aim == "price" and not targets:
        raise ShortlistError("the lowest price of no target is nothing; name FOLLOWERS=, REACH= or ENGAGEMENTS=")
    if aim == "engagements" and budget is None:
        raise ShortlistError("the most engagements without a budget is everybody; name a BUDGET=")
    return Ask(
        measure,
        target,
        budget,
        aim,
        tuple((name, words[name]) for name in ATTRIBUTES if name in words),
        _whole("min_trust", words["min_trust"], least=0, most=100) if "min_trust" in words else None,
        _whole("max_creators", words["max_creators"], least=1) if "max_creators" in words else None,
        _share(words["iceberg"]) if "iceberg" in words else None,
    )


def _whole(name: str, text: str, least: int, most: int | None = None) -> int:
    wanted = f"a whole number from {least}" + (f" to {most}" if most is not None else " on")
    try:
        value = int(text.replace(",", ""))
    except ValueError:
        raise ShortlistError(f"{name.upper()}={text} is not {wanted}") from None
    if value < least or (most is not None and value > most):
        raise ShortlistError(f"{name.upper()}={text} is not {wanted}")
    return value


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise ShortlistError(f"BUDGET={text} is not an amount; write it as 20000 or 20000.50") from None
    if not value.is_finite() or value <= 0:
        raise ShortlistError(f"BUDGET={text} buys nothing; name an amount above 0")
    return value


def _share(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ShortlistError(f"ICEBERG={text} is not a share; write it as 0.5") from None
    if not value.is_finite() or not 0 < value <= 1:
        raise ShortlistError(f"ICEBERG={text} is not a share above 0 and up to 1; write it as 0.5")
    return value
