"""What is past, or was let go, comes in no more, whoever delivers it and whatever is set; all else is as it was."""

import os
from datetime import date, datetime

import pytest

from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.sources.capture import folder_of
from ingestion.sources.catalog import SOURCES
from ingestion.sources.journal import Journal
from ingestion.sources.kept import kept, limit_of, short_platforms
from tests.unit.conftest import HEADER, Yard
from warehouse import pipeline, plan, retention

from .conftest import World
from .test_terms import keep, land_two_days

NOW = datetime(2026, 1, 10, 2)


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Captures of the 5th and the 6th that have landed; on the 10th only the 6th may be kept."""
    monkeypatch.setattr(retention, "utc_now", lambda: NOW)
    return land_two_days(world)


def land(world: World, run_id: str = "night") -> None:
    """The first step of a night."""
    pipeline.land_files(world.settings, run_id, world.said.append)


def days(settings: Settings) -> set[str]:
    return {file.parent.name[-2:] for file in settings.raw.rglob("*.parquet") if file.name != "_schema.parquet"}


def gone(settings: Settings) -> set[str]:
    with ledger.read(settings) as connection:
        return {row["snapshot_date"][-2:] for row in ledger.let_go(connection)}


def test_a_night_lets_go_before_it_lands(world: World) -> None:
    keep(world, 4)
    land(world)
    assert (days(world.settings), gone(world.settings)) == ({"06"}, {"05"})
    assert any(line.startswith("bluesky: from before 2026-01-06 2 files in landing") for line in world.said)


def test_a_shorter_time_takes_effect_with_the_next_night(world: World) -> None:
    keep(world, 4)
    land(world)
    keep(world, 3)
    land(world)
    assert (days(world.settings), gone(world.settings)) == (set(), {"05", "06"})


@pytest.mark.parametrize("longer", [100, None])
def test_a_longer_time_or_none_brings_nothing_back(world: World, longer: int | None) -> None:
    before = world.bytes_landed()
    keep(world, 4)
    land(world)
    keep(world, longer)
    land(world)
    assert (days(world.settings), gone(world.settings)) == ({"06"}, {"05"})
    # Neither do the very same answers, put back by hand, while they lie there.
    for name, content in before.items():
        if name.startswith("profiles_2026-01-05"):
            (world.settings.landing / "bluesky" / name).write_bytes(content)
    land(world)
    assert days(world.settings) == {"06"}


def test_past_answers_that_are_put_back_by_hand_are_removed_unread(world: World) -> None:
    before = world.bytes_landed()
    keep(world, 4)
    land(world)
    for name, content in before.items():
        if "2026-01-05" in name:
            (world.settings.landing / "bluesky" / f"copy_of_{name}").write_bytes(content)
    land(world)
    assert not [name for name in world.bytes_landed() if "2026-01-05" in name]
    assert days(world.settings) == {"06"}


def test_rows_by_hand_for_a_day_that_was_let_go_are_left_out_in_words(world: World) -> None:
    keep(world, 4)
    land(world)
    yard = Yard(world.settings)
    yard.drop_rows(
        "account_snapshots/own.csv",
        "bluesky,did:plc:own,2026-01-05T03:00:00Z,7",
        "bluesky,did:plc:own,2026-01-04T03:00:00Z,8",
        "tiktok,own,2026-01-05T03:00:00Z,9",
        header=HEADER,
    )
    yard.drop_rows("account_snapshots/all.csv", "bluesky,did:plc:own,2026-01-05T04:00:00Z,7", header=HEADER)
    yard.land()
    # Of the day alone that was let go, and of its platform.
    assert yard.rows("account_snapshots/own.csv") == [("did:plc:own", 8), ("own", 9)]
    assert yard.batch("account_snapshots/own.csv")["reason"] == (
        "1 rows are of days that were let go (`groundswell terms`), and are left out"
    )
    assert yard.batch("account_snapshots/all.csv")["state"] == "quarantined"


def test_a_capture_that_was_killed_does_not_land_on_a_day_on_which_it_is_past(world: World) -> None:
    keep(world, 4)
    folder = folder_of(world.settings, "bluesky")
    for day, is_left in (("2026-01-05", False), ("2026-01-06", True)):
        with Journal(folder) as journal:
            asked = {"accounts": [], "posts": [], "day": day, "options": {}}
            journal.begin({"instant": f"{day} 22:00:00", "day": day, "asked": asked})
        land(world)
        assert (folder / "capture.journal").exists() == is_left


def test_rows_and_files_in_quarantine_go_with_their_day(world: World) -> None:
    yard = Yard(world.settings)
    for day in (5, 6):
        # No count in it can be read, and the second is no gzip.
        yard.drop(f"bluesky/profiles_2026-01-0{day}T230000Z.jsonl.gz", b"not gzip")
    yard.land()
    aside = world.settings.quarantine
    assert len(list(aside.rglob("files/*/file"))) == 1
    held = sorted(aside.rglob("reason.json"))
    assert held
    keep(world, 4)
    land(world)
    assert not [file for file in aside.rglob("reason.json") if "2026-01-05" in file.read_text()]


def test_what_the_platform_may_call_unchanged_goes_with_its_day(world: World) -> None:
    folder = folder_of(world.settings, "bluesky") / "etags"
    folder.mkdir(parents=True, exist_ok=True)
    for name, day in (("old", 5), ("new", 6)):
        file = folder / f"{name}.json"
        file.write_text("{}")
        at = datetime(2026, 1, day, 12).timestamp()
        os.utime(file, (at, at))
    keep(world, 4)
    land(world)
    assert [file.name for file in folder.glob("*")] == ["new.json"]


def test_a_day_that_was_let_go_is_never_planned(world: World) -> None:
    keep(world, 4)
    land(world)
    model = plan.Model("m", "new", True, frozenset({"account_snapshots"}), reach={"account_snapshots": 400})
    with ledger.read(world.settings) as connection:
        # A run of that very day, of a model that changed.
        made = plan.compute(connection, "run", date(2026, 1, 5), [model], fresh_build=True)
        later = plan.compute(connection, "run", date(2026, 1, 6), [model], fresh_build=True)
    assert made.dates == {"m": {}}
    assert set(later.dates["m"]) == {"2026-01-06"}
    with pytest.raises(UsageError, match=r"2026-01-05 \.\. 2026-01-05 were let go"):
        plan.resolve(world.settings, date(2026, 1, 5), date(2026, 1, 6))


def test_a_day_that_another_file_holds_too_may_be_planned(world: World) -> None:
    yard = Yard(world.settings)
    yard.drop_rows("account_snapshots/own.csv", "tiktok,own,2026-01-05T03:00:00Z,9", header=HEADER)
    yard.land()
    keep(world, 4)
    land(world)
    model = plan.Model("m", "new", True, frozenset({"account_snapshots"}))
    with ledger.read(world.settings) as connection:
        made = plan.compute(connection, "run", date(2026, 1, 6), [model], fresh_build=True)
    assert set(made.dates["m"]) == {"2026-01-05", "2026-01-06"}


def test_terms_of_platforms_are_data(world: World) -> None:
    held = kept(world.settings)
    assert (held["youtube"].days, held["youtube"].keeps_derived, held["youtube"].is_short) == (30, False, True)
    assert (held["bluesky"].days, held["bluesky"].keeps_derived, held["bluesky"].is_short) == (None, True, False)
    # Nobody asks YouTube: what its owner delivers by hand is under no term of it.
    assert short_platforms(world.settings) == []
    keep(world, 119, "  keep_derived: false\n")
    assert short_platforms(world.settings) == ["bluesky"]
    keep(world, 120, "  keep_derived: false\n")
    assert short_platforms(world.settings) == []
    keep(world, 30, "  keep_derived: true\n")
    assert short_platforms(world.settings) == []


def test_who_is_about_to_ask_is_told_how_long_the_answers_are_kept(world: World) -> None:
    assert limit_of(world.settings, "bluesky") is None
    keep(world, 30, "  keep_derived: false\n")
    limit = limit_of(world.settings, "bluesky")
    assert limit is not None
    assert limit.startswith("bluesky: answers are kept for 30 days, by `retention_days` of config/sources.yml")
    assert limit.endswith("under 120 days there is no verdict of trust and no held tier")
    world.said.clear()
    world.time.at = datetime(2026, 1, 9, 22)
    world.capture()
    assert limit in world.said
    youtube = limit_of(world.settings, "youtube")
    assert youtube is not None
    assert SOURCES["youtube"].term in youtube
