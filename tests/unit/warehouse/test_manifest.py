"""dbt reads the project, and needs no warehouse for it: a mistake in SQL, YAML or a macro shows here first."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ingestion import raw
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.user_config import load as user_config
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


def test_a_project_that_cannot_be_read_on_from_the_last_time_is_read_from_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade dbt may stumble over what it has kept: a description in another file is described twice."""
    from dbt.cli import main

    calls = 0
    last_reading = dbt.target_path(settings) / manifest.LAST_READING
    last_reading.parent.mkdir(parents=True)
    last_reading.touch()

    class Stumbling(main.dbtRunner):
        def invoke(self, *given: Any, **more: Any) -> main.dbtRunnerResult:
            nonlocal calls
            calls += 1
            if last_reading.exists():
                return main.dbtRunnerResult(success=False, exception=ValueError("described twice"))
            return super().invoke(*given, **more)

    monkeypatch.setattr(main, "dbtRunner", Stumbling)
    assert "fct_account_daily" in marts_of(settings)
    assert calls == 2


def test_a_mart_without_a_contract_is_found(settings: Settings, project: Path) -> None:
    [mart] = project.rglob("dim_date.sql")
    mart.write_text("{{ config(contract={'enforced': false}) }}\n" + mart.read_text())
    assert without_contract(marts_of(settings)) == {"dim_date"}


def test_a_model_that_dbt_cannot_read_is_told(settings: Settings, project: Path) -> None:
    [mart] = project.rglob("dim_date.sql")
    mart.write_text(mart.read_text() + "select * from {{ ref('no_such_model') }}")
    with pytest.raises(ContractError, match=r"(?s)dbt cannot read its project: .*no_such_model"):
        marts_of(settings)


def declare(project: Path, model: str, old: str, new: str) -> None:
    """Edit the YAML of a model."""
    [file] = project.rglob(f"{model}.yml")
    assert old in file.read_text(), f"{file.name} no longer holds {old!r}: adjust the test"
    file.write_text(file.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("{part_column: day}", "fct_promo_code_daily has no column day, its part column; its dates are: activity_date"),
        ("{part_column: promo_code}", "fct_promo_code_daily.promo_code is its part column and must be a date; it is varchar"),
        ("{part_column: activity_date, part_by: week}", "fct_promo_code_daily declares part_by 'week': it can be day or month"),
        ("{part_by: month}", "fct_promo_code_daily declares part_by without part_column"),
    ],
)  # fmt: skip
def test_a_wrong_part_column_is_told(settings: Settings, project: Path, declared: str, told: str) -> None:
    declare(project, "fct_promo_code_daily", "{part_column: activity_date, part_by: month}", declared)
    with pytest.raises(ContractError, match=re.escape(told)):
        marts_of(settings)


def test_a_part_column_that_may_be_null_is_told(settings: Settings, project: Path) -> None:
    declare(project, "fct_promo_code_daily", "columns: [promo_code, activity_date]", "columns: [promo_code]")
    with pytest.raises(ContractError, match=r"_daily\.activity_date is .* must be in its unique key \(promo_code\)"):
        marts_of(settings)


def test_a_windowed_model_needs_a_part_column(settings: Settings, project: Path) -> None:
    """It says nothing, so it is replaced by the usual one, which it does not have."""
    [model] = project.rglob("dim_date.sql")
    model.write_text(model.read_text().replace('materialized="table"', 'materialized="incremental"'))
    with pytest.raises(ContractError, match="dim_date has no column snapshot_date, its part column"):
        marts_of(settings)


def test_a_build_knows_the_macros_that_it_calls_and_no_other(settings: Settings) -> None:
    """dbt makes each that it knows anew for each node."""
    with dbt.dbt_environment(settings):
        project = manifest.parse(settings)
    node = project.nodes["model.groundswell.dim_tier"]
    # As in a branch that dbt does not enter while it reads the project.
    node.raw_code += "{% if is_incremental() %}{{ snapshot_get_time() }}{% endif %}"
    all_of_them = set(project.macros)
    manifest.leave_out(project, [name for name, node in project.nodes.items() if node.name.startswith("fct_advocate")])
    assert set(project.macros) < all_of_them
    assert project.macros.keys() >= {
        "macro.groundswell.made_anew",  # of a way to materialize
        "macro.groundswell.get_incremental_replace_window_sql",  # by dbt, from the name of a strategy
        "macro.dbt_duckdb.duckdb__list_relations_without_caching",  # by the adapter
        "macro.groundswell.test_unique_combination_of_columns",  # of a test
        "macro.dbt.default__snapshot_get_time",
    }
    assert not project.macros.keys() & {
        "macro.dbt.default__snapshot_merge_sql",
        "macro.dbt.materialization_snapshot_default",
        "macro.dbt_duckdb.materialization_table_duckdb",
    }


def version_of(settings: Settings) -> str:
    with dbt.dbt_environment(settings):
        parsed = manifest.parse(settings)
        return manifest.code_version(parsed, manifest.models_of(parsed, settings, user_config.load(settings)))


def test_a_new_column_of_raw_changes_the_models_made_from_its_feed_alone(
    settings: Settings, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may take all columns, and a table that is replaced by part keeps those that it has."""

    def fingerprints() -> dict[str, str]:
        with dbt.dbt_environment(settings):
            models = manifest.models_of(manifest.parse(settings), settings, user_config.load(settings))
        return {model.name: model.fingerprint for model in models}

    really, before = raw.columns_of, fingerprints()
    monkeypatch.setattr(
        raw, "columns_of", lambda feed: really(feed) | ({"mood": "varchar"} if feed.feed == "mentions" else {})
    )
    changed = {name for name, found in fingerprints().items() if found != before[name]}
    assert {"stg_landing__mentions", "fct_share_of_voice_daily"} <= changed
    assert not {"fct_account_daily", "fct_post_daily", "fct_commission_ledger"} & changed


def test_the_version_of_the_code_changes_with_a_data_test_alone(settings: Settings, project: Path) -> None:
    """A run leaves tests alone only under the code of the run before."""
    before = version_of(settings)
    assert version_of(settings) == before
    declare(project, "dim_account", "first_seen_date <= last_seen_date or", "first_seen_date < last_seen_date or")
    after = version_of(settings)
    assert after != before
    [macros] = project.glob("macros/tests.sql")
    macros.write_text(macros.read_text().replace("count(*) > 1", "count(*) > 2", 1))
    assert version_of(settings) != after
