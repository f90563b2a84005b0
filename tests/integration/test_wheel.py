"""The built wheel in an environment of its own: a night of the sample from an empty folder, its files read-only."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from ingestion.config import PROJECT_DIR


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and beside it the locked dependencies of the one that runs the tests."""

    packages: Path
    bin: Path

    def run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment, called in a folder, with nothing of the checkout in its environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GROUNDSWELL_", "AIRFLOW", "PYTHON", "MAKE"))}
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            env={**kept, "PYTHONDONTWRITEBYTECODE": "1"}, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel installed; its packages are mounted read-only where root may do that, else their modes say so.

    The dependencies come through a path file, and path files on such a path are not read: so the editable install of
    the checkout is not seen.
    """
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(PROJECT_DIR)]
    subprocess.run(wheel, check=True, capture_output=True)
    [built] = folder.glob("groundswell-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    found = Installed(Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")})), folder / "venv" / "bin")
    install = [*pip, "--python", str(found.bin / "python"), "install", "-q", "--no-deps", str(built)]
    subprocess.run(install, check=True, capture_output=True)
    (found.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    place = str(found.packages)
    mounted = os.geteuid() == 0 and not subprocess.run(["mount", "--bind", place, place], check=False).returncode
    if mounted:
        subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
    else:
        subprocess.run(["chmod", "-R", "a-w", place], check=True)
    yield found
    if mounted:
        subprocess.run(["umount", place], check=True)
    else:
        subprocess.run(["chmod", "-R", "u+w", place], check=True)


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file under a folder."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_packages_are_those_of_the_wheel(installed: Installed, tmp_path: Path) -> None:
    code = "import ingestion, warehouse, ingestion.config as c; print(ingestion.__file__, warehouse.__file__, c.PROJECT_DIR)"
    done = installed.run(tmp_path, "python", "-c", code)
    assert done.stdout.split() == [
        str(installed.packages / "ingestion" / "__init__.py"),
        str(installed.packages / "warehouse" / "__init__.py"),
        str(installed.packages / "groundswell_project"),
    ], done.stderr
    assert installed.run(tmp_path, "groundswell", "--version").stdout.startswith("groundswell 0.")
    # Nothing of the tests, and nothing that a run of the checkout left in its folders.
    held = {path.relative_to(installed.packages).as_posix() for path in installed.packages.rglob("*")}
    assert not [name for name in held if name.startswith(("tests", "bench")) or "/target/" in name or "/logs/" in name]
    assert "groundswell_project/.env.example" in held


def test_a_night_of_the_sample_from_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    before = state_of(installed.packages)
    done = installed.run(tmp_path, "groundswell", "nightly")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "landing was empty: copied the bundled sample" in done.stdout
    assert state_of(installed.packages) == before
    # A relative folder of data is of the working directory, and nothing else is written there.
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    marts = duckdb.connect(str(tmp_path / "data" / "published" / "groundswell.duckdb"), read_only=True)
    days = marts.execute("select count(distinct snapshot_date) from marts.fct_account_daily").fetchone()
    marts.close()
    assert days == (16,)
    listed = installed.run(tmp_path, "groundswell", "releases")
    assert "> is what readers see" in listed.stdout
    assert installed.run(tmp_path, "groundswell", "plan").returncode == 0
