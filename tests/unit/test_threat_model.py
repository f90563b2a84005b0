"""Every kind of the threat model names a test, or a file, that is there."""

import re

from ingestion.config import PROJECT_DIR

KINDS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (PROJECT_DIR / "docs" / "threat-model.md").read_text(encoding="utf-8").splitlines()
    if re.match(r"\| .* \| .* \| `[\w./-]+(::\w+)?` \|$", line)
]


def test_every_named_test_exists() -> None:
    assert len(KINDS) > 30
    for kind, _, named in KINDS:
        path, _, name = named.strip("`").partition("::")
        text = (PROJECT_DIR / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, kind


def test_no_row_is_without_one() -> None:
    text = (PROJECT_DIR / "docs" / "threat-model.md").read_text(encoding="utf-8")
    tables = text[text.index("## A sender's file") : text.index("## What is not defended")]
    rows = [
        line for line in tables.splitlines() if line.startswith("| ") and line not in ("| kind | ends in | test |",)
    ]
    assert len([row for row in rows if not row.startswith("| ---")]) == len(KINDS)
