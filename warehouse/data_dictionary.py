"""What the YAML beside each mart and seed says of it: the data dictionary of `make dictionary` and of a release.

Nothing is written by hand in it, so it cannot say anything else than the contract does; a test holds the two equal.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ingestion.config import PROJECT_DIR
from ingestion.user_config.tables import TABLES
from warehouse.build.dbt import DBT_PROJECT

TARGET = PROJECT_DIR / "docs" / "data-dictionary.md"
MARTS = DBT_PROJECT / "models" / "marts"
SOURCES = DBT_PROJECT / "models" / "staging"
DOCS = DBT_PROJECT / "models" / "docs"
OVERVIEW = DOCS / "overview.md"
JOINS = DBT_PROJECT / "joins.yml"
BLOCK = re.compile(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)
REF = re.compile(r"ref\('(\w+)'\)")
USE = re.compile(r"\{\{\s*doc\(\s*['\"](\w+)['\"]\s*\)\s*\}\}")
HEAD = """# Data dictionary

<!-- Made by `make dictionary` from the YAML beside each model and seed. Do not edit: change the YAML. -->

What a BI tool sees in schema `marts` of `published/groundswell.duckdb`. A mart's grain is its first line; its key is
unique. How marts join, and what a join multiplies, stands in the overview of the dbt docs (`make docs`) and in
[`overview.md`](../dbt_project/models/docs/overview.md). A double has nine significant digits.

How a numeric column may be aggregated stands beside it, in its comment and in `dictionary.json`:

{words}
"""
# How a numeric column may be aggregated, as a comment says it.
AGGREGATIONS = {
    "sum": "sums over every column of the key",
    "sum_within_model": "sums where one `attribution_model`, and one `scheme` where the mart has them, is fixed;"
    " the conserving models share out one whole, `any_touch` does not",
    "last": "a state: sums over rows of one day, never over days, of which the last one counts",
    "none": "never adds up: take it from its parts, or row by row",
}
NUMERIC = ("bigint", "decimal", "double", "integer")
# What a join does to the rows of its first mart.
ROWS = {
    "kept": "the same number",
    "kept_or_none": "the same number with a left join",
    "multiplied": "**once per {per}**",
}
KEY_TEST, REFERENCE_TEST = "unique_combination_of_columns", "holds_every_key"

# Between these lines of the overview stands what `joins.yml` and the dimensions declare.
BEGIN, END = "<!-- joins: made by `make dictionary` -->\n", "<!-- end of joins -->\n"

Node = dict[str, Any]


class Reference(NamedTuple):
    """A key of a mart that a dimension holds: pairs of its own column and the dimension's, and columns without one.

    A column of the dimension's key that has no pair must be fixed, or the join multiplies.
    """

    mart: str
    dimension: str
    pairs: tuple[tuple[str, str], ...]
    fixed: tuple[str, ...] = ()

    @property
    def on(self) -> str:
        """What the join compares, as text."""
        own = _code([column for column, _ in self.pairs])
        return own + (f", one {_code(list(self.fixed))}" if self.fixed else "")


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
        for node in (_loaded(path, path.stat().st_mtime_ns) or {}).get(kind, []):
            yield path, node


@cache
def _loaded(path: Path, changed_ns: int) -> Any:
    """A YAML file as it stands at a time of change; nobody changes what it returns."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)


def key_of(node: Node) -> list[str]:
    """Columns of the first `unique_combination_of_columns` test of a model or seed, empty where it has none."""
    tested = _arguments_of(node, KEY_TEST)
    return list(tested["combination_of_columns"]) if tested else []


def references() -> list[Reference]:
    """Each key of a mart that a dimension declares to hold, by dimension and in its order."""
    found = []
    for _, node in nodes("models", MARTS):
        tested = _arguments_of(node, REFERENCE_TEST) if node["name"].startswith("dim_") else {}
        for fact in tested["facts"] if tested else ():
            rows, columns = (fact["rows"], fact["key"]) if isinstance(fact, dict) else (fact, tested["key"])
            mart = REF.findall(rows)[0]
            if mart.startswith(("dim_", "fct_", "bridge_")):
                pairs = tuple((own, of) for own, of in zip(columns, tested["key"], strict=True) if own)
                fixed = tuple(of for own, of in zip(columns, tested["key"], strict=True) if not own)
                found.append(Reference(mart, node["name"], pairs, fixed))
    return found


def joins() -> list[Node]:
    """The joins of `joins.yml`, with what each does to the rows of its first mart in words."""
    declared: list[Node] = yaml.load(JOINS.read_text(encoding="utf-8"), _Loader)
    return [{**join, "text": _join_text(join)} for join in declared]


def _join_text(join: Node) -> str:
    text = ROWS[join["rows"]].format(**join)
    if "single" in join:
        text += f"; the same number with a left join and `{join['single']}`"
    return f"{text}. {join['note'][0].upper()}{join['note'][1:]}" if "note" in join else text


def _arguments_of(node: Node, name: str) -> Node:
    """Arguments of the first data test of a kind of a model or seed, empty where it has none."""
    for test in node.get("data_tests", []):
        if isinstance(test, dict) and name in test:
            arguments: Node = test[name]["arguments"]
            return arguments
    return {}


