"""Passes: how many planned days a windowed model makes at once, so that its memory follows the day and not the plan.

A night is one pass. A long plan of small days is few passes, since each reads the look-back of its first day again: a
pass is no shorter than that.
"""

from collections.abc import Iterable, Mapping

# Raw rows of planned days that a pass may hold for each GiB of `GROUNDSWELL_MEMORY_GIB`: most models take under 1 KB
# a row (365 days of 1,000 accounts, 2026-11-28). One that takes more says how many times that (`row_weight`).
ROWS_PER_GIB = 1_000_000


def passes(
    days: Iterable[str], rows: Mapping[str, int], most_rows: float, fewest_days: int = 1, most_days: int | None = None
) -> dict[str, int]:
    """The number of the pass, from 1 on, in which each day is made: days in order, as many as fit.

    Args:
        rows: raw rows of the model's feeds by day.
        fewest_days: days that a pass holds whatever their rows.
        most_days: a bound of the model's own, null for none.
    """
    numbers: dict[str, int] = {}
    number, held_days, held_rows = 1, 0, 0
    for day in sorted(days):
        has_rows = held_days >= max(fewest_days, 1) and held_rows + rows.get(day, 0) > most_rows
        if has_rows or held_days == most_days:
            number, held_days, held_rows = number + 1, 0, 0
        held_days += 1
        held_rows += rows.get(day, 0)
        numbers[day] = number
    return numbers
