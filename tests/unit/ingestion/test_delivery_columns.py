"""A delivery is known by its bytes, its mapping and the columns that it has; its place in landing is its first one."""

import json
import os
import sqlite3
from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from ingestion import contracts, inventory, landing, ledger, parse, raw, replay
from ingestion.config import Settings
from ingestion.contracts import Feed, FeedColumn
from ingestion.ledger import store
from ingestion.mapping import grammar, in_use
from tests.mappings import all_of_library, only

from ..conftest import HEADER, Yard
from .test_deliveries import NAME, channel, vtuber

FEED = "account_snapshots"
CSV = f"{FEED}/a.csv"
JSON = f"{FEED}/a.jsonl"
VENDOR = f"{FEED}/vendor_1.csv"
ROW = {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05", "followers": 1}
# A vendor's layout of which one column may be missing.
MAPPING = grammar.Mapping.model_validate(
    {
        "mapping": "vendor",
        "pattern": "vendor_*.csv",
        "feed": FEED,
        "columns": {
            "platform": {"constant": "youtube"},
            "account_id": {"at": 1},
            "captured_at": {"from": "When"},
            "handle": {"template": "@{Who}"},
            "niche": {"from": "Its  niche", "optional": True},
        },
    }
)
TABLES = ("batches", "raw_files", "deliveries", "dirty_dates", "replays")

Change = Callable[[Feed], dict[str, FeedColumn]]
SetFeed = Callable[[Change], None]


@pytest.fixture
def change_feed(monkeypatch: pytest.MonkeyPatch) -> SetFeed:
    """Have other columns in the feed, made of those that it has."""
    before = contracts.load_feeds()

    def change(columns: Change) -> None:
        feeds = {**before, FEED: before[FEED].model_copy(update={"columns": columns(before[FEED])})}
        for module in (parse, grammar, in_use, contracts, landing, raw, replay):
            monkeypatch.setattr(module, "load_feeds", lambda: feeds)

    return change


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library holds the vendor's layout as well."""
    library = all_of_library(MAPPING)
    for module in (landing, inventory, replay):
        monkeypatch.setattr(module, "load_mappings", lambda *_: library)


def added(name: str = "mood", **rule: Any) -> Change:
    """A feed with one more column, in its middle."""
    column = FeedColumn.model_validate({"type": "text"} | rule)
    return lambda feed: {"platform": feed.columns["platform"], name: column, **feed.columns}


def changed(name: str, **rule: Any) -> Change:
    return lambda feed: {**feed.columns, name: feed.columns[name].model_copy(update=rule)}


def removed(name: str) -> Change:
    return lambda feed: {column: rule for column, rule in feed.columns.items() if column != name}


def state(yard: Yard) -> dict[str, list[dict[str, Any]]]:
    """All that the ledger holds of deliveries."""
    return {table: yard.query(f"select * from {table} order by rowid") for table in TABLES}


def csv(*more: str) -> str:
    """A canonical file, with more columns whose cells are `x`."""
    cells = ["youtube", "a", "2026-01-05", "1", *("x" for _ in more)]
    return "\n".join([",".join([HEADER, *more]), ",".join(cells), ""])


def jsonl(**more: str) -> str:
    return json.dumps(ROW | more) + "\n"


def of_vendor(*more: str) -> str:
    return "\n".join(
        [",".join(["Id", "When", "Who", *more]), ",".join(["a", "2026-01-05", "b", *("x" for _ in more)]), ""]
    )


WITHOUT = {
    "an added column": [
        (CSV, csv(), added()),
        (CSV, csv("moods", "a mood"), added()),
        (CSV, csv("niche"), added(type="count")),
        (JSON, jsonl(), added()),
        (JSON, jsonl(other="mood"), added()),
        (NAME, vtuber(channel(1, 100)), added()),
        (VENDOR, of_vendor(), added()),
        # A mapping that does not name the column keeps it in `extra`, as before.
        (VENDOR, of_vendor("mood", "Its niche"), added()),
        # Refused whole before, and refused all the same.
        (CSV, csv().replace("captured_at", "when"), added()),
        (CSV, "", added()),
    ],
    "another rule of a column": [
        (CSV, csv(), changed("niche", type="id")),
        (JSON, jsonl(), changed("niche", type="id")),
        (VENDOR, of_vendor("niche"), changed("niche", type="id")),
        (VENDOR, of_vendor(), changed("country", type="id")),
    ],
    "a removed column": [
        (CSV, csv("language"), removed("niche")),
        (JSON, jsonl(language="x"), removed("niche")),
        (VENDOR, of_vendor("niche"), removed("country")),
    ],
}
WITH = {
    "an added column": [
        (CSV, csv("mood"), added()),
        (CSV, csv("  MOOD "), added()),
        (JSON, jsonl(mood="x"), added()),
        (JSON, jsonl(Mood="x"), added()),
        (CSV, csv("mood"), added(type="count")),
    ],
    "a required one": [
        (CSV, csv(), added(required=True)),
        (JSON, jsonl(), added(required=True)),
    ],
    "another rule of a column": [
        (CSV, csv("niche"), changed("niche", type="id")),
        (CSV, csv("Niche"), changed("niche", required=True)),
        (JSON, jsonl(niche="x"), changed("niche", type="id")),
        (VENDOR, of_vendor("Its niche"), changed("niche", type="id")),
        (VENDOR, of_vendor("Its   niche"), changed("niche", type="id")),
        (VENDOR, of_vendor(), changed("handle", type="id")),
        (VENDOR, of_vendor(), changed("account_id", type="text")),
        (NAME, vtuber(channel(1, 100)), changed("followers", type="integer")),
    ],
    "a removed column": [
        (CSV, csv("niche"), removed("niche")),
        (JSON, jsonl(niche="x"), removed("niche")),
    ],
}


def listed(cases: dict[str, list[tuple[str, str | bytes, Change]]]) -> list[Any]:
    return [
        pytest.param(*case, id=f"{name}-{number}")
        for name, several in cases.items()
        for number, case in enumerate(several)
    ]


@pytest.mark.usefixtures("vendor")
@pytest.mark.parametrize(("path", "content", "change"), listed(WITHOUT))  # type: ignore[arg-type]
def test_a_column_that_a_file_lacks_changes_nothing_in_the_ledger(
    yard: Yard, change_feed: SetFeed, path: str, content: str | bytes, change: Change
) -> None:
    yard.drop(path, content)
    yard.land("one")
    before = state(yard)
    assert len(before["batches"]) == 1
    change_feed(change)
    assert yard.land("two").files_new == 0
    assert state(yard) == before
    with ledger.read_copy(yard.settings) as connection:
        assert not any(seen.is_due for seen in inventory.landed_names(yard.settings, connection).values())
        steps = replay.plan_replay(yard.settings, connection, batch_prefix=before["batches"][0]["batch_id"])
    assert [step.action for step in steps] == [replay.READ_AGAIN]


@pytest.mark.usefixtures("vendor")
@pytest.mark.parametrize(("path", "content", "change"), listed(WITH))  # type: ignore[arg-type]
def test_a_file_that_has_the_column_is_read_again_once(
    yard: Yard, change_feed: SetFeed, path: str, content: str | bytes, change: Change
) -> None:
    yard.drop(path, content)
    yard.land("one")
    [first] = yard.batches()
    change_feed(change)
    with ledger.read_copy(yard.settings) as connection:
        assert inventory.landed_names(yard.settings, connection)[path].is_due
    assert yard.land("two").files_new == 1
    assert sorted(batch["state"] == "superseded" for batch in yard.batches()) == [False, True]
    again = state(yard)
    assert yard.land("three").files_new == 0
    assert state(yard) == again
    change_feed(lambda feed: feed.columns)
    yard.land("four")
    [counts] = [batch["batch_id"] for batch in yard.batches() if batch["state"] != "superseded"]
    assert (counts, len(yard.batches())) == (first["batch_id"], 2)


def test_a_value_goes_from_extra_into_its_column(yard: Yard, change_feed: SetFeed) -> None:
    yard.drop(CSV, csv("mood"))
    yard.land("one")
    assert yard.rows(CSV, "extra") == [('{"mood":"x"}',)]
    change_feed(added())
    yard.land("two")
    assert yard.rows(CSV, "mood, extra") == [("x", None)]


def test_of_several_files_only_those_with_the_column_are_read_again(yard: Yard, change_feed: SetFeed) -> None:
    yard.drop(CSV, csv())
    yard.drop(f"{FEED}/b.csv", csv("mood").replace("youtube,a", "youtube,b"))
    yard.land("one")
    change_feed(added())
    assert yard.land("two").files_new == 1
    assert yard.batch(CSV)["run_id"] == "one"


def test_the_same_bytes_again_are_known_by_the_columns_that_they_have(yard: Yard, change_feed: SetFeed) -> None:
    """Written anew, or under a second name, after the feed has gained a column."""
    yard.drop(CSV, csv())
    yard.land("one")
    before = state(yard)
    change_feed(added())
    os.utime(yard.settings.landing / CSV, (1, 1))
    yard.drop(f"{FEED}/b.csv", csv())
    assert yard.land("two").files_new == 0
    after = state(yard)
    assert {table: after[table] for table in TABLES if table != "deliveries"} == {
        table: before[table] for table in TABLES if table != "deliveries"
    }
    assert [row["mapping_fingerprint"] for row in after["deliveries"]] == [
        before["deliveries"][0]["mapping_fingerprint"]
    ] * 2


def test_an_added_column_may_be_part_of_the_key(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a file without it the key is what it was."""
    yard.drop(CSV, csv())
    yard.drop(f"{FEED}/b.csv", csv("mood").replace("youtube,a", "youtube,b"))
    yard.land("one")
    before = contracts.load_feeds()
    feed = before[FEED]
    wider = feed.model_copy(update={"key": (*feed.key, "mood"), "columns": added()(feed)})
    for module in (parse, grammar, contracts):
        monkeypatch.setattr(module, "load_feeds", lambda: {**before, FEED: wider})
    assert yard.land("two").files_new == 1
    assert len(yard.query("select * from batches where file = ?", CSV)) == 1


def test_a_file_that_fills_two_feeds_is_read_again_for_both(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of its feeds concerns it anew: both readings stay together, under one fingerprint."""
    names = {name: {"from": name} for name in ("platform", "account_id")}
    both = grammar.Mapping.model_validate(
        {
            "mapping": "both",
            "pattern": "both*.csv",
            "feeds": [
                {"feed": "accounts", "columns": {**names, "updated_at": {"from": "updated"}}},
                {"feed": FEED, "columns": {**names, "captured_at": {"from": "at"}}},
            ],
        }
    )
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(both))
    # It lacks a required column of the first feed, which alone is refused.
    yard.drop("both_1.csv", "platform,account_id,at\nyoutube,a,2026-01-05\n")
    yard.land("one")
    assert {batch["feed"]: batch["state"] for batch in yard.batches()} == {"accounts": "quarantined", FEED: "accepted"}
    before = state(yard)
    assert yard.land("two").files_new == 0
    assert state(yard) == before
    feeds = contracts.load_feeds()
    text = changed("account_id", type="text")(feeds[FEED])
    for module in (parse, grammar, contracts):
        monkeypatch.setattr(
            module, "load_feeds", lambda: {**feeds, FEED: feeds[FEED].model_copy(update={"columns": text})}
        )
    yard.land("three")
    states = sorted((batch["feed"], batch["state"]) for batch in yard.batches())
    assert states == [
        (FEED, "accepted"), (FEED, "superseded"), ("accounts", "quarantined"), ("accounts", "superseded"),
    ]  # fmt: skip
    assert len({batch["mapping_fingerprint"] for batch in yard.batches() if batch["state"] != "superseded"}) == 1


def test_the_empty_schema_gains_the_column(yard: Yard, change_feed: SetFeed) -> None:
    """So models see it as null in the rows of the files before."""
    yard.drop(CSV, csv())
    yard.land("one")
    change_feed(added(type="count"))
    yard.land("two")
    folder = yard.settings.raw / FEED
    rows = duckdb.execute(
        "select account_id, mood, mood_null_reason from read_parquet(?, union_by_name = true, hive_partitioning = false)",
        [[str(path) for path in folder.rglob("*.parquet")]],
    ).fetchall()
    assert rows == [("a", None, None)]


# --- a file that a person has rejected


@pytest.mark.usefixtures("vendor")
@pytest.mark.parametrize("of_v010", [False, True])
@pytest.mark.parametrize(
    ("path", "content"),
    [(CSV, csv()), (JSON, jsonl()), (VENDOR, of_vendor())],
)
def test_a_rejected_file_stays_rejected_when_its_feed_changes(
    yard: Yard, change_feed: SetFeed, path: str, content: str, of_v010: bool
) -> None:
    yard.drop(path, content)
    yard.land("one")
    ledger.reject(yard.settings, yard.batch(path)["batch_id"], "a third of the roster")
    if of_v010:
        with ledger.write(yard.settings) as connection:
            connection.execute("update batches set layout = null")
    change_feed(changed("account_id", type="text"))
    yard.land("two")
    change_feed(changed("account_id", type="code"))
    yard.land("three")
    readings = {row["run_id"]: row for row in yard.batches()}
    assert {run: (row["state"], row["reason"]) for run, row in readings.items()} == dict.fromkeys(
        ("one", "two", "three"), ("rejected", "a third of the roster")
    )
    last = readings["three"]["batch_id"]
    replay.replay(yard.settings, batch_prefix=last, revive=True, log=yard.said.append)
    assert [row["batch_id"] for row in yard.batches() if row["state"] == "accepted"] == [last]


def test_a_rejected_file_that_counts_again_counts_when_its_feed_changes(yard: Yard, change_feed: SetFeed) -> None:
    yard.drop(CSV, csv())
    yard.land("one")
    first = yard.batch(CSV)["batch_id"]
    ledger.reject(yard.settings, first, "a third of the roster")
    replay.replay(yard.settings, batch_prefix=first, revive=True, log=yard.said.append)
    change_feed(changed("account_id", type="text"))
    yard.land("two")
    assert {row["run_id"]: row["state"] for row in yard.batches()} == {"one": "superseded", "two": "accepted"}


def test_a_rejected_file_counts_under_a_mapping_that_was_corrected(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, change_feed: SetFeed
) -> None:
    """Also where the feed has changed with it."""
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(MAPPING))
    yard.drop(VENDOR, of_vendor())
    yard.land("one")
    ledger.reject(yard.settings, yard.batch(VENDOR)["batch_id"], "handles of another column")
    other = grammar.ColumnSource.model_validate({"template": "@{Id}"})
    right = MAPPING.model_copy(update={"columns": {**MAPPING.columns, "handle": other}})
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(right))
    change_feed(changed("account_id", type="text"))
    yard.land("two")
    assert {batch["run_id"]: batch["state"] for batch in yard.batches()} == {"one": "rejected", "two": "accepted"}


