"""An agent at the door: a client of the official SDK over standard input and output, hostile queries included."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import PROJECT_DIR, Settings
from serving import mcp as door
from tests.postgres import write_release

TIER = "select 'youtube' as platform, 'nano' as tier, 1 as tier_rank"
DAILY = (
    "select 'youtube' as platform, 'a' as account_id, date '2026-01-05' as snapshot_date, {} as followers,"
    " cast(12.50 as decimal(38,6)) as amount, 'simulated' as data_origin"
)


def write(settings: Settings, number: int) -> str:
    """A release of two marts, of which one is simulated."""
    name = write_release(settings, number, {"fct_account_daily": DAILY.format(number), "dim_tier": TIER})
    folder = settings.published / "releases" / name
    described = [
        {"name": "fct_account_daily", "grain": "One row per account per UTC day.", "key": ["platform", "account_id"],
         "columns": [{"name": "followers", "type": "integer", "description": "Accounts.", "aggregation": "last"}]},
        {"name": "dim_tier", "grain": "One row per tier.", "key": ["platform", "tier"], "columns": []},
    ]  # fmt: skip
    (folder / "marts" / "dictionary.json").write_text(json.dumps({"marts": described}))
    note = json.loads((folder / "release.json").read_text())
    (folder / "release.json").write_text(
        json.dumps({**note, "published_at": "2026-01-06 02:15:00", "day": "2026-01-05"})
    )
    return name


def talk(settings: Settings, work: Callable[[Any], Awaitable[None]], *options: str) -> None:
    """Start the server as a client does, and talk with it."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GROUNDSWELL_", "AIRFLOW"))}
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "warehouse.cli", "mcp", *options],
        env={**kept, "GROUNDSWELL_DATA": str(settings.data)},
        cwd=str(PROJECT_DIR),
    )

    async def run() -> None:
        async with stdio_client(started) as (reader, writer), ClientSession(reader, writer) as session:
            await session.initialize()
            await work(session)

    asyncio.run(asyncio.wait_for(run(), 120))


async def call(session: Any, tool: str, **given: Any) -> tuple[bool, Any]:
    """Whether a call was refused, and its answer or its words."""
    found = await session.call_tool(tool, given)
    text = found.content[0].text
    return bool(found.is_error), text if found.is_error else json.loads(text)


def test_an_agent_lists_describes_and_queries_and_sees_the_newest_release(settings: Settings) -> None:
    first = write(settings, 1)

    async def work(session: Any) -> None:
        tools = (await session.list_tools()).tools
        assert [tool.name for tool in tools] == [
            "list_marts", "describe_mart", "query", "list_metrics", "query_metrics",
        ]  # fmt: skip
        assert all(tool.annotations.read_only_hint for tool in tools)
        _, marts = await call(session, "list_marts")
        assert marts["release_id"] == first
        assert (marts["day"], marts["data_origin"]) == ("2026-01-05", ["simulated"])
        assert marts["marts"] == [
            {"name": "fct_account_daily", "grain": "One row per account per UTC day.", "key": ["platform", "account_id"],
             "rows": 1, "data_origin": ["simulated"]},
            {"name": "dim_tier", "grain": "One row per tier.", "key": ["platform", "tier"], "rows": 1, "data_origin": []},
        ]  # fmt: skip
        _, described = await call(session, "describe_mart", mart="marts.fct_account_daily")
        assert described["mart"]["columns"][0]["aggregation"] == "last"
        _, found = await call(
            session, "query", sql="select * exclude (data_origin) from marts.fct_account_daily -- all"
        )
        assert found["rows"] == [["youtube", "a", "2026-01-05", 1, "12.500000"]]
        assert (found["release_id"], found["data_origin"], found["is_cut"]) == (first, ["simulated"], False)
        assert "made up" in found["origin_note"]
        _, plain = await call(session, "query", sql="select tier from marts.dim_tier")
        assert plain["data_origin"] == ["not stated: these marts have no column data_origin"]
        second = write(settings, 2)
        _, found = await call(session, "query", sql="select followers from marts.fct_account_daily")
        assert (found["release_id"], found["rows"]) == (second, [[2]])
        _, metrics = await call(session, "list_metrics")
        assert metrics["release_id"] == second
        assert {"name", "label", "description"} <= set(metrics["metrics"][0])
        assert metrics["can_be_queried"] is True
        is_refused, words = await call(session, "query_metrics", metrics=["roi_net"], group_by=["day"])
        assert is_refused
        assert "told to date" in words
        is_refused, words = await call(session, "describe_mart", mart="dim_tear")
        assert is_refused
        assert "did you mean 'dim_tier'?" in words

    talk(settings, work)


