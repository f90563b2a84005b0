"""An Airflow of these tests' own, and the DAGs as it reads them."""

import os
import tempfile
from typing import Any

import pytest

from ingestion.config import PROJECT_DIR

DAGS = PROJECT_DIR / "dags"


@pytest.fixture(scope="session", autouse=True)
def airflow_home() -> None:
    """An Airflow of its own, before anything of Airflow is imported."""
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(DAGS)
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"


@pytest.fixture(scope="session")
def bag(airflow_home: None) -> Any:
    from airflow.dag_processing.dagbag import BundleDagBag

    return BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
