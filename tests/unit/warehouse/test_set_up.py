"""What the first night of a folder makes before it begins."""

import io
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse.build import manifest
from warehouse.cli import airflow_run

Ending = Callable[..., list[str]]


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Let every process whose command holds a word end with 1, the others with 0; the list is of their modules."""

    def make(word: str = "") -> list[str]:
        started: list[str] = []

        def start(command: list[str]) -> SimpleNamespace:
            started.append(command[2])
            return SimpleNamespace(wait=lambda: int(word in command if word else 0))

        monkeypatch.setattr(airflow_run.subprocess, "Popen", start)
        return started

    return make


def test_both_are_made_once(settings: Settings, ending: Ending) -> None:
    started, terminal = ending(), io.StringIO()
    airflow_run._set_up(settings, terminal)
    assert started == ["airflow", "dbt.cli.main"]
    assert terminal.getvalue() == "set up Airflow's own database and dbt's reading of its project, once: 0 s\n"
    for file in (settings.data / "airflow" / "airflow.db", manifest.last_reading(settings)):
        file.parent.mkdir(parents=True)
        file.touch()
    airflow_run._set_up(settings, terminal)
    assert len(started) == 2


def test_a_database_that_cannot_be_made_is_told(settings: Settings, ending: Ending) -> None:
    ending("airflow")
    with pytest.raises(ContractError, match="Airflow's own database could not be made; the log says why"):
        airflow_run._set_up(settings, io.StringIO())


def test_a_project_that_cannot_be_read_is_left_to_the_night(settings: Settings, ending: Ending) -> None:
    ending("dbt.cli.main")
    airflow_run._set_up(settings, io.StringIO())
