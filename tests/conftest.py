"""What all tests share: settings of a warehouse of one's own, worlds that are made once, and `--slowest-files`."""

import fcntl
import gc
import hashlib
import os
import pickle
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dbt.constants import PARTIAL_PARSE_FILE_NAME
from dbt.contracts.files import FileHash
from dbt.contracts.graph.manifest import ManifestStateCheck
from dbt.parser.manifest import ManifestLoader
from dbt_common.clients.jinja import MacroFuzzEnvironment

from ingestion.config import Settings
from ingestion.mapping.grammar import MAPPINGS_DIR
from warehouse.build.dbt import DBT_PROJECT

if TYPE_CHECKING:
    from .postgres import Database


def _config_of_tests() -> str:
    """A `config/` that switches the library on and holds nothing else: no test reads that of whoever runs it."""
    folder = tempfile.mkdtemp(prefix="groundswell-config-")
    mappings = Path(folder) / "mappings"
    mappings.mkdir()
    for path in MAPPINGS_DIR.glob("*.yml"):
        (mappings / path.name).write_text(f"use: {path.stem}\n")
    return folder


def _compile_templates_once() -> None:
    """Have a process compile each template of dbt's project once for all its nights: 4 s of a whole one."""
    compiled: dict[tuple[type, str], Any] = {}
    really_compile = MacroFuzzEnvironment.compile

    def compile_once(environment: MacroFuzzEnvironment, source: str, *others: Any, **named: Any) -> Any:
        if others or named:
            return really_compile(environment, source, *others, **named)
        key = type(environment), source
        if key not in compiled:
            compiled[key] = really_compile(environment, source)
        return compiled[key]

    MacroFuzzEnvironment.compile = compile_once  # type: ignore[method-assign]


def _read_the_project_once() -> None:
    """Have dbt go on from one reading of its project, whatever the folder of data: most of the seconds of a first one.

    dbt reads everything again where the connection is another, which is a path; nothing that it reads depends on it.
    """
    # Processes of one session take it from the first of them.
    kept = Path(os.environ.setdefault("READING_OF_DBT", tempfile.mkdtemp(prefix="groundswell-dbt-"))) / "read"
    check, read, write = (
        ManifestLoader.build_manifest_state_check,
        ManifestLoader.read_manifest_for_partial_parse,
        ManifestLoader.write_manifest_for_partial_parse,
    )

    def own_of(loader: ManifestLoader) -> Path:
        return Path(loader.root_project.project_target_path) / PARTIAL_PARSE_FILE_NAME

    def check_all_but_the_connection(loader: ManifestLoader) -> ManifestStateCheck:
        state = check(loader)
        state.profile_hash = FileHash.from_contents("any")
        return state

    def read_what_is_kept(loader: ManifestLoader) -> Any:
        own = own_of(loader)
        if kept.exists() and not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(kept, own)
        return read(loader)

    def write_and_keep(loader: ManifestLoader) -> None:
        write(loader)
        if not kept.exists() and Path(loader.root_project.project_root) == DBT_PROJECT:
            partial = kept.with_suffix(f".{os.getpid()}")
            shutil.copy2(own_of(loader), partial)
            partial.replace(kept)

    ManifestLoader.build_manifest_state_check = check_all_but_the_connection  # type: ignore[method-assign]
    ManifestLoader.read_manifest_for_partial_parse = read_what_is_kept  # type: ignore[method-assign]
    ManifestLoader.write_manifest_for_partial_parse = write_and_keep  # type: ignore[method-assign]


# Where DuckDB takes its number of threads from: a second one costs small worlds more than it does, and the other core has
# a process of tests of its own. The nights of the real DAG, and what is measured, have those of the machine.
os.environ.setdefault("SLURM_CPUS_ON_NODE", "1")
os.environ["GROUNDSWELL_CONFIG"] = _config_of_tests()
_compile_templates_once()
_read_the_project_once()
# dbt's project is a million objects that stay; looking through them for garbage so often takes 5 % of a night.
gc.set_threshold(50_000, 20, 20)

CANONICAL_HEADER = (
    "platform,account_id,captured_at,followers,following,posts,likes_total,views_total,"
    "handle,display_name,country,language,niche"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty warehouse in a folder of its own; nothing is read from the environment or `.env`."""
    return Settings(_env_file=None, data=tmp_path / "data", settle_seconds=0.0, lease_wait_seconds=5.0)  # type: ignore[call-arg]


def digits(value: float) -> float:
    """A double as marts say it: nine significant digits, half away from 0, whole numbers whole.

    A half is one from a ten-thousandth of the ninth digit under it on.
    """
    exact = Decimal(value)
    places = 0 if abs(exact) >= 10**9 else 8 - exact.adjusted()
    units = exact.scaleb(places)
    return float((units + Decimal("0.0001").copy_sign(units)).to_integral_value(ROUND_HALF_UP).scaleb(-places))


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Any]) -> Any:
    """What all processes of a session share: the first that asks makes it, others wait for it. Nobody changes it.

    Args:
        make: makes it in an empty folder; what it returns is pickled beside.
    """
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    kept = shared / f"{name}.pickle"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            made = make(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=shared)))
            kept.write_bytes(pickle.dumps(made))
    return pickle.loads(kept.read_bytes())


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are hashed whole, in order."""
    names: list[str] = []
    really_digest = hashlib.file_digest

    def digest(source: Any, kind: Any) -> Any:
        names.append(source.name)
        return really_digest(source, kind)

    monkeypatch.setattr(hashlib, "file_digest", digest)
    return names


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slowest-files", type=int, default=0, metavar="N", help="print the N test files that took the most seconds"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds by file, setup and teardown included; a shared fixture counts for the file that asks for it first."""
    asked: int = terminalreporter.config.getoption("--slowest-files")
    if not asked:
        return
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.split("::")[0]] += report.duration
    terminalreporter.section("slowest files")
    for file, taken in seconds.most_common(asked):
        terminalreporter.line(f"{taken:>8.1f} s  {file}")


@pytest.fixture(scope="session")
def postgres_socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A running PostgreSQL of the tests' own, by the folder of its socket."""
    from .postgres import start_server

    return start_server(tmp_path_factory)


@pytest.fixture
def postgres(postgres_socket: Path) -> "Iterator[Database]":
    """An empty database."""
    from .postgres import database

    with database(postgres_socket) as made:
        yield made
