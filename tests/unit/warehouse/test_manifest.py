"""dbt reads the project, and needs no warehouse for it: a mistake in SQL, YAML or a macro shows here first."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse.build import dbt, manifest


def marts_of(settings: Settings) -> dict[str, Any]:
    with dbt.dbt_environment(settings):
        parsed = manifest.parse(settings)
    return {n.name: n for n in parsed.nodes.values() if n.resource_type == "model" and n.fqn[1] == "marts"}


def without_contract(marts: dict[str, Any]) -> set[str]:
    return {name for name, node in marts.items() if not node.contract.enforced}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project that `parse` reads, free to break."""
    copy = shutil.copytree(dbt.DBT_PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt, "DBT_PROJECT", copy)
    return copy


def test_every_mart_has_a_contract(settings: Settings) -> None:
    marts = marts_of(settings)
    assert "fct_account_daily" in marts
    assert without_contract(marts) == set()


def test_a_mart_without_a_contract_is_found(settings: Settings, project: Path) -> None:
    [mart] = project.rglob("dim_date.sql")
    mart.write_text("{{ config(contract={'enforced': false}) }}\n" + mart.read_text())
    assert without_contract(marts_of(settings)) == {"dim_date"}


def test_a_model_that_dbt_cannot_read_is_told(settings: Settings, project: Path) -> None:
    [mart] = project.rglob("dim_date.sql")
    mart.write_text(mart.read_text() + "select * from {{ ref('no_such_model') }}")
    with pytest.raises(ContractError, match=r"(?s)dbt cannot read its project: .*no_such_model"):
        marts_of(settings)
