"""The site of dbt's documentation holds the overview, every mart and every reader, and needs no other file."""

import json
from pathlib import Path

import pytest

from ingestion.config import Settings
from warehouse.dbt_docs import build_docs


def artifacts(settings: Settings) -> dict[Path, int]:
    """What a night's dbt has left, by its time of change."""
    folder = settings.data / "build" / "dbt"
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def made(empty, tmp_path_factory):
    """Settings, the page, and the night's own artifacts before it was made."""
    settings = empty.copy(tmp_path_factory.mktemp("docs")).settings
    before = artifacts(settings)
    return settings, build_docs(settings, lambda _: None), before


def test_the_site_is_one_file_with_overview_marts_and_exposures(made, manifest):
    settings, path, _ = made
    page = path.read_text(encoding="utf-8")
    assert path == settings.reports / "dbt_docs" / "index.html"
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]
    assert "What a join multiplies" in page
    marts = {n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["fqn"][1] == "marts"}
    for name in marts | {exposure["name"] for exposure in manifest["exposures"].values()}:
        assert name in page
    # What dbt read of the tables themselves.
    catalog = json.loads((settings.data / "build" / "dbt_docs" / "catalog.json").read_text())
    assert {node["metadata"]["name"] for node in catalog["nodes"].values()} >= marts
    assert "Content-Security-Policy" in page


def test_the_nights_own_artifacts_are_left_alone(made):
    settings, _, before = made
    assert before
    assert artifacts(settings) == before
