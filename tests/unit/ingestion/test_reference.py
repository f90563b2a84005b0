"""The schema for editors and the page for people are what the model says."""

import json

import jsonschema
import pytest

from ingestion.mapping import reference


def test_schema_and_page_are_fresh() -> None:
    remedy = "run `make reference`"
    assert reference.SCHEMA.read_text(encoding="utf-8") == reference.schema(), remedy
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), remedy


def test_every_key_of_a_mapping_is_explained() -> None:
    for _, _, model in reference.TABLES:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.mark.parametrize("broken", [{"mapping": "m"}, {"mapping": "m", "pattern": "x", "folder": "y"}])
def test_the_schema_refuses_what_the_model_refuses(broken: dict[str, str]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json.loads(reference.schema()))