# --- the order of landing


def orders(yard: Yard) -> list[tuple[str, str, int]]:
    rows = yard.query("select file, state, landing_order from batches order by landing_order, landed_at")
    return [(row["file"].rpartition("/")[2], row["state"], row["landing_order"]) for row in rows]


def land_three(yard: Yard) -> None:
    for name in "abc":
        yard.drop(f"{FEED}/{name}.csv", csv(*(["mood"] if name == "a" else [])).replace("youtube,a", f"youtube,{name}"))
    yard.land("one")


def test_files_stand_in_the_order_in_which_they_landed(yard: Yard) -> None:
    land_three(yard)
    assert orders(yard) == [("a.csv", "accepted", 1), ("b.csv", "accepted", 2), ("c.csv", "accepted", 3)]
    yard.drop(f"{FEED}/0.csv", csv("later"))
    yard.land("two")
    assert orders(yard)[-1] == ("0.csv", "accepted", 4)


def test_a_file_that_is_read_again_keeps_its_place(yard: Yard, change_feed: SetFeed) -> None:
    land_three(yard)
    change_feed(added())
    yard.land("two")
    assert orders(yard) == [
        ("a.csv", "superseded", 1), ("a.csv", "accepted", 1), ("b.csv", "accepted", 2), ("c.csv", "accepted", 3),
    ]  # fmt: skip


