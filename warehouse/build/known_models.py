"""Every model as the planner knows it, kept from one run to the next: a run that has nothing to do starts no dbt."""

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ingestion.config import Settings
from ingestion.sources.kept import short_platforms
from ingestion.user_config.load import UserConfig
from warehouse import plan
from warehouse.build import dbt
from warehouse.build.meta import model_settings

# Whatever of the project `manifest.models_of` reads or is.
CODE = Path(__file__).resolve().parents[2]
READ = (dbt.DBT_PROJECT, CODE / "ingestion", CODE / "warehouse")
# Folders in them that hold what was made from the rest.
MADE = frozenset({"__pycache__", "target", "logs", "dbt_packages"})


class Known(BaseModel):
    """Models, and of what they were read."""

    key: str
    models: list[plan.Model]


def load(settings: Settings, config: UserConfig, inputs: dict[str, str], code: str) -> list[plan.Model] | None:
    """The models that `keep` was given, null where anything that they were read from is another by now."""
    try:
        known = Known.model_validate_json(_file(settings).read_bytes())
    except (OSError, ValidationError):
        return None
    return known.models if known.key == _key(settings, config, inputs, code) else None


def keep(settings: Settings, config: UserConfig, inputs: dict[str, str], code: str, models: list[plan.Model]) -> None:
    """Keep the models for the next run. A file cut short by a kill is as good as none."""
    file = _file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    known = Known(key=_key(settings, config, inputs, code), models=models)
    file.write_text(known.model_dump_json(), encoding="utf-8")


def _file(settings: Settings) -> Path:
    return dbt.target_path(settings) / "models.json"


def _key(settings: Settings, config: UserConfig, inputs: dict[str, str], code: str) -> str:
    """Digest of all that `manifest.models_of` makes models from."""
    said = [settings.engine, model_settings(settings), short_platforms(settings), config.digests, inputs, code]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def digest_of_code() -> str:
    """Digest of the dbt project, of the code that reads it, and of dbt."""
    digest = hashlib.sha256(json.dumps([version(name) for name in ("dbt-core", "dbt-duckdb")]).encode())
    for file in _files():
        content = file.read_bytes()
        digest.update(f"\0{file}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for folder in READ:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and not MADE.intersection(file.relative_to(folder).parts):
                yield file
