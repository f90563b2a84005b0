"""Bars of days: places and heights worked out by hand, unknown drawn as nothing and said as unknown."""

from datetime import date

from serving.report import bars

WEEK = {"days": ["2026-01-01", "2026-01-02", "2026-01-05"], "days_without": None}
LATER = {"days": ["2026-06-01"], "days_without": 146}


def test_bars_stand_on_their_days_and_on_each_other() -> None:
    stacks = [[("t0", "Nano", [2, 0, 4]), ("t1", "Micro", [6, None, 4])], [("t0", "Nano", [1]), ("t1", "Micro", [1])]]
    panel = bars.panel([WEEK, LATER], stacks)
    # The highest day holds 8: marks at 0, 2, 4, 6 and 8.
    assert [(mark["value"], mark["at"]) for mark in panel["marks"]] == [(0, 100), (2, 75), (4, 50), (6, 25), (8, 0)]
    first, second = panel["periods"]
    # Five days: 200 wide each, of which a bar takes 144, 28 from the left. 2 of 8 is 75 of 300 high.
    assert first["step"] == "200"
    assert first["paths"] == [
        {"key": "t0", "d": "M28 225h144v75h-144zM828 150h144v150h-144z"},
        {"key": "t1", "d": "M28 0h144v225h-144zM828 0h144v150h-144z"},
    ]
    assert [day["left"] for day in first["days"]] == ["0", "200", "800"]
    assert first["days"][1]["words"] == "2 Jan 2026: Nano 0, Micro unknown"
    # The same scale: 1 of 8 is 37.5 high.
    assert second["paths"][1] == {"key": "t1", "d": "M140 225h720v37.5h-720z"}


def test_marks_of_counts_are_whole() -> None:
    marks = bars.panel([LATER], [[("t0", "Nano", [9])]])["marks"]
    assert [mark["value"] for mark in marks] == [0, 3, 6, 9, 12]
    assert [mark["value"] for mark in bars.panel([LATER], [[("t0", "Nano", [None])]])["marks"]] == [0, 1, 2, 3, 4]


def test_bars_of_a_long_period_leave_no_gaps() -> None:
    days = {"days": ["2026-01-01", "2026-04-10"], "days_without": None}
    (period,) = bars.panel([days], [[("t0", "Nano", [4, 4])]])["periods"]
    assert period["paths"][0]["d"] == "M0 0h10v300h-10zM990 0h10v300h-10z"


def test_dates_stand_at_equal_distances_and_the_ends_stay_on_a_telephone() -> None:
    long, short = bars.frame([{"days": ["2026-01-01", "2026-03-01"], "days_without": None}, LATER])
    assert (long["span"], short["span"], short["days_without"]) == (60, 1, 146)
    assert [mark["day"] for mark in long["dates"]][:2] == [date(2026, 1, 1), date(2026, 1, 11)]
    assert long["dates"][-1] == {"day": date(2026, 3, 1), "between": False}
    assert [mark["between"] for mark in long["dates"]] == [False, True, True, True, True, True, False]
    assert short["dates"] == [{"day": date(2026, 6, 1), "between": False}]
