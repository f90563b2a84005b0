"""The built wheel in an environment of its own: a night of the sample from an empty folder, its files read-only."""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


# What a user sets over the sample: a scheme, a lower cut of one signal, a bound of a check, a mapping of one's own, and
# one of the library that is switched on for names of one's own.
CONFIG = {
    "tier_schemes.csv": "scheme,tier,tier_rank,min_followers,max_followers,source_note\n"
    "house,small,1,0,50000,ours\nhouse,large,2,50000,,ours\n",
    "trust_signals.csv": "signal,side,cut,in_full,points_at_cut,points_in_full,looks_like,could_also_be,reason\n"
    "more_followers_than_neighbours,audience,2.5,5,10,20,no audience,fame,we look closer\n",
    "thresholds.yml": "- check: share_of_null_followers\n  feed: account_snapshots\n  value: 0.6\n"
    "  reason: The sample's last days are an outage, and we know it.\n",
    "mappings/crawl.yml": "mapping: crawl\nfeed: account_snapshots\npattern: crawl_*.csv\ncolumns:\n"
    "  platform: {constant: youtube}\n  account_id: {from: Id}\n  captured_at: {from: At}\n  followers: {from: Subs}\n",
    "mappings/vtuber.yml": "use: vtuber\npattern: 'ours_Data_*.csv'\n"
    "file_time: {regex: '^ours_Data_(.*)\\.csv$', format: '%Y-%m-%d_%H-%M-%S', zone: Asia/Taipei}\n",
}
LANDED = {
    "crawl_1.csv": "Id,At,Subs\nUCours,2024-05-17T03:00:00Z,60000\n",
    "ours_Data_2024-05-17_09-00-00.csv": "ChannelUrl,Name,SubscriberCount,ViewCount\n"
    f"https://www.youtube.com/channel/UC{'x' * 22},Ann,1200,9\n",
}


def write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def ask(folder: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(folder / "data" / "published" / "groundswell.duckdb"), read_only=True)) as marts:
        return marts.execute(query).fetchall()


@pytest.fixture(scope="module")
def own_night(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `config/` and a night of the sample, by packages that nobody can write to."""
    folder = tmp_path_factory.mktemp("own")
    write(folder / "config", CONFIG)
    before = state_of(installed.packages)
    copied = installed.run(folder, "groundswell", "sample", "vtuber")
    assert copied.returncode == 0, copied.stdout + copied.stderr
    done = installed.run(folder, "groundswell", "nightly")
    assert done.returncode == 0, done.stdout + done.stderr
    assert state_of(installed.packages) == before
    return folder


def test_a_night_of_the_sample_from_an_empty_folder(own_night: Path, installed: Installed) -> None:
    # A relative folder of data is of the working directory, and nothing else is written there.
    assert sorted(path.name for path in own_night.iterdir()) == ["config", "data"]
    assert ask(own_night, "select count(distinct snapshot_date) from marts.fct_account_daily") == [(16,)]
    listed = installed.run(own_night, "groundswell", "releases")
    assert "> is what readers see" in listed.stdout
    assert installed.run(own_night, "groundswell", "plan").returncode == 0


def test_tables_of_ones_own_hold_without_touching_the_package(own_night: Path, installed: Installed) -> None:
    wrong = (
        "select count(*), count(*) filter (where t.tier <> case when followers < 50000 then 'small' else 'large' end)"
        " from marts.fct_account_tier_daily as t join marts.fct_account_daily using (platform, account_id, snapshot_date)"
        " where scheme = 'house' and followers is not null"
    )
    ((rows, differing),) = ask(own_night, wrong)
    assert rows > 0
    assert differing == 0
    flags = "select count(*) from marts.fct_follower_flag where signal = 'more_followers_than_neighbours'"
    ((lowered,),) = ask(own_night, f"{flags} and statistic >= 2.5 and statistic < 3")
    assert lowered > 0
    checks = installed.run(own_night, "groundswell", "config", "show").stdout
    assert "trust_signals: 15 rows, 1 of them yours" in checks
    assert "account_snapshots share_of_null_followers: at most 0.6  (" in checks


def test_mappings_of_ones_own_read_the_next_night(own_night: Path, installed: Installed) -> None:
    write(own_night / "data" / "landing" / "account_snapshots", LANDED)
    done = installed.run(own_night, "groundswell", "nightly", "--day", "2024-05-17")
    assert done.returncode == 0, done.stdout + done.stderr
    found = ask(own_night, "select account_id, followers from marts.fct_account_daily where followers in (1200, 60000)")
    assert ("UCours", 60000) in found
    assert (f"UC{'x' * 22}", 1200) in found
    # The bound of one's own stands: 0.5369 of null followers is no warning, and the check says whose bound it is.
    query = "select passed from marts.fct_quality_result where expectation = 'share_of_null_followers'"
    assert {passed for (passed,) in ask(own_night, query)} == {True}


def test_a_config_that_cannot_be_stops_the_night(own_night: Path, installed: Installed, tmp_path: Path) -> None:
    write(tmp_path / "config", {"tier_schemes.csv": CONFIG["tier_schemes.csv"].replace("50000,,", "40000,,")})
    done = installed.run(tmp_path, "groundswell", "nightly")
    assert done.returncode != 0
    assert (
        "tier_schemes.csv:3: scheme house, platform *: small (0-50000) and large (40000 and more) overlap"
        in done.stdout + done.stderr
    )
    assert not (tmp_path / "data").exists()
