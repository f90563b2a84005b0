"""An account's follower curve, drawn while the page is made: periods of captures, tiers held, windows of evidence."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from serving.report.source import Row
from serving.report.tiers import MAX_GAP_DAYS

# A follower more or less is not a cliff: the scale spans at least this share of the highest count.
LEAST_SPAN = 0.02
# Days without a capture that a line passes over.
BRIDGED_DAYS = 3

# First and last day of a window, and its kind, which is the name of its colour.
Window = tuple[date, date, str]


def draw(days: list[Row], spells: list[Row], look: dict[str, Row], windows: Sequence[Window] = ()) -> Row | None:
    """The follower curve in periods of captures, each with its place on the page; null where no count is known.

    Args:
        days: `day` and `followers`, in order.
        spells: tiers held, with `valid_from`, `valid_to` (null while held) and `tier`.
        look: colours of the tiers.
        windows: what to mark behind the curve.
    """
    known = [day for day in days if day["followers"] is not None]
    if not known:
        return None
    low, high = min(day["followers"] for day in known), max(day["followers"] for day in known)
    periods: list[list[Row]] = []
    for day in days:
        if not periods or (day["day"] - periods[-1][-1]["day"]).days > MAX_GAP_DAYS:
            periods.append([])
        periods[-1].append(day)
    middle: float = (low + high) / 2
    span: float = max(high - low, high * LEAST_SPAN, 1)

    def up(followers: float) -> float:
        """Height on 100, from the top: a span takes the 84 in the middle."""
        return round(50.0 - 84.0 * (followers - middle) / span, 2)

    widths = _widths([(period[-1]["day"] - period[0]["day"]).days + 1 for period in periods])
    drawn: list[Row] = []
    for period, width in zip(periods, widths, strict=True):
        gap = (period[0]["day"] - drawn[-1]["last"]).days - 1 if drawn else None
        drawn.append(_period(period, width, up, spells, look, windows) | {"days_without": gap})
    marks = [{"at": up(high), "count": high}, {"at": up(low), "count": low}]
    # Two labels need room for two lines.
    return {"low": low, "high": high, "marks": marks[: 2 if up(low) - up(high) > 10 else 1], "periods": drawn}


def joined(windows: Sequence[Window]) -> list[Window]:
    """Windows of one kind that touch or overlap as one: several signs of one event are drawn once."""
    found: list[Window] = []
    for start, end, kind in sorted(windows, key=lambda window: (window[2], window[0], window[1])):
        if found and found[-1][2] == kind and (start - found[-1][1]).days <= 1:
            found[-1] = (found[-1][0], max(end, found[-1][1]), kind)
        else:
            found.append((start, end, kind))
    return found


def _widths(days: list[int]) -> list[float]:
    """Shares of the page's width, in per cent: by days, none under 12."""
    floor = min(12.0, 100.0 / len(days))
    rest, total = 100.0 - floor * len(days), sum(days)
    return [round(floor + rest * count / total, 2) for count in days]


def _period(
    days: list[Row],
    width: float,
    up: Callable[[float], float],
    spells: list[Row],
    look: dict[str, Row],
    windows: Sequence[Window],
) -> Row:
    """One period's lines and single points as SVG paths on 1000 by 100, its windows, and the strip of tiers held."""
    first, last = days[0]["day"], days[-1]["day"]
    length = (last - first).days + 1

    def across(day: date) -> float:
        """Middle of a day on the width."""
        place: float = round(((day - first).days + 0.5) * 1000 / length, 2)
        return place

    def part(start: date, end: date) -> tuple[float, float] | None:
        """Left and width of the days from start up to the one before end, in per cent; null outside of the period."""
        start, end = max(start, first), min(end, last + timedelta(days=1))
        if start >= end:
            return None
        return round((start - first).days * 100 / length, 2), round((end - start).days * 100 / length, 2)

    runs: list[list[str]] = []
    before: date | None = None
    for day in days:
        if day["followers"] is None:
            before = None
            continue
        # Days without a capture are no line, only two points.
        if before is None or (day["day"] - before).days > BRIDGED_DAYS:
            runs.append([])
        runs[-1].append(f"{across(day['day'])} {up(day['followers'])}")
        before = day["day"]
    strip = [
        {"key": look[spell["tier"]]["key"], "left": place[0], "width": place[1]}
        for spell in spells
        if (place := part(spell["valid_from"], spell["valid_to"] or date.max))
    ]
    marked = [
        {"kind": kind, "x": round(place[0] * 10, 1), "width": round(place[1] * 10, 1)}
        for start, end, kind in joined(windows)
        if (place := part(start, end + timedelta(days=1)))
    ]
    return {
        "first": first,
        "last": last,
        "width": width,
        "line": "".join("M" + "L".join(run) for run in runs if len(run) > 1),
        "dots": "".join(f"M{run[0]}h0" for run in runs if len(run) == 1),
        "strip": strip,
        "windows": marked,
    }
