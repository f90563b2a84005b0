"""Settings: one reader of the environment, every key explained."""

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from ingestion.config import PROJECT_DIR, Settings


def test_every_key_stands_in_the_example_and_no_other() -> None:
    text = (PROJECT_DIR / ".env.example").read_text()
    keys = set(re.findall(r"^GROUNDSWELL_([A-Z_]+)=", text, flags=re.M))
    assert keys == {name.upper() for name in Settings.model_fields}


def test_the_example_holds_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"GROUNDSWELL_{name.upper()}", raising=False)
    by_default = Settings(_env_file=None)  # type: ignore[call-arg]
    from_example = Settings(_env_file=PROJECT_DIR / ".env.example")  # type: ignore[call-arg]
    assert from_example == by_default


def test_feeds_are_split_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_REQUIRED_FEEDS", "account_snapshots, orders")
    assert Settings(_env_file=None).required_feeds == ("account_snapshots", "orders")  # type: ignore[call-arg]


def test_kinds_of_posts_that_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_LEFT_OUT_POSTS", "collab")
    assert Settings(_env_file=None).left_out_posts == ("collab",)  # type: ignore[call-arg]
    monkeypatch.setenv("GROUNDSWELL_LEFT_OUT_POSTS", "")
    assert Settings(_env_file=None).left_out_posts == ()  # type: ignore[call-arg]
    monkeypatch.setenv("GROUNDSWELL_LEFT_OUT_POSTS", "stories")
    with pytest.raises(ValidationError, match="left_out_posts"):
        Settings(_env_file=None)  # type: ignore[call-arg]


@pytest.mark.parametrize("engine", ["duckdb", "spark://127.0.0.1:7077", "spark://spark-1.example.org:65535"])
def test_engines(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setenv("GROUNDSWELL_ENGINE", engine)
    assert Settings(_env_file=None).engine == engine  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "engine",
    [
        "",
        "spark",
        "DuckDB",
        "local[2]",
        "http://127.0.0.1:7077",
        "spark://127.0.0.1",
        "spark://127.0.0.1:0",
        "spark://127.0.0.1:65536",
        "spark://a:7077,b:7077",
        "spark://ana@a:7077",
        "spark://a:7077\n",
    ],
)
def test_another_engine_is_refused_with_what_to_write(monkeypatch: pytest.MonkeyPatch, engine: str) -> None:
    monkeypatch.setenv("GROUNDSWELL_ENGINE", engine)
    with pytest.raises(ValidationError, match=r"is no engine; write duckdb, or the URL of a Spark master"):
        Settings(_env_file=None)  # type: ignore[call-arg]


def test_where_spark_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROUNDSWELL_SPARK_HOME", "spark-4")
    assert Settings(_env_file=None).spark_home == tmp_path / "spark-4"  # type: ignore[call-arg]
    for name, wrong in {"SPARK_HOST": "a:1", "SPARK_PORT": "65536"}.items():
        monkeypatch.setenv(f"GROUNDSWELL_{name}", wrong)
        with pytest.raises(ValidationError, match=name.lower()):
            Settings(_env_file=None)  # type: ignore[call-arg]
        monkeypatch.delenv(f"GROUNDSWELL_{name}")


def test_a_folder_that_duckdb_would_read_as_a_pattern_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="choose a folder without"):
        Settings(_env_file=None, data=tmp_path / "x[1]")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a#b", "choose a folder without"),
        ("a{b", "choose a folder without"),
        ("a}b", "choose a folder without"),
        ("a\nb", r"a\\nb: choose a folder without"),
        ("x" * 200 + "/" + "y" * 250, "at most 450 bytes; this one has "),
    ],
)
def test_a_folder_that_another_tool_cannot_open_is_refused_before_anything_starts(name: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(_env_file=None, data=Path("/data") / name)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["50%", "a b", "ä$x", "x" * 200 + "/" + "y" * 240, '"q"'])
def test_any_other_folder_is_taken(name: str) -> None:
    assert Settings(_env_file=None, data=Path("/data") / name).data == Path("/data") / name  # type: ignore[call-arg]


def test_nobody_else_reads_the_environment() -> None:
    """`os.environ` is touched only by settings, and where a child process or dbt is handed its variables."""
    allowed = {
        "ingestion/config.py",
        # Processes of their own: one with as little of ours as it needs, and Superset, which is handed what it needs.
        "serving/bounded.py",
        "serving/superset/prepare.py",
        "serving/superset/superset_config.py",
        "warehouse/cli/bi.py",
        "warehouse/cli/spark_env.py",
        "warehouse/build/dbt.py",
        "warehouse/dbt_docs.py",
        "warehouse/cli/airflow_env.py",
        "warehouse/cli/airflow_run.py",
        "warehouse/cli/airflow_serve.py",
        "warehouse/cli/command.py",
    }
    found = {
        path.relative_to(PROJECT_DIR).as_posix()
        for package in ("ingestion", "expectations", "serving", "warehouse", "dags")
        for path in (PROJECT_DIR / package).rglob("*.py")
        if re.search(r"os\.environ|getenv", path.read_text())
    }
    assert found <= allowed


def test_a_build_takes_no_more_memory_than_asked_nor_than_the_machine_has() -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    # Half a GiB is the process's own beside its database, of little the half.
    for asked, limit in {1.5: 1.0, 1.0: 0.5, 0.5: 0.25, 1e6: 0.8 * machine - 0.5}.items():
        settings = Settings(_env_file=None, memory_gib=asked)  # type: ignore[call-arg]
        assert settings.memory_limit == settings.duckdb_config["memory_limit"] == f"{limit:.2f}GiB"
