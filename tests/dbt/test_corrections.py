"""The same questions asked of every feed, as docs/corrections.md answers them: the answers stand there, with their tests."""

import ast
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion import landing, ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError
from ingestion.mapping.grammar import load_mapping
from tests.dbt.commerce import Compiled, World

LAST_DAY = date(2026, 1, 20)
PAGE = PROJECT_DIR / "docs" / "corrections.md"
QUESTIONS = (
    "A correction", "A withdrawal", "A record that moves to another day", "A reference that leads nowhere",
    "A change of terms",
)  # fmt: skip

# Of each feed a record, and what its later file says otherwise.
RECORDS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "account_snapshots": (
        {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05T03:00:00Z", "followers": "10"},
        {"followers": "11"},
    ),
    "post_snapshots": (
        {"platform": "youtube", "post_id": "p", "account_id": "a", "captured_at": "2026-01-05T03:00:00Z", "likes": "1"},
        {"likes": "2"},
    ),
    "follower_arrivals": (
        {"platform": "bluesky", "account_id": "a", "captured_at": "2026-01-05T03:00:00Z", "arrival_date": "2026-01-04",
         "followers": "10"},
        {"followers": "11"},
    ),
    "accounts": (
        {"platform": "youtube", "account_id": "a", "updated_at": "2026-01-05T03:00:00Z", "niche": "tea"},
        {"niche": "coffee"},
    ),
    "brands": ({"brand": "acme", "name": "Acme"}, {"name": "ACME"}),
    "customer_accounts": (
        {"customer_id": "c", "brand": "acme", "platform": "youtube", "account_id": "a", "valid_from": "2026-01-01",
         "relationship": "customer"},
        {"relationship": "advocate"},
    ),
    "campaigns": (
        {"campaign_id": "C", "brand": "acme", "start_date": "2026-01-01", "end_date": "2026-01-31", "budget": "5"},
        {"budget": "6"},
    ),
    "collaborations": (
        {"collaboration_id": "K", "brand": "acme", "platform": "youtube", "account_id": "a", "partner_type": "paid",
         "start_date": "2026-01-01", "end_date": "2026-01-31"},
        {"end_date": "2026-02-28"},
    ),
    "collaboration_posts": ({"collaboration_id": "K", "platform": "youtube", "post_id": "p"}, {}),
    "commission_rules": (
        {"rule_id": "R", "valid_from": "2026-01-01", "kind": "percent", "rate": "10", "applies_to": "first_x"},
        {"first_x": "3"},
    ),
    "rate_cards": (
        {"platform": "youtube", "account_id": "a", "content_type": "video", "price": "5", "currency": "USD",
         "valid_from": "2026-01-01"},
        {"price": "6"},
    ),
    "costs": (
        {"cost_id": "k", "cost_date": "2026-01-05", "cost_type": "fee", "amount": "5", "currency": "USD"},
        {"amount": "6"},
    ),
    "link_clicks": ({"click_id": "l", "clicked_at": "2026-01-05T03:00:00Z", "link_id": "L"}, {"link_id": "M"}),
    "touches": (
        {"touch_id": "t", "customer_id": "c", "touched_at": "2026-01-05T03:00:00Z", "touch_type": "click"},
        {"touch_type": "view"},
    ),
    "orders": (
        {"order_id": "o", "customer_id": "c", "ordered_at": "2026-01-05T03:00:00Z", "gross_amount": "5", "currency": "USD"},
        {"gross_amount": "6"},
    ),
    "refunds": (
        {"refund_id": "r", "order_id": "o", "refunded_at": "2026-01-05T03:00:00Z", "amount": "5", "currency": "USD"},
        {"amount": "6"},
    ),
    "mentions": (
        {"mention_id": "m", "brand": "acme", "platform": "x", "mentioned_at": "2026-01-05T03:00:00Z", "likes": "1"},
        {"likes": "2"},
    ),
    "live_sessions": (
        {"live_session_id": "s", "platform": "tiktok", "host_id": "h", "started_at": "2026-01-05T03:00:00Z",
         "peak_viewers": "1"},
        {"peak_viewers": "2"},
    ),
    "contest_entries": (
        {"entry_id": "e", "campaign_id": "C", "platform": "x", "account_id": "a", "entered_at": "2026-01-05T03:00:00Z",
         "reach": "1"},
        {"reach": "2"},
    ),
    "fx_rates": ({"rate_date": "2026-01-05", "currency": "EUR", "rate_to_base": "1.1"}, {"rate_to_base": "1.2"}),
    "vendor_metrics": (
        {"platform": "youtube", "account_id": "a", "source": "modash", "metric": "er", "as_of_date": "2026-01-05",
         "value": "0.1", "unit": "fraction"},
        {"value": "0.2"},
    ),
}  # fmt: skip
# A record of which a part of the key is a time cannot move: it would be another.
MOVING = {name: feed.date for name, feed in load_feeds().items() if feed.date and feed.date not in feed.key}
ABSENT = {name: feed.absence for name, feed in load_feeds().items()}


