"""Passes: how many planned days a windowed model makes at once, so that its memory follows the day and not the plan.

A night is one pass. A long plan of small days is few passes, since each reads the look-back of its first day again.
"""

from collections.abc import Iterable, Mapping

# Raw rows of planned days that a pass may hold for each GiB of `GROUNDSWELL_MEMORY_GIB`.
ROWS_PER_GIB = 200_000


def passes(days: Iterable[str], rows: Mapping[str, int], most_rows: float, most_days: int | None) -> dict[str, int]:
    """The number of the pass, from 1 on, in which each day is made: days in order, as many as fit, at least one.

    Args:
        rows: raw rows of the model's feeds by day.
        most_days: a bound of the model's own, null for none.
    """
    numbers: dict[str, int] = {}
    number, held_days, held_rows = 1, 0, 0
    for day in sorted(days):
        is_full = held_rows + rows.get(day, 0) > most_rows or held_days == most_days
        if held_days and is_full:
            number, held_days, held_rows = number + 1, 0, 0
        held_days += 1
        held_rows += rows.get(day, 0)
        numbers[day] = number
    return numbers
