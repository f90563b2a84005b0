"""Which release Superset reads: the one that the link leads to now, by its own path, and what is known of PostgreSQL."""

from pathlib import Path

import pytest

from serving.superset.groundswell_release import (
    ASK_AGAIN_SECONDS,
    DUCKDB_CONNECTION,
    Newest,
    NoRelease,
    file_of,
    release_folder,
)


def published(folder: Path, *releases: str) -> Path:
    """A folder of releases of which the last one is the latest."""
    for name in releases:
        (folder / "releases" / name).mkdir(parents=True)
        (folder / "releases" / name / "groundswell.duckdb").touch()
        (folder / "latest").unlink(missing_ok=True)
        (folder / "latest").symlink_to(Path("releases") / name)
    return folder


def test_each_release_is_another_database(tmp_path: Path) -> None:
    first = release_folder(published(tmp_path, "r1"))
    second = release_folder(published(tmp_path, "r2"))
    assert (first.name, second.name) == ("r1", "r2")
    assert file_of(second) == f"duckdb:///{tmp_path.resolve()}/releases/r2/groundswell.duckdb"


def test_without_a_release_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRelease, match="run `make nightly` first"):
        release_folder(tmp_path)
    (published(tmp_path, "r1") / "releases" / "r1" / "groundswell.duckdb").unlink()
    with pytest.raises(NoRelease, match=r"r1 has no groundswell\.duckdb"):
        release_folder(tmp_path)


def test_a_query_writes_and_reads_nothing_beside_the_release() -> None:
    assert DUCKDB_CONNECTION["read_only"] is True
    assert DUCKDB_CONNECTION["config"]["enable_external_access"] is False
    assert DUCKDB_CONNECTION["config"]["lock_configuration"] is True


def test_postgresql_is_asked_again_after_a_while() -> None:
    answers, now = iter(["r1", "r2"]), [0.0]
    newest = Newest(lambda: next(answers), lambda: now[0])
    assert newest() == "r1"
    now[0] = ASK_AGAIN_SECONDS - 0.1
    assert newest() == "r1"
    now[0] = ASK_AGAIN_SECONDS
    assert newest() == "r2"
