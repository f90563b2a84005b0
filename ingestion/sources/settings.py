"""`config/sources.yml`: which platforms are asked, under which key, and within which budget."""

import ipaddress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from pydantic import Field, StringConstraints, field_validator

from ingestion.config import Settings
from ingestion.errors import ConfigError, ContractError, nearest
from ingestion.sources.catalog import SOURCES
from ingestion.user_config.load import folder_of
from ingestion.yaml_file import Strict, line_of, load, validated

FILE = "sources.yml"
# Keys that only the sources read whose `options` name them.
OWN = ("ranges", "columns", "programs", "business_id", "look_back_days", "expected_rows", "arrivals")


ProgramId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]


class Budget(Strict):
    """What a source may take in a UTC day."""

    units: int | None = Field(default=None, ge=0, description="Units of the platform, such as calls.")
    money: Decimal | None = Field(default=None, ge=0, description="In the platform's currency.")


class Entry(Strict):
    """A source that is asked. Everything may be left out."""

    connection: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] | None = Field(
        default=None, description="Id of the Airflow connection that holds the key, also `AIRFLOW_CONN_<ID>`."
    )
    base_url: str | None = Field(default=None, description="Another server that answers as the platform does.")
    latest_posts: int | None = Field(default=None, ge=0, le=500, description="Posts of an account, at most.")
    budget: Budget = Field(default=Budget(), description="What a UTC day may take, in units or money.")
    least_share: float = Field(
        default=0.9, ge=0, le=1, description="Share of what was asked under which people are told."
    )
    retention_days: int | None = Field(default=None, ge=1, description="Days that answers may be kept.")
    keep_derived: bool | None = Field(
        default=None, description="Whether tiers, rates and verdicts that are made of answers may outlast them."
    )
    account: str | None = Field(default=None, description="Your own account's id, where the platform asks through it.")
    ranges: tuple[str, ...] | None = Field(default=None, min_length=1, description="Sheets, as `Spend` or `Spend!A:H`.")
    columns: tuple[str, ...] | None = Field(default=None, min_length=1, description="Columns of them that are taken.")
    programs: tuple[ProgramId, ...] | None = Field(default=None, min_length=1, description="Ids of programmes.")
    business_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,80}$")] | None = Field(
        default=None, description="Id of your own account, whose posts are asked for."
    )
    look_back_days: int | None = Field(default=None, ge=1, le=400, description="Days that each capture reads again.")
    arrivals: bool | None = Field(
        default=None, description="Whether surviving followers are counted by the day on which they came."
    )
    expected_rows: int | None = Field(default=None, ge=0, description="Rows of a capture, for its forecast alone.")

    @property
    def own(self) -> dict[str, Any]:
        """What is said under keys that not every source reads."""
        return {key: getattr(self, key) for key in OWN if getattr(self, key) is not None}

    @field_validator("base_url")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.username or parts.password or parts.query:
            raise ValueError("write no key into an address; name a connection")
        if not parts.hostname or parts.scheme not in ("http", "https"):
            raise ValueError("write an address as https://api.example.org")
        if parts.scheme == "http" and not _is_loopback(parts.hostname):
            raise ValueError("a key would cross the network unencrypted; write https")
        return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def file_of(settings: Settings) -> Path | None:
    """The user's file; null where there is none."""
    folder = folder_of(settings)
    return folder / FILE if folder and (folder / FILE).exists() else None


def load_sources(settings: Settings) -> dict[str, Entry]:
    """The sources that are asked, in the order of the file. Raises ConfigError with file, line and remedy."""
    path = file_of(settings)
    if path is None:
        return {}
    try:
        content = load(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); save it as UTF-8, with rights to read it") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {getattr(error, 'problem', error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path}:1: no source; begin with the name of one, as `bluesky:`")
    for name in content:
        if name not in SOURCES:
            raise ConfigError(f"{path}:{line_of(path, (str(name),))}: no source {name!r}{nearest(str(name), SOURCES)}")
    entries = {}
    for name, given in content.items():
        try:
            entries[name] = validated(Entry, given or {}, path) if not isinstance(given, list | str) else _no_entry()
        except ContractError as error:
            words = str(error).split(": ", 2)[-1]
            key = words.split(":")[0]
            raise ConfigError(f"{path}:{line_of(path, (name, *key.split('.')))}: {name}: {words}") from error
        for key in entries[name].own:
            if key not in SOURCES[name].options:
                raise ConfigError(f"{path}:{line_of(path, (name, key))}: {name}: {key}: this source does not read it")
    return entries


def _no_entry() -> Entry:
    raise ContractError("sources.yml: line 1: write keys below the name of a source, as `latest_posts: 30`, or nothing")
