"""The layout holds: who may import whom, one owner of the state's SQL, no edits of `sys.path`, releases, links."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR
from ingestion.ledger import store

PACKAGES = ("dags", "warehouse", "expectations", "serving", "ingestion")
# What each package may import of ours. A DAG file may import what DAGs share, never another DAG.
MAY_IMPORT = {
    "dags": {"groundswell_dags", "warehouse", "ingestion"},
    "warehouse": {"warehouse", "expectations", "serving", "ingestion"},
    "expectations": {"expectations", "ingestion"},
    "serving": {"serving", "ingestion"},
    "ingestion": {"ingestion"},
}
OURS = {*PACKAGES, "groundswell_dags", "bench", "sample", "tests", "nightly", "rebuild", "capture"}
OWNER = "ingestion/ledger/"
TABLES = sorted(
    set(re.findall(r"create table (?:if not exists )?(\w+)", " ".join((store.SCHEMA, *store.MIGRATIONS[1:]))))
)
IN_SQL = re.compile(rf"\b(?:from|join|into|update|table)\s+(?:{'|'.join(TABLES)})\b", re.IGNORECASE)


def files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((PROJECT_DIR / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT_DIR).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that a tree imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# --- arrows


def wrong_arrows(package: str, tree: ast.AST) -> set[str]:
    """Packages of ours that a module of a package may not import."""
    return {name.partition(".")[0] for name in imported(tree)} & (OURS - MAY_IMPORT[package])


@pytest.mark.parametrize("path", [*files(*PACKAGES)], ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    assert not wrong_arrows(name_of(path).partition("/")[0], tree_of(path))


@pytest.mark.parametrize(
    ("package", "code", "found"),
    [
        ("ingestion", "from warehouse import plan", {"warehouse"}),
        ("expectations", "def f():\n    from warehouse.plan import resolve", {"warehouse"}),
        ("serving", "import expectations.run", {"expectations"}),
        ("dags", "from nightly import nightly", {"nightly"}),
        ("warehouse", "from dags import nightly", {"dags"}),
        ("warehouse", "from serving.report.build import render", set()),
    ],
)
def test_an_arrow_the_other_way_is_found(package: str, code: str, found: set[str]) -> None:
    assert wrong_arrows(package, ast.parse(code)) == found


def circles(graph: dict[str, set[str]]) -> list[str]:
    """Modules from which a walk along imports comes back to where it began."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for other in graph.get(waiting.pop(), set()) - seen:
                seen.add(other)
                waiting.append(other)
        return seen

    return sorted(name for name in graph if name in reached(name))


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".").removeprefix("dags.")


def test_no_import_of_modules_runs_in_a_circle() -> None:
    """Nor of functions: so a call never climbs back to a module from which it came, but through what it was handed."""
    known = {module_of(path): path for path in files(*PACKAGES)}
    graph = {
        name: {other for other in imported(tree_of(path)) if other in known and other != name}
        for name, path in known.items()
    }
    assert circles(graph) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c"]


# --- the owner of the state's SQL