def test_a_replay_keeps_the_place(yard: Yard) -> None:
    land_three(yard)
    replay.replay(yard.settings, batch_prefix=yard.batch(f"{FEED}/b.csv")["batch_id"], log=yard.said.append)
    yard.land("two")
    assert [order for file, _, order in orders(yard) if file == "b.csv"] == [2, 2]


def test_other_bytes_under_the_same_name_are_another_delivery(yard: Yard) -> None:
    land_three(yard)
    yard.drop(CSV, csv("later"))
    yard.land("two")
    assert orders(yard)[-1] == ("a.csv", "accepted", 4)


def test_the_same_bytes_with_another_time_in_their_name_are_another_delivery(yard: Yard) -> None:
    for day in (5, 6):
        yard.drop(f"{FEED}/a_2026-01-0{day}.csv", csv())
    yard.land("one")
    assert [order for _, _, order in orders(yard)] == [1, 2]


def test_the_file_before_a_file_is_the_one_that_landed_before_it(yard: Yard, change_feed: SetFeed) -> None:
    land_three(yard)
    change_feed(added())
    yard.land("two")
    with ledger.read(yard.settings) as connection:
        before = {
            row["file"]: ledger.headers_before(connection, row, 1)
            for row in connection.execute("select * from batches where state = 'accepted'").fetchall()
        }
    assert before.pop(f"{FEED}/a.csv") == []
    assert "mood" in before[f"{FEED}/b.csv"][0]["header"]
    assert "mood" not in before[f"{FEED}/c.csv"][0]["header"]


