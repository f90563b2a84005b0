"""`make doctor`, `make quarantine`, `make replay`: their arguments reach the programs; what their exit codes mean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.config import PROJECT_DIR, Settings


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["doctor"], "-m warehouse.doctor.releases"),
        (["doctor", "QUICK=1"], "-m warehouse.doctor.releases --quick"),
        (["quarantine"], "-m ingestion.quarantine"),
        (["quarantine", "FEED=orders", "OUT=a b.csv"], '-m ingestion.quarantine --feed "orders" --out "a b.csv"'),
        (["replay"], "-m ingestion.replay"),
        (["replay", "FEED=orders", "WHAT=1"], '-m ingestion.replay --feed "orders" --dry-run'),
        (["replay", "BATCH=ab12", "REVIVE=1"], '-m ingestion.replay --batch "ab12" --revive'),
    ],
)
def test_make_hands_the_arguments_on(arguments: list[str], command: str) -> None:
    done = would_run(*arguments)
    assert command in [" ".join(line.replace("\\\n", "").split()[1:]) for line in _joined(done)]


def would_run(*arguments: str) -> str:
    """What make would run; what the make that runs these tests was given is nothing to this one."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "-n", "-C", str(PROJECT_DIR), *arguments], env=environment, capture_output=True, text=True, check=True
    ).stdout


def _joined(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def run(data: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**environment, "GROUNDSWELL_DATA": str(data)},
        cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_programs_on_an_empty_warehouse(tmp_path: Path) -> None:
    exported = run(tmp_path, "ingestion.quarantine")
    assert exported.returncode == 0
    assert exported.stdout.startswith("quarantine is empty")
    assert (tmp_path / "reports" / "quarantine.csv").exists()
    asked = run(tmp_path, "ingestion.replay", "--dry-run")
    assert (asked.returncode, asked.stdout) == (0, "no file is set aside and no row quarantined: nothing to replay\n")
    looked = run(tmp_path, "warehouse.doctor.releases", "--quick")
    assert "\x1b" not in looked.stdout
    assert "release      none yet" in looked.stdout


@pytest.mark.parametrize("module", ["ingestion.quarantine", "ingestion.replay"])
def test_what_cannot_be_done_ends_with_a_sentence_and_a_code(tmp_path: Path, module: str) -> None:
    unknown = run(tmp_path, module, "--feed", "order")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("no feed is named 'order'; known: account_snapshots")
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"no database" * 1000)
    damaged = run(tmp_path, module)
    assert damaged.returncode == 2
    assert damaged.stderr == "the ledger cannot be read (file is not a database); make doctor says more\n"


def test_quarantined_rows_that_cannot_be_read(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path, settle_seconds=0.0)  # type: ignore[call-arg]
    landed = tmp_path / "landing" / "accounts" / "a.csv"
    landed.parent.mkdir(parents=True)
    landed.write_text("platform,account_id,updated_at\nyoutube,a,never\n")
    landing.land_files(settings, "run", lambda _: None)
    [kept] = (tmp_path / "quarantine" / "accounts").glob("*.parquet")
    kept.write_bytes(b"broken")
    done = run(tmp_path, "ingestion.quarantine")
    assert done.returncode == 2
    assert done.stderr.startswith("quarantined rows cannot be read (")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("given", "unknown"), [("CREATORS=3", "CREATORS"), ("CITY=New York", "")])
def test_a_misspelt_limit_of_a_shortlist_is_no_limit_that_is_passed_over(given: str, unknown: str) -> None:
    printed = would_run("shortlist", "FOLLOWERS=1000", given)
    assert f'test -z "{unknown}" ||' in printed