def texts(tree: ast.Module) -> Iterator[str]:
    """Every string of a module but its docstrings; an f-string by its written parts."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def sql_of_state(tree: ast.Module) -> list[str]:
    """Strings that query or write a table of the ledger, and imports that would open it."""
    found = [text for text in texts(tree) if IN_SQL.search(text)]
    return found + [name for name in imported(tree) if name.partition(".")[0] == "sqlite3"]


@pytest.mark.parametrize("path", [p for p in files(*PACKAGES, "bench") if OWNER not in name_of(p)], ids=name_of)
def test_the_sql_of_the_state_stands_in_the_ledger_alone(path: Path) -> None:
    assert sql_of_state(tree_of(path)) == []


@pytest.mark.parametrize(
    "code",
    [
        'rows = connection.execute("select * from batches where feed = ?")',
        'connection.execute(f"delete from {x} where 1; update plans set state = ?")',
        'connection.execute("select 1 from raw_files f join batches b using (batch_id)")',
        'connection.execute("INSERT OR REPLACE INTO leases values (?)")',
        'connection.execute("insert into dirty_dates (feed, snapshot_date) values (?, ?)")',
        "import sqlite3",
        "from sqlite3 import connect",
    ],
)
def test_sql_of_the_state_elsewhere_is_found(code: str) -> None:
    assert sql_of_state(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        '"""Reads from batches, and from releases, as a docstring may say."""',
        'reader.execute("select run_id from meta.run join meta.raw_file using (path)")',
        'reader.execute("select count(*) from marts.fct_publication")',
    ],
)
def test_other_sql_is_none_of_the_states(code: str) -> None:
    assert sql_of_state(ast.parse(code)) == []


def test_every_function_of_the_ledger_has_types_and_says_what_it_gives() -> None:
    for path in files(OWNER):
        for node in tree_of(path).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{name_of(path)}: {node.name}"
                assert node.returns is not None, f"{name_of(path)}: {node.name}"


# --- paths


def edits_of_the_path(tree: ast.AST) -> list[int]:
    """Lines that name `sys.path`, also by an import from `sys`."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "path"
            and isinstance(node.value, ast.Name)
            and node.value.id == "sys"
        )
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "sys"
            and any(alias.name == "path" for alias in node.names)
        )
    ]


@pytest.mark.parametrize("path", [*files(*PACKAGES, "bench", "sample", "tests")], ids=name_of)
def test_no_module_edits_the_path_of_imports(path: Path) -> None:
    assert edits_of_the_path(tree_of(path)) == []


def test_an_edit_of_the_path_is_found() -> None:
    assert edits_of_the_path(ast.parse("import sys\nsys.path.insert(0, 'x')")) == [2]
    assert edits_of_the_path(ast.parse("from sys import path\npath.insert(0, 'x')")) == [1]


# --- decisions


def numbers_of(folder: Path) -> list[tuple[str, str]]:
    """Number in the name and in the heading of each decision, in the order of names."""
    return [
        (path.name[:4].lstrip("0"), path.read_text(encoding="utf-8").partition(".")[0].removeprefix("# "))
        for path in sorted(folder.glob("*.md"))
    ]


def test_decisions_are_numbered_once_without_a_gap() -> None:
    numbers = numbers_of(PROJECT_DIR / "docs" / "decisions")
    assert numbers == [(str(number), str(number)) for number in range(1, len(numbers) + 1)]


def test_two_decisions_of_one_number_are_found(tmp_path: Path) -> None:
    for name in ("0001-one.md", "0001-another.md"):
        (tmp_path / name).write_text("# 1. A choice\n")
    assert numbers_of(tmp_path) == [("1", "1"), ("1", "1")]


# --- releases

# A heading of the code changes: what is not released yet, or a version with the day on which it was cut.
HEADING = re.compile(r"next|(\d+\.\d+\.\d+) \(\d{4}-\d{2}-\d{2}\)")


def release_faults(changelog: str, version: str) -> list[str]:
    """What of a change log contradicts the rule of releases (CONTRIBUTING), and the version of the project."""
    data, _, code = changelog.partition("\n## Code changes\n")
    headings = re.findall(r"^### (.*)$", code, re.MULTILINE)
    matches = {heading: HEADING.fullmatch(heading) for heading in headings}
    faults = [f"heading {heading}" for heading, match in matches.items() if match is None]
    cuts = [match[1] for match in matches.values() if match and match[1]]
    if headings[:1] != ["next"]:
        faults.append("`next` is not the first heading")
    if cuts != sorted(set(cuts), key=lambda cut: tuple(map(int, cut.split("."))), reverse=True):
        faults.append("versions are not in order, newest first")
    if cuts[:1] != [version]:
        faults.append(f"pyproject.toml has {version}, the newest cut is {cuts[:1]}")
    cells = re.findall(r"^\| *([^|]*?) *\|", data, re.MULTILINE)
    if cells[:2] != ["version", "---"]:
        faults.append("no data table")
    return faults + [f"data row of {cell}" for cell in cells[2:] if cell not in ("next", *cuts)]


