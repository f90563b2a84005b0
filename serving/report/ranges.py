"""Ranges drawn without a script: values of one unit as places, in per cent, on one scale."""

import math
from collections.abc import Iterable
from typing import Any

from serving.report.source import Row

# Steps of a scale that people read at once.
ROUND = (1, 2, 2.5, 5, 10)
TICKS = 4


def scale_top(values: Iterable[float | None]) -> float:
    """End of a scale from 0 that holds all values and cuts into round steps; 1 where there is no value above 0."""
    highest = max((value for value in values if value is not None), default=0.0)
    return _step(highest) * TICKS if highest > 0 else 1.0


def _step(highest: float) -> float:
    raw = highest / TICKS
    size = 10.0 ** math.floor(math.log10(raw))
    return next(step * size for step in ROUND if step * size >= raw * (1 - 1e-9))


def ticks(top: float) -> list[Row]:
    """Marks of the scale, 0 and the end among them."""
    return [{"value": top * n / TICKS, "at": 100.0 * n / TICKS} for n in range(TICKS + 1)]


def at(value: float | None, top: float) -> float | None:
    """Place of a value on the scale, from 0 to 100; null where it is unknown."""
    return None if value is None else round(min(max(value / top, 0.0), 1.0) * 100, 2)


def span(low: float | None, high: float | None, top: float) -> Row | None:
    """Start and width of a bar from low to high; an open end reaches the end of the scale; null without either."""
    if low is None and high is None:
        return None
    start, end = at(low or 0.0, top), at(top if high is None else high, top)
    assert start is not None
    assert end is not None
    return {"from": start, "width": round(max(end - start, 0.4), 2)}


def spread(row: Row, measure: str, top: float) -> Row:
    """What a benchmark's row draws of a measure: its outer and inner range, and its median."""
    value: dict[str, Any] = {quantile: row[f"{measure}_{quantile}"] for quantile in ("p10", "p25", "p50", "p75", "p90")}
    return {
        **value,
        "outer": span(value["p10"], value["p90"], top) if value["p10"] is not None else None,
        "inner": span(value["p25"], value["p75"], top) if value["p25"] is not None else None,
        "middle": at(value["p50"], top),
    }
