"""The data dictionary, the overview and the exposures say what the YAML and the readers' code say."""

import re
from pathlib import Path

import pytest
import yaml

from serving.report import account, accounts
from serving.report.sections import SECTIONS
from warehouse import data_dictionary
from warehouse.build.dbt import DBT_PROJECT

README = DBT_PROJECT.parent / "README.md"
MARTS = {node["name"]: node for _, node in data_dictionary.nodes("models", DBT_PROJECT / "models" / "marts")}


def exposures() -> dict[str, set[str]]:
    text = (DBT_PROJECT / "models" / "marts" / "exposures.yml").read_text(encoding="utf-8")
    return {
        exposure["name"]: {name for ref in exposure["depends_on"] for name in re.findall(r"ref\('(\w+)'\)", ref)}
        for exposure in yaml.safe_load(text)["exposures"]
    }


def test_the_committed_dictionary_is_what_the_yaml_says() -> None:
    assert data_dictionary.TARGET.read_text(encoding="utf-8") == data_dictionary.render(), "run `make dictionary`"


def test_every_mart_column_and_seed_is_in_it() -> None:
    text = data_dictionary.render()
    assert len(MARTS) >= 13
    for name, mart in MARTS.items():
        _, _, section = text.partition(f"\n### {name}\n")
        section = section.partition("\n### ")[0]
        for column in mart["columns"]:
            assert f"| `{column['name']}` | {column['data_type']} |" in section, f"{name}.{column['name']}"
    for _, seed in data_dictionary.nodes("seeds", DBT_PROJECT / "seeds"):
        assert f"| `{seed['name']}` |" in text
    assert "doc(" not in text


def test_a_changed_description_makes_another_dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = data_dictionary.render()
    read = data_dictionary.nodes

    def changed(kind: str, folder: Path):
        for path, node in read(kind, folder):
            if node["name"] == "dim_account":
                node = {**node, "columns": [{**node["columns"][0], "description": "Otherwise."}, *node["columns"][1:]]}
            yield path, node

    monkeypatch.setattr(data_dictionary, "nodes", changed)
    assert data_dictionary.render() != before
    monkeypatch.setattr(data_dictionary, "TARGET", tmp_path / "data-data_dictionary.md")
    monkeypatch.setattr(data_dictionary, "PROJECT_DIR", tmp_path)
    data_dictionary.main()
    assert "| `platform` | varchar | Otherwise. |" in data_dictionary.TARGET.read_text(encoding="utf-8")


def test_doc_blocks_are_put_in_their_place() -> None:
    known = {"unit": "Unit: posts."}
    assert (
        data_dictionary.resolve("Posts.\n  {{ doc('unit') }} Never null.", known) == "Posts. Unit: posts. Never null."
    )
    with pytest.raises(KeyError, match="gone"):
        data_dictionary.resolve("{{ doc('gone') }}", known)


def test_a_bar_in_a_text_does_not_end_its_cell() -> None:
    assert "joined by `\\|`" in data_dictionary.render()


def test_the_overview_names_the_key_of_every_mart() -> None:
    overview = data_dictionary.blocks()["__overview__"]
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ((?:`\w+`(?:, )?)+) \|$", overview, re.MULTILINE))
    assert {mart: re.findall(r"`(\w+)`", key) for mart, key in rows.items()} == {
        name: data_dictionary.key_of(mart) for name, mart in MARTS.items()
    }


def test_the_readme_names_the_key_of_every_mart() -> None:
    marts = README.read_text(encoding="utf-8").partition("## Marts")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|$", marts, re.MULTILINE))
    assert {mart: key.split(", ") for mart, key in rows.items()} == {
        name: data_dictionary.key_of(mart) for name, mart in MARTS.items()
    }


def test_the_joins_of_the_overview_are_between_marts() -> None:
    _, _, joins = data_dictionary.blocks()["__overview__"].partition("## What a join multiplies")
    pairs = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", joins, re.MULTILINE)
    assert len(pairs) >= 8
    assert {name for pair in pairs for name in pair} <= set(MARTS)


def test_exposures_name_what_their_readers_read() -> None:
    named = exposures()
    assert named["nightly_report"] >= {mart for section in SECTIONS for mart in section.marts} | {"fct_publication"}
    code = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in (account, accounts))
    assert named["account_page"] == set(re.findall(r"\bmarts\.((?:dim|fct)_\w+)", code)) | {"fct_publication"}
    assert named["bi_readers"] == set(MARTS)
