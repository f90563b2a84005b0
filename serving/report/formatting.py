"""How values look on a page: the template environment, its filters, and what every page carries in its head."""

from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import jinja2

HERE = Path(__file__).parent
PLATFORMS = {
    "bluesky": "Bluesky", "facebook": "Facebook", "instagram": "Instagram", "mastodon": "Mastodon",
    "threads": "Threads", "tiktok": "TikTok", "twitch": "Twitch", "web": "Web", "x": "X", "youtube": "YouTube",
}  # fmt: skip
COMPACT = ((1e9, "B"), (1e6, "M"), (1e3, "K"))


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Templates of the report, everything escaped, an undefined name an error."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        shown.__name__: shown
        for shown in (number, compact, signed, share, day, moment, clip, fixed, platform, cash, returned, points)
    }
    return templates


def style(*more: str) -> str:
    """The style that every page carries in its head: how it looks, its charts, further files, telephone and paper."""
    names = ("page", "charts", *more, "phone", "paper")
    return "".join((HERE / f"{name}.css").read_text(encoding="utf-8") for name in names)


@lru_cache(maxsize=4096)
def number(value: float | None) -> str:
    """A count with thousands separators; unknown is said, never 0."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def compact(value: float) -> str:
    """A mark of a scale in few characters: 950, 2.5K, 40M, 1.2B."""
    size, unit = next(((size, unit) for size, unit in COMPACT if abs(value) >= size), (1, ""))
    return f"{value / size:,.2f}".rstrip("0").rstrip(".") + unit


def signed(value: float) -> str:
    """A change with its sign, the minus being a true one."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def share(value: float | None, sign: bool = False, digits: int = 1) -> str:
    """A fraction as per cent, to a tenth (or to `digits`); a smaller part is said to be smaller, not 0."""
    if value is None:
        return "unknown"
    least = 10**-digits
    size = f"<{least}" if 0 < abs(value) * 100 < least / 2 else f"{abs(value) * 100:,.{digits}f}"
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f"{mark}{size}\u202f%"


def fixed(value: float | None, digits: int = 1) -> str:
    """A number to so many digits after the point."""
    return "unknown" if value is None else f"{value:,.{digits}f}"


def cash(value: float | None) -> str:
    """An amount: whole from ten thousand on, to the hundredth below."""
    if value is None:
        return "unknown"
    return f"{'−' if value < 0 else ''}{abs(value):,.{0 if abs(value) >= 10_000 else 2}f}"


def returned(value: float | None) -> str:
    """A return as per cent with its sign, and a decimal where it says something.

    What lost not quite everything is not −100 %: it gets as many decimals as tell the difference, at most three.
    """
    if value is None:
        return "unknown"
    size = abs(value) * 100
    digits = 0 if abs(size - round(size)) < 1e-9 or size >= 1000 else 1
    while -1 < value < 0 and digits < 3 and round(size, digits) == 100:
        digits += 1
    return f"{'−' if value < 0 else '+' if value > 0 else ''}{size:,.{digits}f}\u202f%"


def points(value: float | None) -> str:
    """A difference of two shares in percentage points, with its sign."""
    if value is None:
        return "unknown"
    return f"{'−' if value < 0 else '+' if value > 0 else '±'}{abs(value) * 100:,.1f} points"


@lru_cache(maxsize=4096)
def day(value: date | str | None) -> str:
    """A date as people write it."""
    if value is None:
        return "unknown"
    value = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime | str | None) -> str:
    """An instant to the minute, UTC."""
    if value is None:
        return "unknown"
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def platform(code: str) -> str:
    """A platform's name as it writes itself; one that is not known here as its code stands."""
    return PLATFORMS.get(code, clip(code, 30))


def clip(value: str | None, limit: int) -> str:
    """Text cut to a length: nothing that people landed is printed whole."""
    text = value or ""
    return text if len(text) <= limit else text[: limit - 1] + "…"
