"""What the pages of docs/connect/ say works on a release: their SQL, their Python, and their commands that need no install.

DuckDB's own shell is run by `make test-bi`; R and DBeaver are not at hand, so of their pages it is the queries.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pytest

from ingestion.config import PROJECT_DIR

from .conftest import Night

PAGES = PROJECT_DIR / "docs" / "connect"


def blocks(page: str, language: str) -> list[str]:
    """What a page says in a language."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def queries() -> list[tuple[str, str]]:
    """Each query of the pages of files, also those inside a command of a shell or of R."""
    found = [(page, sql) for page in ("duckdb-cli", "dbeaver") for sql in blocks(page, "sql")]
    found += [
        ("r", sql)
        for code in blocks("r", "r")
        for sql in re.findall(r'dbGetQuery\(release, "(.*?)"\)', code, re.DOTALL)
    ]
    found += [
        ("duckdb-cli", sql) for code in blocks("duckdb-cli", "sh") for sql in re.findall(r' -c "(.*?)"$', code, re.M)
    ]
    return found


@pytest.fixture
def folder(tmp_path: Path, world_night: Night, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds `data`, and `serving` as the checkout does."""
    (tmp_path / "data").symlink_to(world_night.settings.data)
    (tmp_path / "serving").symlink_to(PROJECT_DIR / "serving")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pages_hold_queries() -> None:
    assert [page for page, _ in queries()] == ["duckdb-cli"] * 3 + ["dbeaver", "r"] + ["duckdb-cli"] * 2


@pytest.mark.parametrize(("page", "sql"), queries())
def test_a_query_of_a_page_has_rows(folder: Path, page: str, sql: str) -> None:
    with duckdb.connect("data/published/groundswell.duckdb", read_only=True) as release:
        rows = release.execute(sql).fetchall()
    assert rows
    assert all(row[0] is not None for row in rows)


def test_the_python_of_the_page(folder: Path) -> None:
    first, frame, release = blocks("python", "python")

    def printed(code: str) -> str:
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed(first).splitlines()[0].startswith("nano ")
    assert "net_revenue_base" in printed(frame)
    assert (folder / "data" / "published" / "latest").resolve().name in printed(release)


def test_the_dashboards_are_zipped_as_the_page_says(folder: Path) -> None:
    [commands] = blocks("superset", "sh")
    python = folder / "python"
    python.symlink_to(sys.executable)
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    subprocess.run(["bash", "-ec", commands], cwd=folder, env=path, capture_output=True, text=True, check=True)
    with zipfile.ZipFile(folder / "groundswell-assets.zip") as bundle:
        names = bundle.namelist()
    assert "groundswell-assets/metadata.yaml" in names
    assert "groundswell-assets/dashboards/overview.yaml" in names


def test_a_release_answers_no_query_that_writes(folder: Path) -> None:
    shutil.copy("data/published/latest/groundswell.duckdb", folder / "copy.duckdb")
    with (
        duckdb.connect(str(folder / "copy.duckdb"), read_only=True) as release,
        pytest.raises(duckdb.Error, match="read-only"),
    ):
        release.execute("delete from marts.fct_order")