def aggregation_of(column: Node) -> dict[str, Any]:
    """How a numeric column may be aggregated, and over which columns of the key not; empty for any other column."""
    meta = column.get("config", {}).get("meta", {})
    return {name: meta[name] for name in ("aggregation", "not_over") if name in meta}


def comment_of(column: Node) -> str:
    """What a BI tool is told of a column of `marts`: its description, and how it may be aggregated."""
    if "aggregation" not in column:
        return str(column["description"])
    words = f"Aggregation: {column['aggregation']} ({AGGREGATIONS[column['aggregation']]})"
    if column.get("not_over"):
        words += f", but not over {_code(column['not_over'])}"
    return f"{column['description']} {words}."


def grain_of(path: Path, name: str) -> str:
    """The first line of a mart's SQL, which is its grain."""
    first = (path.parent / f"{name}.sql").read_text(encoding="utf-8").split("\n", 1)[0]
    return first.removeprefix("--").strip()


def marts() -> list[Node]:
    """Each mart with its grain, description, key, references and joins, and of each column what is declared of it."""
    known, referring, joined = blocks(), references(), joins()
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
                    **aggregation_of(column),
                }
                for column in mart["columns"]
            ],
            "references": [
                {"to": of.dimension, "match": [f"here.{own} = there.{key}" for own, key in of.pairs], "on": of.on}
                for of in referring
                if of.mart == mart["name"]
            ],
            "joins": [
                {"to": join["to"], "match": join["match"], "rows": join["rows"], "text": join["text"]}
                for join in joined
                if join["from"] == mart["name"]
            ],
        }
        for path, mart in nodes("models", MARTS)
    ]


def render_joins() -> str:
    """The part of the overview that says how marts join."""
    parts = ["| from | to | on | rows of `from` become |\n| --- | --- | --- | --- |"]
    parts += [
        f"| `{join['from']}` | `{join['to']}` | {_code(join['match'])} | {_cell(join['text'])} |" for join in joins()
    ]
    parts.append(
        "\nA key of a fact stands in its dimension, which a test of every run holds; where it is null it names nothing."
        " Such a join keeps every row, with a left join also those. Dimensions are as of now: the niche of an account"
        " may not be that of a day before.\n"
    )
    parts.append("| marts | dimension | on | rows of the marts become |\n| --- | --- | --- | --- |")
    by_dimension: dict[str, list[Reference]] = {}
    for reference in references():
        by_dimension.setdefault(reference.dimension, []).append(reference)
    for dimension, found in by_dimension.items():
        key = _code([of for _, of in max(found, key=lambda reference: len(reference.pairs)).pairs])
        named = [f"`{of.mart}`" + ("" if of.on == key else f" ({of.on})") for of in found]
        parts.append(f"| {', '.join(named)} | `{dimension}` | {key} | the same number |")
    return "\n".join(parts) + "\n"


def render_overview() -> str:
    """The overview with its part on joins."""
    text = OVERVIEW.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{render_joins()}{end}{after}"


def render() -> str:
    """The dictionary as text."""
    known, described = blocks(), marts()
    seeds = sorted(nodes("seeds", DBT_PROJECT / "seeds"), key=lambda found: str(found[1]["name"]))
    words = "\n".join(f"- `{name}`: {text}." for name, text in AGGREGATIONS.items())
    parts = [HEAD.format(words=words), "## Marts\n"]
    parts.append("| mart | grain | key |\n| --- | --- | --- |")
    parts += [
        f"| [`{mart['name']}`](#{mart['name']}) | {_cell(mart['grain'])} | {_code(mart['key'])} |" for mart in described
    ]
    for mart in described:
        parts.append(f"\n### {mart['name']}\n\n{mart['grain']}\n")
        parts.append(f"{mart['description']}\n\nKey: {_code(mart['key'])}.\n")
        parts.append("| column | type | meaning | aggregation |\n| --- | --- | --- | --- |")
        parts += [
            f"| `{column['name']}` | {column['type']} | {_cell(column['description'])} | {_how(column)} |"
            for column in mart["columns"]
        ]
        if mart["references"] or mart["joins"]:
            parts.append("\nJoins:\n")
        parts += [f"- `{of['to']}` on {of['on']}: every row is kept" for of in mart["references"]]
        parts += [f"- `{join['to']}` on {_code(join['match'])}: {join['text']}" for join in mart["joins"]]
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


def _how(column: Node) -> str:
    """How a column may be aggregated, in a cell."""
    without = f", not over {_code(column['not_over'])}" if column.get("not_over") else ""
    return f"{column.get('aggregation', '')}{without}"


def _code(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns) or "none"


def _cell(text: str) -> str:
    """Text that stays within its cell of a Markdown table."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write the dictionary, and the joins of the overview, where they changed."""
    for target, text in ((TARGET, render()), (OVERVIEW, render_overview())):
        if target.is_file() and target.read_text(encoding="utf-8") == text:
            print(f"unchanged: {os.path.relpath(target, PROJECT_DIR)}")
            continue
        target.write_text(text, encoding="utf-8")
        print(f"written: {os.path.relpath(target, PROJECT_DIR)}")


if __name__ == "__main__":
    main()
