"""Files of the package are read by a faster parser, and come out as they would by the other one."""

from pathlib import Path

import pytest

from ingestion.contracts import FEEDS_DIR, Feed
from ingestion.errors import ContractError
from ingestion.mapping.grammar import MAPPINGS_DIR, Mapping
from ingestion.yaml_file import load_model, parsed

OURS = [(Mapping, path) for path in sorted(MAPPINGS_DIR.glob("*.yml"))]
OURS += [(Feed, path) for path in sorted(FEEDS_DIR.glob("*.yml"))]


@pytest.mark.parametrize(("model", "path"), OURS, ids=[path.stem for _, path in OURS])
def test_both_parsers_read_the_same(model, path):
    text = path.read_text(encoding="utf-8")
    assert parsed(model, text, is_ours=True) == parsed(model, text)


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_scalar_is_text_where_a_field_takes_it_as_it_is_written(is_ours):
    text = "columns:\n  platform: {constant: 0}\n  handle: {constant: No}\n"
    columns = parsed(Mapping, text, is_ours)["columns"]
    assert columns == {"platform": {"constant": "0"}, "handle": {"constant": "No"}}


def test_a_file_of_the_users_goes_to_the_parser_that_ends_nothing(tmp_path: Path):
    path = tmp_path / "deep.yml"
    path.write_text("[" * 5_000)
    with pytest.raises(ContractError, match="too many levels"):
        load_model(Mapping, path)
