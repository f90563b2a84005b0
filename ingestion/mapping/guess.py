"""An inferred mapping, and how it is written down: YAML with a remark where something was guessed."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ingestion.errors import ContractError
from ingestion.mapping.grammar import Mapping, check_mapping, tidy
from ingestion.mapping.questions import Question


@dataclass
class Guess:
    """An inferred mapping: its content as it stands in YAML, remarks per key, and what only a person knows.

    Args:
        open_ends: required columns that nothing in the file fills.
        feeds: names of the feeds that it is like, the likeliest first.
        sensitive: headers that tell something of a person, and what.
    """

    content: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    open_ends: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    sensitive: dict[str, str] = field(default_factory=dict)
    feeds: list[str] = field(default_factory=list)
    has_measure: bool = True
    is_like_a_feed: bool = True

    @property
    def is_open(self) -> bool:
        """Whether something must be answered before a row can load."""
        return bool(self.open_ends) or any(question.is_open for question in self.questions)

    def mapping(self) -> Mapping | None:
        """The mapping, null where a required column is still open."""
        if self.open_ends:
            return None
        try:
            return check_mapping(Mapping.model_validate(self.content), Path(f"{self.content['mapping']}.yml"))
        except (ValidationError, ContractError):
            return None

    def text(self) -> str:
        """The YAML, with a remark where something was guessed and the answers to choose from where it was not."""
        lines = [
            "# yaml-language-server: $schema=mapping.schema.json",
            "# Inferred: look at each line before you use it.",
        ]
        for key, value in self.content.items():
            if key in ("columns", "feeds"):
                lines += self._choices("")
            lines.append(_line(key, value, 0, self.remarks))
        lines += [
            f"  # {name}: {{from: ...}}  # required; nothing in the file looks like it" for name in self.open_ends
        ]
        lines += self._choices("columns.")
        if self.unused:
            lines.append(f"# kept in `extra`: {', '.join(tidy(name) for name in self.unused)}")
        return "\n".join(lines) + "\n"

    def _choices(self, prefix: str) -> list[str]:
        """The answers of open questions, each to be made a line by removing its #."""
        indent = "  " if prefix else ""
        return [
            f"{indent}# {answer.line}  # {_one_line(answer.shown)}"
            for question in self.questions
            if question.is_open and question.key.startswith("columns.") == bool(prefix) and question.key
            for answer in question.answers
        ]


def _line(key: str, value: Any, depth: int, remarks: dict[str, str], above: str = "") -> str:
    pad, remark = "  " * depth, f"  # {_one_line(remarks[above + key])}" if above + key in remarks else ""
    if isinstance(value, dict) and depth == 0:
        inner = [_line(name, each, 1, remarks, f"{key}.") for name, each in value.items()]
        return "\n".join([f"{key}:{remark}", *inner])
    if key == "feeds":
        parts = []
        for part in value:
            first, *rest = [_line(name, each, 0, remarks, "") for name, each in part.items()]
            parts += ["  - " + first.replace("\n", "\n    "), *("    " + each.replace("\n", "\n    ") for each in rest)]
        return "\n".join([f"{key}:{remark}", *parts])
    written = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False)
    shown = written.removesuffix("...\n").strip()
    return f"{pad}{key}: {shown}{remark}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text)[:200]


def flow(source: dict[str, Any]) -> str:
    """A source as it stands in YAML."""
    written: str = yaml.safe_dump(source, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False)
    return written.strip()


def named(title: str) -> str:
    """A header as a sum names it."""
    return title if re.fullmatch(r"[A-Za-z_]\w*", title) else f"`{title}`"
