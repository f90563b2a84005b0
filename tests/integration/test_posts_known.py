"""What is last known of each post, kept as what each night captured: equal to one pass, however far back a file reaches."""

import random
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings

from . import night, small
from .conftest import content, make_settings, nights_that_know, reading
from .courses import reject

pytestmark = pytest.mark.usefixtures("posts_alone")

DAYS = 21
# The links come before the first of them. By the 19th the first checkpoint, of the 4th, is 15 days old.
NIGHTS = (4, 7, 9, 10, 12, 13, 16, 19, 20, 21)
HEADER = "platform,post_id,account_id,captured_at,published_at,content_type,likes,comments,views,is_sponsored"


@pytest.fixture(scope="module")
def posts_alone() -> Iterator[None]:
    with nights_that_know(small.read_marts("fct_post", "fct_publication")):
        yield


def captured(seed: int = 11) -> dict[int, list[str]]:
    """Rows of posts by day: seen daily, now and then, for some days alone, or again after two weeks; some say nothing of
    their publication.
    """
    draw = random.Random(seed)
    seen = {
        "daily": range(1, DAYS + 1), "early": range(1, 4), "back": (2, 3, 18, 20), "late": range(15, DAYS + 1),
        "once": (9,), "last": (DAYS,), "linked": (7, 8, 21),
    } | {f"p{number}": [day for day in range(1, DAYS + 1) if draw.random() < 0.4] for number in range(8)}  # fmt: skip
    rows: dict[int, list[str]] = {day: [] for day in range(1, DAYS + 1)}
    for post, days in seen.items():
        for day in days:
            published = "" if post in ("early", "p1") else f"{small.day(1) - timedelta(days=len(post) * 9)}T05:00:00Z"
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
              ["collaboration_id,brand,platform,account_id,partner_type,start_date", f"K,acme,instagram,a,paid,{small.day(1)}"])  # fmt: skip
        write(settings, "collaboration_posts", f"k_{small.day(1)}.csv",
              ["collaboration_id,platform,post_id", "K,instagram,linked", "K,instagram,never"])  # fmt: skip


def at_once(folder: Path, *without: int) -> Settings:
    settings = make_settings(folder)
    for day in range(1, DAYS + 1):
        if day not in without:
            deliver(settings, day)
    night.run(settings, "once", small.day(DAYS))
    return settings


@pytest.fixture(scope="module")
def by_night(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Nights that bring a day, or some; nobody changes it."""
    settings = make_settings(tmp_path_factory.mktemp("by_night"))
    for before, last in zip((0, *NIGHTS), NIGHTS, strict=False):
        for day in range(before + 1, last + 1):
            deliver(settings, day)
        night.run(settings, f"night {last}", small.day(last))
    return settings


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return at_once(tmp_path_factory.mktemp("whole"))


def posts(settings: Settings) -> tuple[int, str]:
    return content(settings)["fct_post"]


def checkpoints(settings: Settings) -> dict[date, int]:
    """Rows of each checkpoint."""
    with closing(duckdb.connect(str(settings.build_db), read_only=True)) as build:
        query = "select snapshot_date, count(*) from intermediate.int_creator__posts_known group by all"
        return dict(build.execute(query).fetchall())


def test_nights_equal_one_pass(by_night: Settings, whole: Settings) -> None:
    assert posts(by_night)[0] == 16
    assert posts(by_night) == posts(whole)


def test_only_the_first_checkpoint_holds_all_posts_and_it_moves_on(by_night: Settings, whole: Settings) -> None:
    """Later ones hold what came since the one before. Once it was more than 14 days old it has moved to 7 days before."""
    seen = {day: {line.split(",")[1] for line in lines} for day, lines in captured().items()}
    ends = [12, *(last for last in NIGHTS if last > 12)]
    expected = {
        small.day(last): len(set().union(*(seen[day] for day in range(before + 1, last + 1))))
        for before, last in zip((0, *ends), ends, strict=False)
    }
    assert checkpoints(by_night) == expected
    assert list(checkpoints(whole)) == [small.day(DAYS)]


def test_a_night_leaves_alone_what_it_did_not_capture(by_night: Settings, tmp_path: Path) -> None:
    """A count that was changed by hand stays where the post is neither seen nor linked."""
    settings = small.copy_of(by_night, tmp_path)
    with closing(duckdb.connect(str(settings.marts_db))) as marts:
        marts.execute("update marts.fct_post set likes = 5 where post_id in ('once', 'daily', 'linked', 'never')")
    rows = [f"instagram,daily,a,{small.day(DAYS + 1)}T05:00:00Z,,,77,1,,"]
    write(settings, "post_snapshots", f"posts_{small.day(DAYS + 1)}.csv", [HEADER, *rows])
    night.run(settings, "next", small.day(DAYS + 1))
    with reading(settings) as marts:
        found = dict(marts.execute("select post_id, likes from marts.fct_post").fetchall())
    with reading(by_night) as marts:
        before = dict(marts.execute("select post_id, likes from marts.fct_post").fetchall())
    assert found == before | {"once": 5, "daily": 77}


@pytest.mark.parametrize("late", [[20], [18, 9]])
def test_late_files_and_rejected_ones_end_in_the_same_posts(
    late: list[int], whole: Settings, tmp_path: Path, by_night: Settings
) -> None:
    """Of a day after the first checkpoint, and of one before it as well."""
    settings = small.copy_of(by_night, tmp_path / "by_night")
    for day in late:
        reject(settings, f"posts_{small.day(day)}")
    night.run(settings, "without", small.day(DAYS))
    assert posts(settings) == posts(at_once(tmp_path / "without", *late))
    for day in late:
        rows = [HEADER, *reversed(captured()[day])]
        write(settings, "post_snapshots", f"again_{small.day(day)}.csv", rows)
        night.run(settings, f"late {day}", small.day(DAYS))
    assert posts(settings) == posts(whole)
