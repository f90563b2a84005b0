"""Environments of their own, for tools whose pins do not fit the warehouse's: Superset and Spark."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import click

from ingestion.errors import ContractError


def install(folder: Path, lock: Path, find_python: Callable[[], str], tool: str, takes: str, again: str) -> None:
    """Make an environment from a lock, unless it is made from it already.

    Args:
        folder: where it is made; one that is made from another lock, or by half, is removed first.
        lock: a complete list of packages with hashes, so pip resolves nothing.
        find_python: names the interpreter; not called where there is nothing to make.
        tool: what is installed, as people call it.
        takes: minutes and gigabytes, as people are told.
        again: the command that tries it again.

    Raises ContractError where it fails, with the last line that was said.
    """
    made_from = folder / "made-from"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if made_from.is_file() and made_from.read_text(encoding="utf-8") == wanted:
        return
    interpreter = find_python()
    click.echo(f"installing {tool} into {folder.name} (once; {takes})")
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
    for command in ([interpreter, "-m", "venv", str(folder)], [*pip, "--no-deps", "--require-hashes", "-r", str(lock)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise ContractError(
                f"{tool} could not be installed: {said[-1] if said else 'pip said nothing'};"
                f" mend this and run `{again}` again"
            )
    made_from.write_text(wanted, encoding="utf-8")