def test_the_change_log_and_the_version_of_the_project_agree() -> None:
    version = tomllib.loads((PROJECT_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert release_faults((PROJECT_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), version) == []


CHANGES = """# Changelog

| version | mart |
| --- | --- |
| next | `fct_a` |
| 0.10.0 | `fct_b` |

## Code changes

### next

### 0.10.0 (2026-02-01)

### 0.9.0 (2026-01-01)
"""


def test_a_change_log_in_order_has_no_fault() -> None:
    assert release_faults(CHANGES, "0.10.0") == []


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("| 0.10.0 |", "| 0.11.0 |", "data row of 0.11.0"),
        ("| 0.10.0 |", "| soon |", "data row of soon"),
        ("| 0.10.0 |", "| |", "data row of "),
        ("| version | mart |\n| --- | --- |\n", "", "no data table"),
        ("### next\n\n", "", "`next` is not the first heading"),
        ("### 0.10.0 (2026-02-01)", "### 0.10.0", "heading 0.10.0"),
        ("### 0.9.0 (2026-01-01)", "### 0.11.0 (2026-01-01)", "versions are not in order, newest first"),
        ("### 0.9.0 (2026-01-01)", "### 0.10.0 (2026-01-01)", "versions are not in order, newest first"),
        (
            "### next\n",
            "### next\n\n### 0.11.0 (2026-03-01)\n",
            "pyproject.toml has 0.10.0, the newest cut is ['0.11.0']",
        ),
    ],
)
def test_a_change_log_that_contradicts_the_rule_is_found(was: str, becomes: str, fault: str) -> None:
    assert fault in release_faults(CHANGES.replace(was, becomes, 1), "0.10.0")


# --- links of the documents


def anchors_of(document: Path) -> set[str]:
    """Names under which GitHub links to the headings of a document."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def dead_links(document: Path) -> list[str]:
    """Relative links of a document that lead to no file, or to no heading of one."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if "://" not in link and (
            not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors_of(target))
        ):
            dead.append(link)
    return dead


DOCUMENTS = [*PROJECT_DIR.glob("*.md"), *(PROJECT_DIR / "docs").rglob("*.md")]


@pytest.mark.parametrize("document", sorted(DOCUMENTS), ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    assert dead_links(document) == []


# --- models that a document names

NAMES = re.compile(r"\b(?:int|stg|fct|dim|bridge)_[a-z][a-z_]*[a-z]\b(?![_*])")
# The change log tells of what was.
OF_TODAY = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]


@cache
def named_in_project() -> frozenset[str]:
    """Names of models, seeds and macros."""
    project = PROJECT_DIR / "dbt_project"
    macros = " ".join(file.read_text(encoding="utf-8") for file in (project / "macros").glob("*.sql"))
    files = [file.stem for ending in ("sql", "csv") for file in project.rglob(f"*.{ending}")]
    return frozenset({*files, *re.findall(r"macro (\w+)", macros)})


def unknown_models(text: str) -> list[str]:
    return sorted(set(NAMES.findall(text)) - named_in_project())


@pytest.mark.parametrize("document", sorted(OF_TODAY), ids=name_of)
def test_models_that_a_document_names_are_there(document: Path) -> None:
    assert unknown_models(document.read_text(encoding="utf-8")) == []


def test_a_model_that_is_gone_is_found() -> None:
    text = "`int_account__states_carried`, `dim_account`, `int_trust__*` and fct_gone; int_trust__burst.sql"
    assert unknown_models(text) == ["fct_gone", "int_account__states_carried"]


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# What a row is\n\n## In `marts`, by day\n")
    page = tmp_path / "page.md"
    page.write_text("[a](there.md) [b](there.md#in-marts-by-day) [c](https://example.org/x) [d](#own)\n\n# Own\n")
    assert dead_links(page) == []
    page.write_text("[a](gone.md) [b](there.md#gone) [c](#own) [d](there.md)\n")
    assert dead_links(page) == ["gone.md", "there.md#gone", "#own"]