@pytest.fixture(scope="module")
def world(compiled: Compiled, manifest: dict[str, Any], empty: Any) -> World:
    """Staging of every feed."""
    from warehouse.build import dbt

    folder = dbt.target_path(empty.settings) / "compiled" / "groundswell" / "models"
    return World(Compiled(manifest, folder, ("landing",)))


@pytest.fixture
def yard(tmp_path: Path) -> Settings:
    (tmp_path / "config").mkdir()
    return Settings(_env_file=None, data=tmp_path / "data", config=tmp_path / "config", settle_seconds=0.0)  # type: ignore[call-arg]


def land(settings: Settings, feed: str, day: int, *records: dict[str, str], name: str = "f") -> None:
    """Land a file of a feed as of a day of January 2026."""
    file = settings.landing / feed / f"{name}_2026-01-{day:02d}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    header = list(dict.fromkeys(column for record in records for column in record))
    lines = [",".join(header), *(",".join(record.get(column, "") for column in header) for record in records)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    landing.land_files(settings, f"{feed} {day} {datetime.now(UTC)}", lambda _: None)
    with ledger.read(settings) as connection:
        states = {
            row["state"] for row in connection.execute("select state, reason from batches where feed = ?", (feed,))
        }
    assert states == {"accepted"}


def staged(world: World, settings: Settings, feed: str, columns: list[str]) -> list[tuple[str | None, ...]]:
    """Rows of a feed after staging, as texts."""
    world.build_landed(settings, LAST_DAY)
    shown = ", ".join(f"cast({column} as varchar)" for column in columns)
    return world.query(f"select {shown} from build.staging.stg_landing__{feed}")


def as_read(world: World, feed: str, values: dict[str, str]) -> tuple[str | None, ...]:
    """Texts of a record as its types write them."""
    types = dict(
        world.query(
            "select column_name, data_type from duckdb_columns() where database_name = 'build' and schema_name = 'staging'"
            f" and table_name = 'stg_landing__{feed}'"
        )
    )
    casts = ", ".join(
        f"cast(cast('{value.rstrip('Z')}' as {types[name]}) as varchar)" for name, value in values.items()
    )
    return world.query(f"select {casts}")[0]


def test_every_feed_has_a_record_here() -> None:
    assert set(RECORDS) == set(load_feeds())


@pytest.mark.parametrize("feed", RECORDS)
def test_the_later_file_corrects_a_record_in_any_order(world: World, yard: Settings, tmp_path: Path, feed: str) -> None:
    record, change = RECORDS[feed]
    corrected = record | change
    late = yard.model_copy(update={"data": tmp_path / "late"})
    for settings, days in ((yard, (6, 7)), (late, (7, 6))):
        for day in days:
            land(settings, feed, day, corrected if day == 7 else record)
        found = staged(world, settings, feed, list(corrected))
        assert found == [as_read(world, feed, corrected)]


@pytest.mark.parametrize("feed", MOVING)
def test_a_record_that_moves_stands_on_one_day(world: World, yard: Settings, feed: str) -> None:
    record, _ = RECORDS[feed]
    column = MOVING[feed]
    moved = record | {column: record[column].replace("2026-01-05", "2026-01-03")}
    land(yard, feed, 6, record)
    land(yard, feed, 7, moved)
    assert staged(world, yard, feed, list(moved)) == [as_read(world, feed, moved)]


def full_mapping(folder: Path, feed: str, columns: list[str], traits: str = "delivers: full") -> Path:
    file = folder / "config" / "mappings" / "dump.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    named = "\n".join(f"  {column}: {{from: {column}}}" for column in columns)
    file.write_text(
        f"mapping: dump\npattern: dump_*.csv\n{traits}\nfeed: {feed}\n"
        f"file_time: {{regex: '(2026-\\d\\d-\\d\\d)', format: '%Y-%m-%d', zone: UTC}}\ncolumns:\n{named}\n"
    )
    return file


def other_than(feed: str) -> dict[str, str]:
    """Another record of a feed, of the same day."""
    record, _ = RECORDS[feed]
    name = next(name for name in load_feeds()[feed].key if name in record and name != "platform")
    return record | {name: f"{record[name]}2"}


@pytest.mark.parametrize("feed", [feed for feed, absence in ABSENT.items() if absence])
def test_a_full_delivery_withdraws_a_record_or_only_names_it(
    world: World, yard: Settings, tmp_path: Path, feed: str
) -> None:
    record, other = RECORDS[feed][0], other_than(feed)
    full_mapping(tmp_path, feed, list(record))
    land(yard, feed, 6, record, other, name="dump")
    land(yard, feed, 7, other, name="dump")
    kept = staged(world, yard, feed, list(record))
    gone = world.query("select feed, cause from build.staging.stg_landing__withdrawals")
    assert gone == [(feed, "gone")]
    assert len(kept) == (1 if ABSENT[feed] == "withdrawn" else 2)


@pytest.mark.parametrize("feed", [feed for feed, absence in ABSENT.items() if absence == "withdrawn"])
def test_keep_withdraws_a_record(world: World, yard: Settings, tmp_path: Path, feed: str) -> None:
    record, other = RECORDS[feed][0], other_than(feed)
    full_mapping(tmp_path, feed, list(record), 'keep: "state is empty"\nignore: [state]')
    land(yard, feed, 6, record | {"state": ""}, other, name="dump")
    land(yard, feed, 7, record | {"state": "void"}, other, name="dump")
    staged(world, yard, feed, list(record))
    assert world.query("select feed, cause from build.staging.stg_landing__withdrawals") == [(feed, "left_out")]


@pytest.mark.parametrize("feed", [feed for feed, absence in ABSENT.items() if not absence])
def test_nothing_of_a_feed_is_withdrawn_by_its_absence(tmp_path: Path, feed: str) -> None:
    with pytest.raises(ContractError, match="no rows that could be gone"):
        load_mapping(full_mapping(tmp_path, feed, list(RECORDS[feed][0])))


@pytest.mark.parametrize("feed", RECORDS)
def test_a_file_that_is_rejected_takes_its_records_back(world: World, yard: Settings, feed: str) -> None:
    record, change = RECORDS[feed]
    land(yard, feed, 6, record)
    land(yard, feed, 7, record | change)
    with ledger.read(yard) as connection:
        query = "select batch_id from batches where file like '%07.csv'"
        batches = [row["batch_id"] for row in connection.execute(query)]
    for batch in batches:
        ledger.reject(yard, batch, "wrong")
    assert staged(world, yard, feed, list(record)) == [as_read(world, feed, record)]


# The page


def sections(text: str) -> dict[str, str]:
    found = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def rows(section: str) -> list[list[str]]:
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def problems(text: str, defined: Callable[[str], set[str]]) -> list[str]:
    """What the page leaves open: a question, a feed under one, an answer without a test that exists or a reason."""
    found = []
    told = sections(text)
    for question in QUESTIONS:
        if question not in told:
            found.append(f"no section {question!r}")
            continue
        feeds: list[str] = []
        for names, answer, shown in rows(told[question]):
            feeds += re.findall(r"`(\w+)`", names)
            tests = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown)
            if not answer or not (tests or shown.startswith("cannot be: ")):
                found.append(f"{question}, {names}: neither a test nor why there is none")
            found += [f"{question}: {file} has no {test}" for file, test in tests if test not in defined(file)]
        missing = sorted(set(load_feeds()) - set(feeds))
        found += [f"{question}: nothing of {feed}" for feed in missing]
        found += [f"{question}: {feed} twice" for feed in sorted({feed for feed in feeds if feeds.count(feed) > 1})]
    return found


def functions_of(file: str) -> set[str]:
    path = PROJECT_DIR / file
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_answers_each_question_for_each_feed() -> None:
    assert problems(PAGE.read_text(encoding="utf-8"), functions_of) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("## A withdrawal", "## Withdrawn"), ("`fx_rates`", ""), ("::test_", "::test_no_"), ("cannot be: ", "")],
)
def test_what_the_page_leaves_open_is_found(old: str, new: str) -> None:
    """Negative test."""
    text = PAGE.read_text(encoding="utf-8")
    assert old in text
    assert problems(text.replace(old, new), functions_of) != []
