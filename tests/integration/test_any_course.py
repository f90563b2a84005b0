"""Same inputs, same marts: generated small worlds, through whatever course of events.

`-s` prints the events, and the hash of each mart.
"""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import ledger
from ingestion.config import Settings

from . import night, small
from .conftest import content
from .courses import CRASHES, LAST, as_of, at_once, bring, crash, rebuild, reject
from .small import Capture, day, deliver

pytestmark = pytest.mark.usefixtures("accounts_alone")

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
