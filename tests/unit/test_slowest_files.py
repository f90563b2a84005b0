"""`--slowest-files=N` of pytest: what it prints of a run in a worker, and that it prints nothing unasked."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.config import PROJECT_DIR

# A second in setup, call and teardown together is more than half a second in a call.
SPREAD = """
import time, pytest
@pytest.fixture
def slow():
    time.sleep(0.35)
    yield
    time.sleep(0.35)
def test_spread(slow):
    time.sleep(0.3)
"""
IN_ONE = "import time\ndef test_in_one(): time.sleep(0.5)\n"
QUICK = "def test_quick(): pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of tests, which know nothing of this project."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for name, text in (("test_in_one.py", IN_ONE), ("test_quick.py", QUICK), ("test_spread.py", SPREAD)):
        (tmp_path / name).write_text(text)
    return tmp_path


def lines_of(folder: Path, *arguments: str) -> list[str]:
    """What pytest prints of a folder; what the pytest that runs this was given is nothing to it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", str(folder), *arguments],
        env=environment, cwd=PROJECT_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_the_slowest_files_come_first_and_the_count_last(folder: Path) -> None:
    *_, head, first, second, last = lines_of(folder, "--slowest-files=2", "-n", "1")
    assert head.strip("= ") == "slowest files"
    assert re.fullmatch(r" {5}[1-9]\.\d s  test_spread\.py", first)
    assert re.fullmatch(r" {5}[0-9]\.\d s  test_in_one\.py", second)
    assert last.startswith("3 passed in ")


def test_unasked_nothing_is_printed(folder: Path) -> None:
    dots, last = lines_of(folder)
    assert dots.startswith("...")
    assert last.startswith("3 passed in ")
