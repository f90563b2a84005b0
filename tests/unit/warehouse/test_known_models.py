"""What the planner knows of models from the last run holds while nothing that it was read from has changed."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.user_config import load as user_config
from warehouse import plan
from warehouse.build import known_models
from warehouse.parts import PartColumn

INPUTS = {"accounts": "a"}
MODELS = [
    plan.Model(
        "fct_x", "f", windowed=True, feeds=frozenset({"orders", "costs"}), code="c", reach={"orders": 3},
        ancestors=frozenset({"int_x"}), part=PartColumn("snapshot_date", "month"), days_in_one_pass=7, row_weight=2.5,
        reads_back=4, absorbs=True,
    ),
    plan.Model("stg_x", "g", windowed=False),
]  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project, for which what is read of this one stands."""
    for name, content in {"models/a.sql": "select 1", "models/target/made.sql": "x", "code.py": "y = 1"}.items():
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).write_text(content, encoding="utf-8")
    monkeypatch.setattr(known_models, "READ", (tmp_path / "project",))
    return tmp_path / "project"


def known(settings: Settings, inputs: dict[str, str] = INPUTS) -> list[plan.Model] | None:
    return known_models.load(settings, user_config.load(settings), inputs, known_models.digest_of_code())


@pytest.fixture
def kept(settings: Settings, project: Path) -> Settings:
    known_models.keep(settings, user_config.load(settings), INPUTS, known_models.digest_of_code(), MODELS)
    return settings


def test_models_come_back_as_they_were(kept: Settings) -> None:
    assert known(kept) == MODELS


@pytest.mark.parametrize("name", ["models/a.sql", "code.py", "models/new.yml"])
def test_a_changed_or_new_file_is_read_anew(kept: Settings, project: Path, name: str) -> None:
    (project / name).write_text("select 2", encoding="utf-8")
    assert known(kept) is None


def test_a_file_that_is_gone_or_moved_is_read_anew(kept: Settings, project: Path) -> None:
    shutil.move(project / "models" / "a.sql", project / "models" / "b.sql")
    assert known(kept) is None


def test_what_was_made_from_the_project_changes_nothing(kept: Settings, project: Path) -> None:
    (project / "models" / "target" / "made.sql").write_text("z", encoding="utf-8")
    assert known(kept) == MODELS


@pytest.mark.parametrize("change", [{"engine": "spark://127.0.0.1:7077"}, {"base_currency": "JPY"}])
def test_settings_that_models_go_by(kept: Settings, change: dict[str, str]) -> None:
    assert known(kept.model_copy(update=change)) is None


def test_another_delivery_of_an_undated_feed(kept: Settings) -> None:
    assert known(kept, {"accounts": "b"}) is None


def test_another_configuration(kept: Settings) -> None:
    config = replace(user_config.load(kept), default_scheme="another")
    assert known_models.load(kept, config, INPUTS, known_models.digest_of_code()) is None


@pytest.mark.parametrize("content", [b"", b"{", b'{"key": "x", "models": [{"name": 1}]}'])
def test_a_file_cut_short_is_as_good_as_none(kept: Settings, content: bytes) -> None:
    file = kept.data / "build" / "dbt" / "models.json"
    assert file.exists()
    file.write_bytes(content)
    assert known(kept) is None
