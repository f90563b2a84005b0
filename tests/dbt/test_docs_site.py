"""The site of dbt's documentation holds the overview, every mart and every reader, and needs no other file."""

import json

from warehouse.dbt_docs import build_docs


def test_the_site_is_one_file_with_overview_marts_and_exposures(empty, manifest, tmp_path):
    warehouse = empty.copy(tmp_path)
    path = build_docs(warehouse.settings, lambda _: None)
    page = path.read_text(encoding="utf-8")
    assert path == warehouse.settings.reports / "dbt_docs" / "index.html"
    assert [file.name for file in path.parent.iterdir()] == ["index.html"]
    assert "What a join multiplies" in page
    marts = {n["name"] for n in manifest["nodes"].values() if n["resource_type"] == "model" and n["fqn"][1] == "marts"}
    for name in marts | {exposure["name"] for exposure in manifest["exposures"].values()}:
        assert name in page
    # What dbt read of the tables themselves.
    catalog = json.loads((warehouse.settings.data / "build" / "dbt_docs" / "catalog.json").read_text())
    assert {node["metadata"]["name"] for node in catalog["nodes"].values()} >= marts
    assert "Content-Security-Policy" in page


def test_the_nights_own_artifacts_are_left_alone(empty, tmp_path):
    warehouse = empty.copy(tmp_path)
    folder = warehouse.settings.data / "build" / "dbt"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert before
    build_docs(warehouse.settings, lambda _: None)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before
