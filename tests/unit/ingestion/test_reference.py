"""The schema for editors and the page for people are what the model says."""

import json
from pathlib import Path

import jsonschema
import pytest

from ingestion.contracts import load_feeds
from ingestion.mapping import grammar, reference


def test_schema_and_page_are_fresh() -> None:
    remedy = "run `make reference`"
    assert reference.SCHEMA.read_text(encoding="utf-8") == reference.schema(), remedy
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), remedy


def test_every_key_of_a_mapping_is_explained() -> None:
    for _, _, model in reference.TABLES:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize("trait", reference.WORKED)
def test_each_worked_line_is_a_mapping(tmp_path: Path, trait: str) -> None:
    words, line = reference.WORKED[trait]
    assert words
    column = line if line.split(":")[0] in load_feeds()["account_snapshots"].columns else ""
    refund = line if line.startswith("refund_id") else ""
    columns = {"platform": "{constant: x}", "account_id": "{from: id}", "captured_at": "{constant: 2026-01-05T00:00}"}
    if refund:
        columns = dict.fromkeys(("order_id", "refunded_at", "amount", "currency"), "{from: x}")
    shown = [f"  {name}: {source}" for name, source in columns.items() if not column.startswith(f"{name}:")]
    text = ["mapping: m", f"feed: {'refunds' if refund else 'account_snapshots'}", 'pattern: "x*"']
    text += [
        *([] if column or refund else [line]),
        "columns:",
        *shown,
        *(f"  {line}" for line in (column, refund) if line),
    ]
    (tmp_path / "m.yml").write_text("\n".join([*text, ""]), encoding="utf-8")
    assert grammar.load_mapping(tmp_path / "m.yml").mapping == "m"


@pytest.mark.parametrize("broken", [{"mapping": "m"}, {"mapping": "m", "pattern": "x", "folder": "y"}])
def test_the_schema_refuses_what_the_model_refuses(broken: dict[str, str]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json.loads(reference.schema()))
