"""What the YAML beside each mart and seed says of it: the data dictionary of `make dictionary` and of a release.

Nothing is written by hand in it, so it cannot say anything else than the contract does; a test holds the two equal.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ingestion.config import PROJECT_DIR
from ingestion.user_config.tables import TABLES
from warehouse.build.dbt import DBT_PROJECT

TARGET = PROJECT_DIR / "docs" / "data-dictionary.md"
SOURCES = DBT_PROJECT / "models" / "staging"
DOCS = DBT_PROJECT / "models" / "docs"
BLOCK = re.compile(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)
USE = re.compile(r"\{\{\s*doc\(\s*['\"](\w+)['\"]\s*\)\s*\}\}")
HEAD = """# Data dictionary

<!-- Made by `make dictionary` from the YAML beside each model and seed. Do not edit: change the YAML. -->

What a BI tool sees in schema `marts` of `published/groundswell.duckdb`. A mart's grain is its first line; its key is
unique. How marts join, and what a join multiplies, stands in the overview of the dbt docs (`make docs`) and in
[`overview.md`](../dbt_project/models/docs/overview.md).
"""

Node = dict[str, Any]
# The parser in C takes a tenth of the time; the project's own files are not too deep for it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def blocks() -> dict[str, str]:
    """Texts that several descriptions share, by name."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md")))
    return {name: body.strip() for name, body in BLOCK.findall(text)}


def resolve(text: str, known: dict[str, str]) -> str:
    """A description with its doc blocks in place, on one line. Raises KeyError for a block that is not there."""
    return " ".join(USE.sub(lambda use: known[use[1]], text).split())


def nodes(kind: str, folder: Path) -> Iterator[tuple[Path, Node]]:
    """Each model or seed that a folder's YAML describes, with that file, in the order of their paths."""
    for path in sorted(folder.rglob("*.yml")):
        for node in (yaml.load(path.read_text(encoding="utf-8"), _Loader) or {}).get(kind, []):
            yield path, node


def key_of(node: Node) -> list[str]:
    """Columns of the first `unique_combination_of_columns` test of a model or seed, empty where it has none."""
    for test in node.get("data_tests", []):
        if isinstance(test, dict) and "unique_combination_of_columns" in test:
            columns: list[str] = test["unique_combination_of_columns"]["arguments"]["combination_of_columns"]
            return columns
    return []


def grain_of(path: Path, name: str) -> str:
    """The first line of a mart's SQL, which is its grain."""
    first = (path.parent / f"{name}.sql").read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("--").strip()


def marts() -> list[Node]:
    """Each mart with its grain, description and key, and of each column its name, type and description."""
    known = blocks()
    return [
        {
            "name": mart["name"],
            "grain": grain_of(path, mart["name"]),
            "description": resolve(mart["description"], known),
            "key": key_of(mart),
            "columns": [
                {
                    "name": column["name"],
                    "type": column["data_type"],
                    "description": resolve(column["description"], known),
                }
                for column in mart["columns"]
            ],
        }
        for path, mart in nodes("models", DBT_PROJECT / "models" / "marts")
    ]


def render() -> str:
    """The dictionary as text."""
    known, described = blocks(), marts()
    seeds = sorted(nodes("seeds", DBT_PROJECT / "seeds"), key=lambda found: str(found[1]["name"]))
    parts = [HEAD, "## Marts\n"]
    parts.append("| mart | grain | key |\n| --- | --- | --- |")
    parts += [
        f"| [`{mart['name']}`](#{mart['name']}) | {_cell(mart['grain'])} | {_code(mart['key'])} |" for mart in described
    ]
    for mart in described:
        parts.append(f"\n### {mart['name']}\n\n{mart['grain']}\n")
        parts.append(f"{mart['description']}\n\nKey: {_code(mart['key'])}.\n")
        parts.append("| column | type | meaning |\n| --- | --- | --- |")
        parts += [
            f"| `{column['name']}` | {column['type']} | {_cell(column['description'])} |" for column in mart["columns"]
        ]
    parts.append("\n## Seeds\n\nWhat is data and not code; the marts are made with them.\n")
    parts.append("| seed | what it holds | key |\n| --- | --- | --- |")
    parts += [
        f"| `{seed['name']}` | {_cell(resolve(seed['description'], known))} | {_code(key_of(seed))} |"
        for _, seed in seeds
    ]
    parts.append(
        "\n## Tables of `config/`\n\nWhat a user may set, joined with the package's rows; models read them as"
        " `meta.config_<table>`.\n"
    )
    parts.append("| table | what it holds | key |\n| --- | --- | --- |")
    held = {table["name"]: table for _, source in nodes("sources", SOURCES) for table in source["tables"]}
    parts += [
        f"| `{name}` | {_cell(resolve(held[f'config_{name}']['description'], known))} | {_code(list(table.key))} |"
        for name, table in sorted(TABLES.items())
    ]
    return "\n".join(parts) + "\n"


def _code(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns) or "none"


def _cell(text: str) -> str:
    """Text that stays within its cell of a Markdown table."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write the dictionary when it changed."""
    text = render()
    if TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text:
        print(f"unchanged: {TARGET.relative_to(PROJECT_DIR)}")
        return
    TARGET.write_text(text, encoding="utf-8")
    print(f"written: {TARGET.relative_to(PROJECT_DIR)}")


if __name__ == "__main__":
    main()
