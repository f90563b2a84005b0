"""Same inputs, same marts: generated small worlds, brought in and built in every way that there is.

`-s` prints the hash of each mart of each way. The operational marts tell of runs, and are left out.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import ledger
from ingestion.config import Settings
from ingestion.lease import hold
from warehouse import plan
from warehouse.release import rollback

from . import night, small
from .conftest import content, run_dag
from .small import Capture, day, deliver

LAST = 4
DAYS = range(1, LAST + 1)
World = dict[str, list[Capture]]


pytestmark = pytest.mark.usefixtures("accounts_alone")


def as_of(number: int) -> date:
    """A time in a file's name: the same in every world, and another for each file."""
    return date(2026, 2, number + 1)


def bring(world: Settings, files: World, *names: str) -> None:
    """Deliver some files of a world. A name's number says when its content was known."""
    for name in names:
        deliver(world, name, files[name], as_of(int(name.removeprefix("file"))))


def rebuild(world: Settings, run_id: str, first: int, last: int) -> None:
    """A range in one pass, without the gates."""
    backfill_range, last_day = plan.resolve(world, day(first), day(last))
    with hold(world, run_id, "rebuild", night.quiet) as held:
        night.build.build_marts(world, run_id, last_day, held, night.quiet, backfill_range)
        night.publish.publish_release(world, run_id, held, night.quiet)


def reject(world: Settings, name: str) -> None:
    with ledger.read(world) as connection:
        query = "select batch_id from batches where file like ? and state = 'accepted'"
        (row,) = connection.execute(query, (f"%{name}%",)).fetchall()
    ledger.reject(world, row["batch_id"], "a test")


class Crash(BaseException):
    """The process ends here, as far as the run is concerned."""


CRASHES: list[tuple[Any, str]] = [
    (night.ledger, "record_batch"),
    (night.dbt, "run_dbt"),
    (night.build, "_check_results"),
    (night.publish, "write_note"),
    (night.releases, "point_readers_to"),
    (night.releases, "record"),
]


def crash(world: Settings, run_id: str, number: int, where: int) -> None:
    """A night that ends at one of the points, if it comes by there."""
    owner, name = CRASHES[where]

    def fall(*_: Any, **__: Any) -> None:
        raise Crash

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, fall)
        with suppress(Crash):
            night.run(world, run_id, day(number))


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


def at_once(folder: Path, files: World) -> Settings:
    """A world brought in the plainest way."""
    world = small.world(folder, "once")
    in_one_night(world, files)
    return world


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


counts = st.one_of(st.none(), st.integers(0, 2_000_000))
captures = st.builds(
    Capture,
    account=st.sampled_from(["a", "b", "c"]),
    day=st.integers(1, LAST),
    hour=st.sampled_from([3, 21]),
    followers=counts,
    posts=counts,
    handle=st.sampled_from([None, "@x", "@y"]),
    platform=st.sampled_from(["youtube", "tiktok"]),
)
contents = st.lists(
    st.lists(captures, min_size=1, max_size=6, unique_by=lambda row: (row.platform, row.account, row.day, row.hour)),
    min_size=2,
    max_size=4,
)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("bring"), st.integers(0, 3)),
        st.tuples(st.just("night"), st.integers(1, LAST)),
        st.tuples(st.just("crash"), st.integers(0, len(CRASHES) - 1)),
        st.tuples(st.just("wrong"), st.integers(1, LAST)),
        st.tuples(st.just("rebuild"), st.integers(1, LAST)),
    ),
    min_size=3,
    max_size=6,
)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(contents=contents, actions=actions)
def test_any_course_of_events_ends_in_the_marts_of_one_plain_night(
    contents: list[list[Capture]], actions: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = {f"file{number}": rows for number, rows in enumerate(contents)}
    folder = tmp_path_factory.mktemp("course")
    world = small.world(folder, "world")
    for step, (action, number) in enumerate(actions):
        if action == "bring" and f"file{number}" in files:
            bring(world, files, f"file{number}")
        elif action == "night":
            night.run(world, f"night {step}", day(number))
        elif action == "crash":
            crash(world, f"crash {step}", LAST, number)
        elif action == "wrong":
            deliver(world, f"wrong{step}", [Capture("a", number, 23, followers=step)], as_of(20 + step))
            night.run(world, f"wrong {step}", day(number))
            reject(world, f"wrong{step}")
        elif action == "rebuild" and _first_raw_day(world):
            rebuild(world, f"rebuild {step}", max(number, _first_raw_day(world) or 1), LAST)
    bring(world, files, *files)
    night.run(world, "last", day(LAST))
    expected = content(at_once(folder, files))
    print(f"\n{actions}\n{small.hashes(world)}")
    assert content(world) == expected


def _first_raw_day(world: Settings) -> int | None:
    with ledger.read(world) as connection:
        query = "select min(snapshot_date) from raw_files join batches using (batch_id) where state = 'accepted'"
        first = connection.execute(query).fetchone()[0]
    return (date.fromisoformat(first) - day(1)).days + 1 if first else None