HOSTILE = [
    ("create table marts.x as select 1", "only queries are answered .*, not create"),
    ("create temp table x as select 1", "not create"),
    ("insert into marts.dim_tier values ('x', 'y', 1)", "not insert"),
    ("delete from marts.dim_tier", "not delete"),
    ("with gone as (delete from marts.dim_tier returning *) select * from gone", "cannot be answered"),
    ("drop table marts.dim_tier", "not drop"),
    ("attach '{folder}/own.duckdb' as own", "not attach"),
    ("copy (select 1) to '{folder}/own.csv'", "not copy"),
    ("export database '{folder}/own'", "not export"),
    ("select * from read_csv('{folder}/secret.csv')", "no file, network, extension or setting"),
    ("select * from read_parquet('{folder}/secret.csv')", "no file, network, extension or setting"),
    ("select * from read_text('{folder}/secret.csv')", "no file, network, extension or setting"),
    ("select * from glob('{folder}/*')", "no file, network, extension or setting"),
    ("select * from '{folder}/secret.csv'", "no file, network, extension or setting"),
    ("select * from query('select * from read_text(''{folder}/secret.csv'')')", "no file, network"),
    ("install httpfs", "not load"),
    ("load httpfs", "not load"),
    ("set memory_limit = '64GB'", "not set"),
    ("set enable_external_access = true", "not set"),
    ("pragma memory_limit='64GB'", "not pragma"),
    ("call pragma_version()", "not call"),
    ("select 1; select 2", "one statement at a time, not 2"),
    ("", "one statement at a time, not 0"),
    ("select 1) union all (select 2", "cannot be answered"),
    ("select getenv('GROUNDSWELL_DATA')", "cannot be answered"),
    ("with recursive r as (select 1 as a union all select a + 1 from r) select max(a) from r", "stopped after 2 s"),
    ("select count(*) from range(100000000000)", "stopped after 2 s"),
    ("select repeat('x', 3000000000)", "stopped: it took more than 256 MB"),
    ("select list(range) from range(1000000000)", "stopped: it took more than 256 MB|stopped after 2 s"),
    ("select repeat('x', 2000000)", "more than 1,000,000 signs"),
    ("select * from nothing_there", "cannot be answered"),
]


def test_every_hostile_query_is_refused_or_stopped_in_words(settings: Settings, tmp_path: Path) -> None:
    """One conversation: whatever is asked, the next question is answered."""
    import re

    write(settings, 1)
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.csv").write_text("a\npass-word\n")

    async def work(session: Any) -> None:
        for statement, expected in HOSTILE:
            began = time.monotonic()
            is_refused, words = await call(session, "query", sql=statement.format(folder=folder))
            assert is_refused, statement
            assert re.search(expected, words), (statement, words)
            assert "pass-word" not in words
            assert time.monotonic() - began < 20, statement
        is_refused, found = await call(session, "query", sql="select count(*) from marts.dim_tier")
        assert not is_refused
        assert found["rows"] == [[1]]
        _, many = await call(session, "query", sql="select range from range(1000000000)")
        assert (len(many["rows"]), many["is_cut"]) == (7, True)

    talk(settings, work, "--rows", "7", "--memory", "256", "--seconds", "2")
    assert sorted(path.name for path in folder.iterdir()) == ["secret.csv"]
    with duckdb.connect(str(settings.published / "latest" / "groundswell.duckdb"), read_only=True) as release:
        assert release.execute("select count(*) from marts.dim_tier").fetchone() == (1,)


def test_without_a_release_each_tool_says_so(settings: Settings) -> None:
    async def work(session: Any) -> None:
        for tool, given in (("list_marts", {}), ("query", {"sql": "select 1"}), ("list_metrics", {})):
            is_refused, words = await call(session, tool, **given)
            assert is_refused
            assert "no release yet: run `groundswell nightly` first" in words

    talk(settings, work)


def test_without_the_extra_the_command_names_its_remedy(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "find_spec", lambda _: None)
    with pytest.raises(Exception, match=r"run `make mcp`.*requirements-mcp\.txt"):
        door.require()


def test_what_a_client_is_given_starts_the_server(settings: Settings) -> None:
    given = json.loads(door.entry(settings))["mcpServers"]["groundswell"]
    assert given["command"] == sys.executable
    assert given["args"][-1] == "mcp"
    assert Path(given["env"]["GROUNDSWELL_DATA"]).is_absolute()
