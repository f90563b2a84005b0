"""Words that the project has left behind: a reader who knows dbt and Airflow needs no glossary for the code.

Each stands with the word in its place. Names are those of the code; phrases are what people read, in code, SQL and docs.
"""

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR

# Parts of a name, as `_` and capital letters cut it.
NAMES = {
    "tick": "on_node",
    "judge": "evaluate",
    "judged": "evaluated",
    "patient": "context",
    "settle": "wait until stable",
    "voices": "social",
    "rooms": "packages",
    "soundness": "integrity",
}
# Whole names: elsewhere these are ordinary words.
WHOLE_NAMES = {
    "say": "log",
    "cap": "build_through",
    "Asked": "BackfillRange",
    "Taken": "IngestedFile",
    "turns": "tier changes",
}
PHRASES = {
    r"\bset aside\b": "quarantined",
    r"\bgives? way\b": "is superseded",
    r"\b(is|was|were|been) taken back\b": "is rejected",
    r"\bbuilt again\b": "rebuilt",
    r"\brests? on\b": "depends on",
    r"\bjudge[sd]?\b": "evaluates",
    r"\bobserved \S+, asked for\b": "expected",
    r"\bthe twin\b": "negative test",
    r"\bstates carried\b": "last known values",
    r"\bgoes on on disk\b": "spills to disk",
    r"\b(tier|account) turns (up|down)\b": "moves up, moves down",
}
# A setting that people's environments hold already; the chart's own word; what SQL calls the axis; this list.
KEPT_NAMES = {"settle_seconds", "ticks", "TICKS"}
KEPT_FILES = {"tests/unit/test_words.py", "docs/glossary.md"}
TEXTS = {".py", ".sql", ".yml", ".md", ".j2", ".toml", ".html", ".js"}


def files() -> list[Path]:
    """Every text of the project that git knows."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT_DIR, capture_output=True, text=True, check=True).stdout
    return [
        PROJECT_DIR / name
        for name in listed.splitlines()
        if Path(name).suffix in TEXTS and name not in KEPT_FILES and not name.startswith("tests/fixtures/")
    ]


def names_left(source: str) -> list[str]:
    """Names of a Python source that hold a word of the lists, with the word in its place."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.NAME or token.string in KEPT_NAMES:
            continue
        parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", token.string).lower().split("_")
        words = [NAMES[part] for part in parts if part in NAMES]
        words += [WHOLE_NAMES[token.string]] if token.string in WHOLE_NAMES else []
        found += [f"line {token.start[0]}: {token.string}: {word}" for word in words]
    return found


def phrases_left(text: str) -> list[str]:
    """Phrases of the list that a text holds, with what to write."""
    return [
        f"line {number}: {match[0]}: {word}"
        for number, line in enumerate(text.splitlines(), start=1)
        for phrase, word in PHRASES.items()
        for match in re.finditer(phrase, line, flags=re.I)
    ]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(PROJECT_DIR).as_posix())
def test_no_word_that_was_left_behind(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert phrases_left(text) == []
    if path.suffix == ".py":
        assert names_left(text) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def land(say):\n    say('x')\n", ["line 1: say: log", "line 2: say: log"]),
        ("class Patient: ...\n", ["line 1: Patient: context"]),
        ("are_voices = 1\n", ["line 1: are_voices: social"]),
        ("plan.cap\n", ["line 1: cap: build_through"]),
        ("capital, essay, ticks, settle_seconds = 'say', 1, 2, 3\n", []),
    ],
)
def test_a_name_is_found(source: str, found: list[str]) -> None:
    """Negative test."""
    assert names_left(source) == found


@pytest.mark.parametrize("phrase", ["a file is set aside", "It Was Taken Back", "rests on it", "the twin: x"])
def test_a_phrase_is_found(phrase: str) -> None:
    """Negative test."""
    assert len(phrases_left(phrase)) == 1
    assert phrases_left("a file is quarantined") == []
