"""Bars of days, stacked and drawn while the page is made: a path per kind and period, on one scale, without a script.

A panel is 1,000 wide and 300 high in each period; a page stretches it. Nothing in a path is a text.
"""

import math
from collections.abc import Sequence
from datetime import date, timedelta

from serving.report.formatting import day as day_label
from serving.report.formatting import number
from serving.report.ranges import TICKS, scale_top, ticks
from serving.report.source import Row

WIDTH, HEIGHT = 1000, 300
# Bars of a short period stand apart; in a long one gaps would only flicker.
APART, APART_DAYS = 0.72, 60
# Dates below a chart that is one unbroken period.
MOST_DATES = 7

# Of a panel: key of the colour, the label, and a value for each day of the period, null where it is unknown.
Stack = tuple[str, str, Sequence[int | None]]


def frame(periods: Sequence[Row]) -> list[Row]:
    """What the periods of a chart share: their width, the dates below, and the days without data before each."""
    spans = [(_last(period) - _first(period)).days + 1 for period in periods]
    return [
        {
            "span": span,
            "days_without": period["days_without"],
            "dates": dates(_first(period), span, max(2, round(MOST_DATES * span / sum(spans)))),
        }
        for period, span in zip(periods, spans, strict=True)
    ]


def panel(periods: Sequence[Row], stacks: Sequence[Sequence[Stack]]) -> Row:
    """One panel of a chart: marks of its scale, and of each period the paths and the words of each day.

    Args:
        periods: each with `days`, ISO dates in order.
        stacks: per period what is stacked, from the bottom.
    """
    heights = [
        sum(values[place] or 0 for _, _, values in stack)
        for period, stack in zip(periods, stacks, strict=True)
        for place in range(len(period["days"]))
    ]
    # A count is whole, and so is each mark of its scale.
    top = math.ceil(scale_top(heights) / TICKS) * TICKS
    return {
        "marks": [{"value": mark["value"], "at": 100 - mark["at"]} for mark in ticks(top)],
        "periods": [_period(period, stack, top) for period, stack in zip(periods, stacks, strict=True)],
    }


def _period(period: Row, stack: Sequence[Stack], top: int) -> Row:
    first, days = _first(period), period["days"]
    step = WIDTH / ((_last(period) - first).days + 1)
    wide = step * (APART if WIDTH / step <= APART_DAYS else 1.0)
    lefts = [(date.fromisoformat(day) - first).days * step + (step - wide) / 2 for day in days]
    stands, paths = [0.0] * len(days), []
    for key, _, values in stack:
        path = []
        for place, value in enumerate(values):
            if value:
                high = HEIGHT * value / top
                path.append(_bar(lefts[place], HEIGHT - stands[place] - high, wide, high))
                stands[place] += high
        if path:
            paths.append({"key": key, "d": "".join(path)})
    said = [
        {"left": _round((date.fromisoformat(day) - first).days * step), "words": _words(day, stack, place)}
        for place, day in enumerate(days)
    ]
    return {"paths": paths, "days": said, "step": _round(step)}


def _words(day: str, stack: Sequence[Stack], place: int) -> str:
    """A day and what stands on it; unknown is said."""
    figures = (f"{label} {'unknown' if values[place] is None else number(values[place])}" for _, label, values in stack)
    return f"{day_label(day)}: {', '.join(figures)}"


def _bar(left: float, above: float, wide: float, high: float) -> str:
    return f"M{_round(left)} {_round(above)}h{_round(wide)}v{_round(high)}h-{_round(wide)}z"


def _round(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def dates(first: date, span: int, most: int) -> list[Row]:
    """Dates at equal distances, the first and last day among them; a telephone leaves out those between."""
    count = min(most, span)
    places = [round(number * (span - 1) / max(count - 1, 1)) for number in range(count)]
    return [{"day": first + timedelta(days=place), "between": 0 < place < span - 1} for place in places]


def _first(period: Row) -> date:
    return date.fromisoformat(period["days"][0])


def _last(period: Row) -> date:
    return date.fromisoformat(period["days"][-1])
