"""Settings and paths: the only reader of the environment. `.env.example` explains every key."""

import json
import os
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _project() -> Path:
    """The folder that holds `dags/`, `dbt_project/`, `sample/`: the checkout, or their copy in an installed wheel."""
    home = Path(__file__).resolve().parent.parent
    return home if (home / "dbt_project").is_dir() else home / "groundswell_project"


PROJECT_DIR = _project()
# Read from the folder that a command is called in, as every relative path is.
ENV_FILE = Path(".env")

# No extension is ever fetched at run time: what a landed file asks for must already be in the wheel.
DUCKDB_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}

# What a process takes beside its database: 0.45 GiB of Python, dbt and Great Expectations, measured 2026-11-28.
PROCESS_GIB = 0.5


# SQLite opens no path of more than 512 bytes; what is in the folder takes up to 60 of them.
MAX_FOLDER_BYTES = 450

# The engine on this machine.
DUCKDB = "duckdb"
# Host and port of a Spark master; of one alone, since a standby is the business of whoever runs it.
SPARK_MASTER = re.compile(r"spark://(?P<host>[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")

# Where a value is from that nobody has set.
PACKAGE = "package"


class Settings(BaseSettings):
    """Every key is read as `GROUNDSWELL_<KEY>`, from the environment or `.env`."""

    model_config = SettingsConfigDict(env_prefix="GROUNDSWELL_", env_file=ENV_FILE, extra="ignore", frozen=True)

    data: Path = Field(
        default=Path("data"), description="Folder of all data; a relative one is of the working directory."
    )
    config: Path | None = Field(
        default=None, description="Folder of what you set yourself; empty: `config` of the working directory, if there."
    )
    required_feeds: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="What must come: `feed`, `feed:platform`, `feed:2d`, comma-separated.",
    )
    manifest_feeds: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Feeds whose files wait until a manifest names them, comma-separated."
    )
    default_scheme: str = Field(default="standard", description="Tier scheme of `fct_account_daily.tier`.")
    base_currency: str = Field(
        default="USD",
        pattern="^[A-Z]{3}$",
        description="Currency of every `_base` amount (ISO 4217); it needs no rate.",
    )
    left_out_posts: Annotated[tuple[Literal["pinned", "collab"], ...], NoDecode] = Field(
        default=("pinned", "collab"),
        description="Posts that engagement rates leave out: `pinned`, `collab`, both comma-separated, or none.",
    )
    max_unpacked_bytes: int = Field(
        default=4 * 1024**3, gt=0, description="A landed file larger than this, unpacked, is refused."
    )
    settle_seconds: float = Field(
        default=1.0, ge=0, description="Pause between the two looks at a file that changed within a minute."
    )
    memory_gib: float = Field(
        default=6.0,
        gt=0,
        description="Memory that a run takes at most, in GiB; past it, its database spills to disk.",
    )
    hash_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Key of columns that a mapping hashes, as customers' e-mails; a long random text, kept for good.",
    )
    keep_releases: int = Field(default=7, ge=1, description="Releases kept for readers and for rollback.")
    postgres_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL database that each release is loaded into, as postgresql://user:password@host/database.",
    )
    postgres_read_role: str = Field(
        default="groundswell_reader",
        pattern="^[a-z_][a-z0-9_]{0,62}$",
        description="Role that may read the marts in PostgreSQL; made where it is missing.",
    )
    engine: str = Field(
        default=DUCKDB, description="What builds the marts: `duckdb`, or a Spark master's URL, spark://host:port."
    )
    spark_home: Path | None = Field(
        default=None,
        description="Folder of an installed Spark 4; empty: `.venv-spark` of the working directory, made once.",
    )
    spark_host: str = Field(
        default="127.0.0.1", pattern=r"^[A-Za-z0-9._-]+$", description="Host of Spark's Thrift server."
    )
    spark_port: int = Field(default=10000, ge=1, le=65535, description="Port of Spark's Thrift server.")
    lease_ttl_seconds: float = Field(
        default=120.0, gt=0, description="A writer's lease without a heartbeat for so long is taken over."
    )
    lease_wait_seconds: float = Field(
        default=3600.0, ge=0, description="How long a run waits for another writer before it gives up."
    )

    @field_validator("required_feeds", "manifest_feeds", "left_out_posts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("hash_key", "postgres_url", mode="before")
    @classmethod
    def _none_where_empty(cls, value: object) -> object:
        return value or None

    @field_validator("engine")
    @classmethod
    def _known_engine(cls, value: str) -> str:
        found = SPARK_MASTER.fullmatch(value)
        if value != DUCKDB and not (found and 1 <= int(found["port"]) <= 65535):
            raise ValueError(
                f"GROUNDSWELL_ENGINE={value} is no engine; write duckdb, or the URL of a Spark master:"
                " spark://127.0.0.1:7077, as groundswell spark start prints it"
            )
        return value

    @field_validator("data")
    @classmethod
    def _plain_folder(cls, value: Path) -> Path:
        folder = Path.cwd() / value.expanduser()
        # DuckDB expands the first of these in a path, so a file would silently be read as another; dbt takes what comes
        # after a # for no part of it, and Airflow fills in what stands between braces.
        if set("[]*?'#{}") & set(str(folder)) or not str(folder).isprintable():
            shown = str(folder).encode("unicode_escape", "backslashreplace").decode()
            kinds = "[ ] * ? ' # { }, line ends and other controls"
            raise ValueError(f"GROUNDSWELL_DATA={shown}: choose a folder without {kinds} in its path")
        if (size := len(os.fsencode(folder))) > MAX_FOLDER_BYTES:
            raise ValueError(
                f"GROUNDSWELL_DATA={str(folder)[:60]}...: choose a folder whose path has at most {MAX_FOLDER_BYTES}"
                f" bytes; this one has {size:,}"
            )
        return folder

    @field_validator("config", "spark_home", mode="before")
    @classmethod
    def _from_here(cls, value: object) -> object:
        return Path.cwd() / Path(value).expanduser() if value and isinstance(value, str | Path) else None

    @property
    def usable_memory_gib(self) -> float:
        """The memory that a build may take: never more than four fifths of the machine's."""
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
        return min(self.memory_gib, 0.8 * machine)

    @property
    def memory_limit(self) -> str:
        """What a build's database may take of it as DuckDB writes it: the rest, at most half, is the process's own."""
        return f"{self.usable_memory_gib - min(PROCESS_GIB, self.usable_memory_gib / 2):.2f}GiB"

    @property
    def duckdb_config(self) -> dict[str, str | bool | int | float | list[str]]:
        """Of a connection that may read or hash much: the same limit as a build's, and where it spills to disk."""
        spill = self.data / "build" / "spill"
        return {**DUCKDB_CONFIG, "memory_limit": self.memory_limit, "temp_directory": str(spill)}

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def raw(self) -> Path:
        return self.data / "raw"

    @property
    def quarantine(self) -> Path:
        return self.data / "quarantine"

    @property
    def ledger(self) -> Path:
        return self.data / "state" / "ledger.sqlite"

    @property
    def inbox(self) -> Path:
        return self.data / "build" / "inbox"

    @property
    def build_db(self) -> Path:
        """Private database: staging, intermediate, meta."""
        return self.data / "build" / "build.duckdb"

    @property
    def marts_db(self) -> Path:
        """Private database that holds schema `marts` alone: a release is a copy of this file."""
        return self.data / "build" / "groundswell.duckdb"

    @property
    def published(self) -> Path:
        return self.data / "published"

    @property
    def reports(self) -> Path:
        return self.data / "reports"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()


def utc_now() -> datetime:
    """The present instant, UTC, without its zone: every stored time is UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class Login(NamedTuple):
    """What a connection holds: a login, a key, and a second secret where a platform has one."""

    login: str
    key: str
    secret: str | None = None


def login_of_environment(connection: str) -> Login | None:
    """An Airflow connection, of `AIRFLOW_CONN_<ID>` in the environment; null where it holds none with a password.

    It is a URI, `http://login:the-key@`, or JSON with keys `login`, `password` and `extra`, as Airflow reads them.
    """
    text = os.environ.get(f"AIRFLOW_CONN_{connection.upper()}", "").strip()
    if not text.startswith("{"):
        parts = urlsplit(text)
        return Login(unquote(parts.username or ""), unquote(parts.password)) if parts.password else None
    try:
        held = json.loads(text)
    except ValueError:
        return None
    key = held.get("password")
    return Login(str(held.get("login") or ""), str(key), secret_of(held.get("extra"))) if key else None


def secret_of(extra: object) -> str | None:
    """The second secret of a connection: `app_secret` of its extra, which is JSON or its text."""
    try:
        held = json.loads(extra) if isinstance(extra, str) else extra
    except ValueError:
        return None
    found = held.get("app_secret") if isinstance(held, dict) else None
    return str(found) if found else None


# Read by dbt's profile (a build sets both itself) and by tests.
_READ_ELSEWHERE = {"GROUNDSWELL_BUILD_DB", "GROUNDSWELL_MARTS_DB", "GROUNDSWELL_SHARED_DATA"}


def unread_keys(env_file: Path = ENV_FILE) -> dict[str, str]:
    """Keys that nobody reads, with the place where they stand: any of `.env`, and `GROUNDSWELL_*` elsewhere."""
    known = {f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields} | _READ_ELSEWHERE
    found = {key: "the environment" for key in os.environ if key.upper().startswith("GROUNDSWELL_")}
    if env_file.exists():
        text = env_file.read_text(encoding="utf-8", errors="replace")
        found |= dict.fromkeys(re.findall(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", text, flags=re.M), env_file.name)
    return {key: place for key, place in sorted(found.items()) if key.upper() not in known}


def origin_of(name: str, env_file: Path = ENV_FILE) -> str:
    """What a setting is read from: the environment wins over `.env`, and both over the package."""
    key = f"GROUNDSWELL_{name.upper()}"
    if key in {variable.upper() for variable in os.environ}:
        return "environment"
    text = env_file.read_text(encoding="utf-8", errors="replace") if env_file.exists() else ""
    is_in_file = re.search(rf"^\s*(?:export\s+)?{key}\s*=", text, flags=re.M | re.I)
    return str(env_file) if is_in_file else PACKAGE
