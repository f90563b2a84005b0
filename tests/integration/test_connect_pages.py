"""The connect pages and the set-up of PostgreSQL: each command that can run here runs as it stands there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR, Settings
from serving import mcp as door
from serving import postgres as target
from serving.bounded import Limits
from serving.metrics.question import Question
from tests.postgres import Database, settings_for, tool, write_release
from tests.unit.serving.hand_made import columns_by_mart
from warehouse import data_dictionary

DOCS = PROJECT_DIR / "docs"
# The rows that the pages' queries show.
HELD = {
    "dim_tier": {"platform": "'youtube'", "scheme": "'standard'", "tier": "'nano'", "tier_rank": "1", "label": "'Nano'"},
    "fct_account_latest": {"platform": "'youtube'", "scheme": "'standard'", "tier": "'nano'", "account_id": "'a'"},
    "fct_publication": {"release_id": "'20260105T021500-000001'", "mart": "'dim_tier'"},
}  # fmt: skip


@pytest.fixture
def released(settings: Settings) -> Settings:
    """A release of every mart that there is, with a few rows."""
    tables = {}
    for mart, columns in columns_by_mart().items():
        held = HELD.get(mart, {})
        cells = ", ".join(f'cast({held.get(name, "null")} as {kind}) as "{name}"' for name, kind in columns.items())
        tables[mart] = f"select {cells}" + ("" if held else " where false")
    name = write_release(settings, 1, tables)
    described = json.dumps({"marts": data_dictionary.marts()})
    (settings.published / "releases" / name / "marts" / "dictionary.json").write_text(described)
    return settings


def blocks(page: str, language: str = r"\w*") -> list[str]:
    """What a page has between fences."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return list(re.findall(rf"```{language}\n(.*?)```", re.sub(r"^   ", "", text, flags=re.M), re.DOTALL))


def psql(url: str, text: str) -> str:
    """What psql prints of commands, which stops at the first error."""
    done = subprocess.run(
        [tool("psql"), "-X", "-v", "ON_ERROR_STOP=1", url],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


def test_psql(released: Settings, postgres: Database) -> None:
    target.follow(settings_for(released, postgres.url()), lambda _: None)
    connect, look, publication, tiers, transaction = blocks("connect/psql.md")
    assert connect.startswith('psql "postgresql://')
    seen = psql(postgres.url(), look)
    assert "marts | fct_account_latest" in " ".join(seen.split())
    assert "20260105T021500-000001" in psql(postgres.url(), publication)
    assert "Nano" in psql(postgres.url(), tiers)
    assert psql(postgres.url(), transaction).count("(1 row)") == 2


def test_the_set_up_of_postgresql(released: Settings, postgres: Database) -> None:
    """As a superuser types it; the names are those of a test, since roles are of the whole server."""
    setup, setting = blocks("postgres.md")
    mine = re.sub(r"\b(groundswell_reader|groundswell|ana)\b", rf"\1_{postgres.name}", setup)
    mine = mine.replace(f"groundswell_reader_{postgres.name};   --", f"groundswell_reader_{postgres.name}; --")
    role, database = f"groundswell_{postgres.name}", f"groundswell_{postgres.name}"
    psql(postgres.url(), mine.replace(f"to ana_{postgres.name}", f"to {role}"))
    try:
        made = Database(postgres.socket, database)
        name = f"groundswell_reader_{postgres.name}"
        target.follow(settings_for(released, made.url(role), postgres_read_role=name), lambda _: None)
        assert made.rows("select tier from marts.dim_tier") == [("nano",)]
    finally:
        postgres.run(f"drop database {database} with (force)")
        postgres.run(f"drop role {role}; drop role groundswell_reader_{postgres.name}")
    assert setting.startswith("GROUNDSWELL_POSTGRES_URL=postgresql://")


@pytest.mark.parametrize("page", ["metabase.md", "power-bi.md"])
def test_marts_and_columns_of_a_page_are_there(page: str) -> None:
    """Neither program runs here: the names that their pages type are held against the marts."""
    text = (DOCS / "connect" / page).read_text(encoding="utf-8")
    marts = columns_by_mart()
    every = {column for columns in marts.values() for column in columns}
    named = re.findall(r"((?:fct|dim|bridge)_\w+)?\[(\w+)\](?!\()", text)
    assert len(named) >= 2
    for mart, column in named:
        assert column in (marts[mart] if mart else every), f"{mart}[{column}]"
    for mart in re.findall(r"\b(?:fct|dim|bridge)_\w+", text):
        assert mart in marts
    assert "groundswell_reader" in text


def test_the_page_of_mcp_clients(released: Settings) -> None:
    given, code = blocks("connect/mcp.md")
    shown, made = (json.loads(text)["mcpServers"]["groundswell"] for text in (given, door.entry(released)))
    assert shown["args"] == made["args"]
    assert set(shown["env"]) <= set(made["env"])
    code = code.replace("/srv/groundswell/.venv/bin/python", sys.executable)
    code = code.replace('"/srv/groundswell/data"', f'"{released.data}", "PYTHONPATH": "{PROJECT_DIR}"')
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["columns"], answer["rows"]) == (["accounts"], [[0]])
    assert answer["release_id"] == "20260105T021500-000001"


def test_figures_are_answered_by_the_metrics_that_are_defined_once(released: Settings) -> None:
    found = door.figures_of(released, Limits(), Question(("spend", "net_revenue"), ("campaign",)))
    assert (found["columns"], found["rows"]) == (["campaign", "spend", "net_revenue"], [])
    assert "platform" in found["groupings_of_these"]["spend"]
    total = door.figures_of(released, Limits(), Question(("spend",)))
    assert (total["columns"], len(total["rows"])) == (["spend"], 1)


def test_every_mart_is_described_to_an_agent_and_fits_postgresql(released: Settings) -> None:
    listed = door.marts_of(released, Limits())
    assert {mart["name"] for mart in listed["marts"]} == set(columns_by_mart())
    assert all(mart["grain"] and mart["key"] for mart in listed["marts"])
    assert listed["release_id"] == "20260105T021500-000001"
    assert Path(door.mart_of(released, Limits(), "dim_tier")["release_id"]).name == listed["release_id"]


def test_a_figure_that_takes_too_long_is_stopped(released: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(source: door.Source, _: Question) -> None:
        source.rows("select count(*) from range(100000000000)")

    monkeypatch.setattr(door, "answer", endless)
    with pytest.raises(door.Refused, match="stopped after 1 s"):
        door.figures_of(released, Limits(seconds=1), Question(("spend",)))
