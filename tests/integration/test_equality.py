"""Same inputs, same marts: a small world, brought in and built in every way that there is.

`-s` prints the hash of each mart of each way. The operational marts tell of runs, and are left out.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.config import Settings
from warehouse.release import rollback

from . import night, small
from .conftest import content, run_dag
from .courses import CRASHES, DAYS, LAST, World, as_of, at_once, bring, crash, rebuild, reject
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("accounts_alone")

# One world with everything in it that a day can hold: two captures, files that disagree, a count unknown for a day, a
# gap, an account that comes late and one that goes, a file with rows of two days.
FIXED: World = {
    "file0": [Capture("a", 1, followers=990, posts=3, handle="@a"), Capture("b", 1, followers=5000, views=10)],
    "file1": [Capture("a", 2, followers=1010, posts=4), Capture("b", 2, views=30, handle="@b2")],
    "file2": [
        Capture("a", 2, followers=1011, posts=4),
        Capture("a", 2, hour=21, followers=1020),
        Capture("c", 3, followers=7),
    ],
    "file3": [Capture("b", 4, followers=10_000, views=35), Capture("a", 4, followers=950, posts=9)],
}
Way = Callable[[Settings, World], None]
WAYS: dict[str, Way] = {}
# Of some ways the one whose world they go on from.
GOES_ON_FROM: dict[str, str] = {}


def way(function: Way) -> Way:
    """A way of bringing a world in that ends in its marts."""
    WAYS[function.__name__] = function
    return function


def way_on_from(start: Way) -> Callable[[Way], Way]:
    """One that goes on where another has ended."""

    def register(function: Way) -> Way:
        GOES_ON_FROM[function.__name__] = start.__name__
        return way(function)

    return register


@way
def in_one_night(world: Settings, files: World) -> None:
    """The plainest: all is there. The others are compared with it."""
    bring(world, files, *files)
    night.run(world, "once", day(LAST))


@way
def day_by_day(world: Settings, files: World) -> None:
    for number in DAYS:
        bring(world, files, *(name for name, rows in files.items() if max(row.day for row in rows) == number))
        night.run(world, f"day {number}", day(number))


@way
def all_there_but_built_day_by_day(world: Settings, files: World) -> None:
    bring(world, files, *files)
    for number in DAYS:
        night.run(world, f"day {number}", day(number))


@way
def in_the_opposite_order(world: Settings, files: World) -> None:
    for name in reversed(files):
        bring(world, files, name)
        night.run(world, name, day(LAST))


@way_on_from(in_one_night)
def later_days_first(world: Settings, files: World) -> None:
    for number in reversed(range(1, LAST)):
        night.run(world, f"day {number}", day(number))


@way_on_from(in_one_night)
def with_duplicates_and_runs_again(world: Settings, files: World) -> None:
    for name in files:
        original = next((world.landing / "account_snapshots").glob(f"{name}_*"))
        original.with_name(f"again_{original.name}").write_bytes(original.read_bytes())
    for number in (2, LAST):
        night.run(world, f"again {number}", day(number))


@way
def rebuilt_in_one_pass(world: Settings, files: World) -> None:
    bring(world, files, *files)
    night.run(world, "first", day(2))
    rebuild(world, "rebuild", 1, LAST)


@way_on_from(in_one_night)
def rebuilt_when_all_is_there(world: Settings, _: World) -> None:
    rebuild(world, "rebuild", 2, 3)


@way
def rejected_and_replayed(world: Settings, files: World) -> None:
    wrong = [Capture(row.account, row.day, 23, followers=123_456_789, handle="@wrong") for row in files["file1"]]
    deliver(world, "wrong", wrong, as_of(9))
    bring(world, files, "file0", "file3")
    night.run(world, "wrong", day(LAST))
    reject(world, "wrong")
    bring(world, files, "file1", "file2")
    night.run(world, "right", day(LAST))


@way
def the_last_day_built_rejected_and_replayed(world: Settings, files: World) -> None:
    deliver(world, "wrong", [Capture("a", LAST, 23, followers=1)], as_of(9))
    bring(world, files, "file0", "file1")
    night.run(world, "wrong", day(LAST))
    reject(world, "wrong")
    night.run(world, "without", day(LAST))
    bring(world, files, "file2", "file3")
    night.run(world, "right", day(LAST))


@way
def rolled_back_between(world: Settings, files: World) -> None:
    bring(world, files, "file0", "file1")
    first = night.run(world, "first", day(2)).release_id
    bring(world, files, "file2", "file3")
    night.run(world, "second", day(LAST))
    assert first
    rollback.roll_back(world, first, "a test", night.quiet)
    night.run(world, "third", day(LAST))


@way_on_from(day_by_day)
def from_a_new_build(world: Settings, _: World) -> None:
    night.build.integrity.remove_build(world)
    night.run(world, "new", day(LAST))


@way
def after_crashes(world: Settings, files: World) -> None:
    for where, name in enumerate([*files, *files][: len(CRASHES)]):
        bring(world, files, name)
        crash(world, f"crash {where}", LAST, where)
    bring(world, files, *files)
    night.run(world, "last", day(LAST))


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory, accounts_alone: None) -> Callable[[str], Settings]:
    """The fixed world, brought in a way, once each."""
    made: dict[str, Settings] = {}

    def bring_in(name: str) -> Settings:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            start = GOES_ON_FROM.get(name)
            world = small.copy_of(bring_in(start), folder) if start else small.world(folder, "world")
            WAYS[name](world, FIXED)
            made[name] = world
        return made[name]

    return bring_in


@pytest.fixture(scope="module")
def expected(brought: Callable[[str], Settings]) -> dict[str, tuple[int, str]]:
    return content(brought("in_one_night"))


@pytest.mark.parametrize("name", [name for name in WAYS if name != "in_one_night"])
def test_each_way_ends_in_the_same_marts(
    name: str, brought: Callable[[str], Settings], expected: dict[str, tuple[int, str]]
) -> None:
    world = brought(name)
    print(f"\n{name}\n{small.hashes(world)}")
    assert content(world) == expected


def test_another_world_ends_in_other_marts(tmp_path: Path, expected: dict[str, tuple[int, str]]) -> None:
    """Negative test: one follower more, and the hashes see it."""
    files = FIXED | {"file3": [Capture("b", 4, followers=10_001, views=35), Capture("a", 4, followers=950, posts=9)]}
    assert content(at_once(tmp_path, files)) != expected


def test_airflow_day_by_day_ends_in_the_same_marts(tmp_path: Path, expected: dict[str, tuple[int, str]]) -> None:
    """The real DAG, a run for each day, as Airflow's backfill makes them."""
    world = small.world(tmp_path, "world")
    bring(world, FIXED, *FIXED)
    for number in (2, LAST):
        done = run_dag(world.data, "--day", str(day(number)))
        assert done.code == 0, done.printed
    print(f"\nAirflow\n{small.hashes(world)}")
    assert {mart: held for mart, held in content(world).items() if mart in expected} == expected
