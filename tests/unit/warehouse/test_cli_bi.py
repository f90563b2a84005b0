"""`groundswell bi` before Superset: what is missing or taken is said in words, secrets are the owner's, work is done once."""

import os
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingestion.config import Settings
from ingestion.errors import ContractError, UsageError
from warehouse.cli import bi
from warehouse.cli.airflow_env import HOST


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path)  # type: ignore[call-arg]


def fake_python(folder: Path, version: str) -> str:
    """A program that says it is a Python of a version."""
    program = folder / f"python{version.replace(' ', '.')}"
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return str(program)


def test_nothing_published_names_the_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, groundswell: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.setattr(bi, "get_settings", lambda: settings)
    assert groundswell("bi") == 1
    assert "nothing is published under" in capsys.readouterr().err
    with pytest.raises(ContractError, match="run `make nightly` first"):
        bi.run(8088, None)


def test_a_port_that_is_taken(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bi, "get_settings", lambda: settings)
    settings.published.mkdir()
    (settings.published / "groundswell.duckdb").touch()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ContractError, match=rf"port {port} is taken; choose another: make bi PORT={port + 1}"):
            bi.run(port, None)


def test_the_python_of_superset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bi.find_python(fake_python(tmp_path, "3 12")).endswith("python3.12")
    with pytest.raises(UsageError, match=r"runs on Python 3\.11 or 3\.12, and .* is 3\.13"):
        bi.find_python(fake_python(tmp_path, "3 13"))
    with pytest.raises(UsageError, match="is no Python that can be called"):
        bi.find_python(str(tmp_path / "gone"))
    monkeypatch.setattr(sys, "executable", fake_python(tmp_path, "3 13"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bi.find_python(None) == "python3.12"
    (tmp_path / "python3.12").unlink()
    with pytest.raises(ContractError, match=r"none is found; install one, or name it: make bi BI_PYTHON=<path>"):
        bi.find_python(None)


def test_an_environment_is_made_once_per_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = tmp_path / "calls"
    python = tmp_path / "python"
    # In the place of a Python: makes a copy of itself as `venv` would, and notes each call.
    python.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n[ "$1 $2" = "-m venv" ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"\nexit 0\n'
    )
    python.chmod(0o755)
    lock = tmp_path / "lock.txt"
    lock.write_text("a==1\n")
    monkeypatch.setattr(bi, "LOCK", lock)
    monkeypatch.setattr(bi, "find_python", lambda _: str(python))
    folder = tmp_path / ".venv-bi"
    bi.install(folder, None)
    made = calls.read_text().splitlines()
    assert made[0] == f"-m venv {folder}"
    assert made[1].endswith(f"install -q --no-deps --require-hashes -r {lock}")
    bi.install(folder, None)
    assert len(calls.read_text().splitlines()) == 2
    lock.write_text("a==2\n")
    bi.install(folder, None)
    assert len(calls.read_text().splitlines()) == 4
    assert "installing Superset into .venv-bi" in capsys.readouterr().out


def test_an_installation_that_fails_says_why_and_is_no_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "ERROR: no room on the disk" >&2\nexit 1\n')
    python.chmod(0o755)
    monkeypatch.setattr(bi, "find_python", lambda _: str(python))
    with pytest.raises(ContractError, match=r"could not be installed: ERROR: no room on the disk; mend this"):
        bi.install(tmp_path / ".venv-bi", None)
    assert not (tmp_path / ".venv-bi" / "made-from").exists()


def test_secrets_are_made_once_and_are_the_owners(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("GROUNDSWELL_HASH_KEY", "a secret of the warehouse")
    (settings.data / "state" / "superset").mkdir(parents=True)
    first = bi.environment_of(settings, settings.data / "superset", None)
    for name in ("BI_SECRET_KEY_FILE", "BI_PASSWORD_FILE"):
        file = Path(first[name])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.parent == settings.data / "state" / "superset"
        assert len(file.read_text()) > 20
        assert file.read_text() not in "".join(first.values())
    texts = [Path(first[name]).read_text() for name in ("BI_SECRET_KEY_FILE", "BI_PASSWORD_FILE")]
    again = bi.environment_of(settings, settings.data / "superset", None)
    assert texts == [Path(again[name]).read_text() for name in ("BI_SECRET_KEY_FILE", "BI_PASSWORD_FILE")]
    assert again["PYTHONPATH"] == str(bi.FOLDER)
    assert "GROUNDSWELL_HASH_KEY" not in again
    assert "BI_POSTGRES_URL" not in again


def test_superset_is_prepared_once_per_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, folder = settings.data / "superset", tmp_path / "venv"
    for made in (home, settings.data / "state" / "superset", folder / "bin"):
        made.mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f"#!/bin/sh\necho prepared >> {tmp_path}/calls\ntouch {home}/superset.db\n")
    python.chmod(0o755)
    environment = bi.environment_of(settings, home, None)
    bi.prepare(folder, home, environment)
    bi.prepare(folder, home, environment)
    assert (tmp_path / "calls").read_text() == "prepared\n"
    # Another password, and another kind of database: each is prepared.
    Path(environment["BI_PASSWORD_FILE"]).write_text("of my own")
    bi.prepare(folder, home, environment)
    bi.prepare(folder, home, {**environment, "BI_POSTGRES_URL": "postgresql://db/groundswell"})
    assert (tmp_path / "calls").read_text() == "prepared\n" * 3
    assert "preparing Superset" in capsys.readouterr().out
    python.write_text('#!/bin/sh\necho "database is locked" >&2\nexit 1\n')
    with pytest.raises(ContractError, match="could not be prepared: database is locked; its log: "):
        bi.prepare(folder, home, environment)
    assert not (home / "prepared").exists()


def test_a_server_that_ends_is_no_start() -> None:
    class Ended:
        def poll(self) -> int:
            return 1

    assert bi.wait_until_healthy(f"http://{HOST}:9", Ended()) is False  # type: ignore[arg-type]


def test_postgresql_where_it_is_set(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(bi, "get_settings", lambda: settings)
    assert bi.postgres_url() is None

    held = settings.model_copy(update={"postgres_url": SecretStr("postgresql://ana@db/groundswell")})
    monkeypatch.setattr(bi, "get_settings", lambda: held)
    assert bi.postgres_url() == "postgresql://ana@db/groundswell"


def test_the_lock_of_superset_holds_hashes_and_no_address() -> None:
    text = bi.LOCK.read_text(encoding="utf-8")
    assert "apache-superset==6.1.0" in text
    assert "duckdb==1.5.5" in text
    assert "://" not in text
    assert text.count("--hash=sha256:") >= text.count("==") > 100
    assert os.path.basename(bi.LOCK) == "requirements-bi.txt"  # noqa: PTH119