def test_an_older_ledger_is_put_in_order(settings: Settings) -> None:
    """Three readings of two deliveries, and the first bytes again with another time in their name."""
    settings.ledger.parent.mkdir(parents=True)
    with sqlite3.connect(settings.ledger) as connection:
        for step in store.MIGRATIONS[:4]:
            connection.executescript(step)
        connection.execute("pragma user_version = 4")
        for batch, sha256, file, time in (
            ("a1", "a", "a.csv", None), ("b1", "b", "b.csv", None), ("a2", "a", "again.csv", None),
            ("a3", "a", "late.csv", "2026-01-06"), ("a4", "a", "a.csv", "2026-01-07"),
        ):  # fmt: skip
            connection.execute(
                "insert into batches values (?, 'f', 'm', 'x', ?, ?, 1, null, ?, '', '', 'observed', 'accepted',"
                " null, 1, 1, 0, 0, 'r', 0)",
                (batch, sha256, file, time),
            )
    with ledger.read(settings) as connection:
        found = dict(connection.execute("select batch_id, landing_order from batches").fetchall())
    assert found == {"a1": 1, "b1": 2, "a2": 1, "a3": 4, "a4": 1}


def test_each_raw_column_has_the_type_of_its_feed_also_where_a_file_lacks_it(yard: Yard) -> None:
    yard.drop_rows(CSV, "youtube,a,2026-01-05T00:00:00Z,100")
    yard.land()
    (file,) = (yard.settings.raw / FEED).rglob("[!_]*.parquet")
    written = duckdb.sql(f"select column_name, lower(column_type) from (describe from '{file}')").fetchall()
    assert dict(written) == raw.columns_of(contracts.load_feeds()[FEED])
