"""Environment of a private Airflow under the data folder: SQLite, no examples, loopback only."""

import os
import secrets
from pathlib import Path

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings
from ingestion.user_config.load import folder_of

HOST = "127.0.0.1"


def airflow_environment(settings: Settings, port: int = 8080) -> dict[str, str]:
    """Variables for every Airflow process of this data folder; those that are set already win."""
    home = settings.data / "airflow"
    home.mkdir(parents=True, exist_ok=True)
    # Airflow writes the password of its admin into a file and a log that all may read.
    ledger.keep_to_owner(home)
    address = f"http://{HOST}:{port}"
    wanted = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT_DIR / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(home / "jwt_secret"),
        "AIRFLOW__API__SECRET_KEY": _secret(home / "secret_key"),
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(PROJECT_DIR / "dags"),
        "PYTHONWARNINGS": "ignore",
        "GROUNDSWELL_DATA": str(settings.data),
    }
    if config := folder_of(settings):
        wanted["GROUNDSWELL_CONFIG"] = str(config)
    return {**wanted, **{key: os.environ[key] for key in wanted if key in os.environ and key.startswith("AIRFLOW__")}}


def _secret(file: Path) -> str:
    """A secret of this data folder, made once, readable by its owner alone."""
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as target:
            target.write(secrets.token_urlsafe(64))
    return file.read_text(encoding="utf-8")
