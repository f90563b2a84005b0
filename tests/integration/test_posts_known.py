"""Posts, of which a night goes on from what stands: equal to one pass, however far back a later file reaches."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings

from . import night, small
from .conftest import content, nights_that_know, reading
from .courses import by_nights, in_one_night, reject

pytestmark = pytest.mark.usefixtures("posts_alone")

DAYS = 21
# The links come before the first of them.
NIGHTS = (4, 7, 9, 10, 12, 13, 16, 19, 20, 21)
# Published on the day on which they were captured first.
BORN = ("p0", "p2", "p4", "late", "redated")
# From the first day on a post says that it was published on the second.
REDATED = (15, 10)
HEADER = "platform,post_id,account_id,captured_at,published_at,content_type,likes,comments,views,is_sponsored"


@pytest.fixture(scope="module")
def posts_alone() -> Iterator[None]:
    with nights_that_know(small.read_marts("fct_post", "fct_publication")):
        yield


def captured(seed: int = 11) -> dict[int, list[str]]:
    """Rows of posts by day: seen daily, now and then, for some days alone, or again after two weeks.

    Some say nothing of their publication; some were published while followers were counted.
    """
    draw = random.Random(seed)
    seen = {
        "redated": range(3, DAYS + 1), "daily": range(1, DAYS + 1), "early": range(1, 4), "back": (2, 3, 18, 20),
        "late": range(15, DAYS + 1), "once": (9,), "last": (DAYS,), "linked": (7, 8, 21),
    } | {f"p{number}": [day for day in range(1, DAYS + 1) if draw.random() < 0.4] for number in range(8)}  # fmt: skip
    rows: dict[int, list[str]] = {day: [] for day in range(1, DAYS + 1)}
    for post, days in seen.items():
        for day in days:
            born = small.day(min(days)) if post in BORN else small.day(1) - timedelta(days=len(post) * 9)
            if post == "redated" and day >= REDATED[0]:
                born = small.day(REDATED[1])
            published = "" if post in ("early", "p1") else f"{born}T04:00:00Z"
            likes = draw.randint(0, 900) if draw.random() < 0.7 else ""
            kind, sponsored = draw.choice(["reel", ""]), draw.choice(["true", "false", ""])
            rows[day].append(
                f"instagram,{post},a,{small.day(day)}T05:00:00Z,{published},{kind},{likes},{draw.randint(0, 90)},"
                f"{draw.choice(['', draw.randint(900, 9000)])},{sponsored}"
            )
    return rows


def write(settings: Settings, feed: str, name: str, lines: list[str]) -> None:
    target = settings.landing / feed / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def deliver(settings: Settings, day: int) -> None:
    """The files of a day, whose names carry a time."""
    write(settings, "post_snapshots", f"posts_{small.day(day)}.csv", [HEADER, *captured()[day]])
    if day == 1:
        followers = [f"instagram,a,{small.day(at)}T03:00:00Z,{1000 + at}" for at in range(1, DAYS + 1)]
        write(settings, "account_snapshots", f"a_{small.day(1)}.csv",
              ["platform,account_id,captured_at,followers", *followers])  # fmt: skip
        write(settings, "collaborations", f"k_{small.day(1)}.csv",
              ["collaboration_id,brand,platform,account_id,partner_type,start_date",
               f"K,acme,instagram,a,paid,{small.day(1)}"])  # fmt: skip
        link(settings, f"k_{small.day(1)}.csv", "linked", "never")


def link(settings: Settings, name: str, *posts: str) -> None:
    """A file that links posts to the one collaboration."""
    rows = ["collaboration_id,platform,post_id", *(f"K,instagram,{post}" for post in posts)]
    write(settings, "collaboration_posts", name, rows)


@pytest.fixture(scope="module")
def by_night(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nobody changes it."""
    return by_nights(tmp_path_factory.mktemp("by_night"), deliver, NIGHTS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return in_one_night(tmp_path_factory.mktemp("whole"), deliver, DAYS)


def posts(settings: Settings) -> tuple[int, str]:
    return content(settings)["fct_post"]


def test_nights_equal_one_pass(by_night: Settings, whole: Settings) -> None:
    assert posts(by_night)[0] == 17
    with reading(by_night) as marts:
        query = "select followers_at_publication from marts.fct_post where post_id = 'redated'"
        assert marts.execute(query).fetchall() == [(1010,)]
    assert posts(by_night) == posts(whole)


def test_a_night_leaves_alone_what_it_did_not_capture(by_night: Settings, tmp_path: Path) -> None:
    """A count that was changed by hand stays where the post is not seen, also when links come of others."""
    settings = small.copy_of(by_night, tmp_path)
    with closing(duckdb.connect(str(settings.marts_db))) as marts:
        marts.execute("update marts.fct_post set likes = 5 where post_id in ('once', 'daily', 'linked', 'never')")
    rows = [f"instagram,daily,a,{small.day(DAYS + 1)}T05:00:00Z,,,77,1,,"]
    write(settings, "post_snapshots", f"posts_{small.day(DAYS + 1)}.csv", [HEADER, *rows])
    link(settings, f"l_{small.day(DAYS + 1)}.csv", "early")
    night.run(settings, "next", small.day(DAYS + 1))
    with reading(settings) as marts:
        found = dict(marts.execute("select post_id, likes from marts.fct_post").fetchall())
    with reading(by_night) as marts:
        before = dict(marts.execute("select post_id, likes from marts.fct_post").fetchall())
    assert found == before | {"once": 5, "linked": 5, "daily": 77}


@pytest.mark.parametrize("late", [[20], [18, 9]])
def test_late_files_and_rejected_ones_end_in_the_same_posts(
    late: list[int], whole: Settings, tmp_path: Path, by_night: Settings
) -> None:
    """Of the day before the last one, and of two that lie further back."""
    settings = small.copy_of(by_night, tmp_path / "by_night")
    for day in late:
        reject(settings, f"posts_{small.day(day)}")
    night.run(settings, "without", small.day(DAYS))
    assert posts(settings) == posts(in_one_night(tmp_path / "without", deliver, DAYS, *late))
    for day in late:
        rows = [HEADER, *reversed(captured()[day])]
        write(settings, "post_snapshots", f"again_{small.day(day)}.csv", rows)
        night.run(settings, f"late {day}", small.day(DAYS))
    assert posts(settings) == posts(whole)


def test_links_that_come_and_go_leave_what_is_known(by_night: Settings, whole: Settings, tmp_path: Path) -> None:
    """Of posts that nobody captured for weeks, and of one that never was."""
    settings = small.copy_of(by_night, tmp_path / "by_night")
    name = f"l_{small.day(DAYS)}"

    def deliver_with_links(world: Settings, day: int) -> None:
        deliver(world, day)
        if day == DAYS:
            link(world, f"{name}.csv", "early", "once", "unseen")

    link(settings, f"{name}.csv", "early", "once", "unseen")
    night.run(settings, "linked", small.day(DAYS))
    assert posts(settings)[0] == 18
    assert posts(settings) == posts(in_one_night(tmp_path / "linked", deliver_with_links, DAYS))
    reject(settings, name)
    night.run(settings, "unlinked", small.day(DAYS))
    assert posts(settings) == posts(whole)


def test_followers_that_come_late_change_what_was_known_at_publication(
    by_night: Settings, whole: Settings, tmp_path: Path
) -> None:
    settings = small.copy_of(by_night, tmp_path / "by_night")
    born = min(day for day, lines in captured().items() if any(line.startswith("instagram,p2,") for line in lines))

    def count_again(world: Settings) -> None:
        rows = ["platform,account_id,captured_at,followers", f"instagram,a,{small.day(born)}T03:30:00Z,5000"]
        write(world, "account_snapshots", f"again_{small.day(born)}.csv", rows)

    def deliver_with_followers(world: Settings, day: int) -> None:
        deliver(world, day)
        if day == born:
            count_again(world)

    with reading(by_night) as marts:
        query = "select followers_at_publication from marts.fct_post where post_id = 'p2'"
        assert marts.execute(query).fetchall() == [(1000 + born,)]
    count_again(settings)
    night.run(settings, "again", small.day(DAYS))
    with reading(settings) as marts:
        assert marts.execute(query).fetchall() == [(5000,)]
    assert posts(settings) == posts(in_one_night(tmp_path / "again", deliver_with_followers, DAYS))
