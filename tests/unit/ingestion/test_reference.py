"""The schema for editors and the page for people are what the model says."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from ingestion import landing
from ingestion.contracts import load_feeds
from ingestion.mapping import grammar, reference, worked
from tests.mappings import only

from ..conftest import Yard


def test_schema_and_page_are_fresh() -> None:
    remedy = "run `make reference`"
    assert reference.SCHEMA.read_text(encoding="utf-8") == reference.schema(), remedy
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), remedy


def test_every_key_of_a_mapping_is_explained() -> None:
    for _, _, model in reference.TABLES:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize("trait", reference.TABLE_LINES)
def test_each_worked_line_of_tables_is_a_mapping(tmp_path: Path, trait: str) -> None:
    words, line = reference.TABLE_LINES[trait]
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


REST = {
    "account_snapshots": {"platform": "youtube", "account_id": "a", "captured_at": "2026-01-05"},
    "post_snapshots": {"platform": "youtube", "post_id": "p", "account_id": "a", "captured_at": "2026-01-05"},
    "costs": {"cost_id": "c", "cost_date": "2026-01-05", "cost_type": "fee", "currency": "USD", "amount": "1"},
    "campaigns": {"campaign_id": "c", "brand": "acme", "start_date": "2026-01-05", "end_date": "2026-12-31"},
}


@pytest.mark.parametrize("line", worked.LINES, ids=lambda line: f"{line.column} {line.says} {line.file} {line.cells}")
def test_a_worked_line_is_what_landing_makes_of_it(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: worked.Line
) -> None:
    columns = {name: f"{{constant: {value}}}" for name, value in REST[line.feed].items()}
    listed = "".join(f"  {name}: {says}\n" for name, says in (columns | {line.column: worked.source(line)}).items())
    text = f"mapping: m\nfeed: {line.feed}\npattern: 'x*'\n{line.file}\ncolumns:\n{listed}"
    (tmp_path / "m.yml").write_text(text, encoding="utf-8")
    mapping = grammar.load_mapping(tmp_path / "m.yml")
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    path = f"{line.feed}/x.csv"
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    # A second column, so that a row of one empty cell is no blank line.
    writer.writerows([[*line.cells, "more"], [*line.cells.values(), "1"]])
    yard.drop(path, out.getvalue())
    yard.land()
    found = yard.rows(path, f"cast({line.column} as varchar)")
    assert found == ([] if "quarantined" in line.why else [(line.becomes or None,)])
    if line.why in ("hidden", "unsupported"):
        assert yard.rows(path, f"{line.column}_null_reason") == [(line.why,)]
