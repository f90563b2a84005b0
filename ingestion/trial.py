"""A file that may have ended the process which read it is read in a process of its own first, under limits.

Bombs that are known are seen before they are read. Others end their reader in a way that cannot be caught: memory that
is refused in compiled code, a stack that is too deep. So a note says which file is being read. One that still stands at
the next look was left by a run that ended then: the same file is tried alone, and is quarantined where it ends that
process too. A run that was killed for another reason leaves a note as well; its file passes and loads.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ingestion.config import Settings
from ingestion.errors import FileRefused

# What a file that is tried may take: so long, and a second more per MB.
SECONDS = 30
BYTES_A_SECOND = 1_000_000
# How a trial ends that says nothing of the file.
OF_THE_MACHINE = 3


def begin(settings: Settings, sha256: str) -> None:
    """Note that a file is read from here on."""
    _note(settings).write_text(sha256, encoding="ascii")


def end(settings: Settings) -> None:
    """Nothing is being read any more."""
    _note(settings).unlink(missing_ok=True)


def suspect(settings: Settings) -> str | None:
    """Sha-256 of the file that a run was reading when it ended; null where none did."""
    try:
        return _note(settings).read_text(encoding="ascii", errors="replace") or None
    except FileNotFoundError:
        return None


def _note(settings: Settings) -> Path:
    return settings.ledger.parent / "reading"


def run(settings: Settings, path: Path) -> None:
    """Land one file into a folder that is thrown away, in a process of its own.

    Args:
        path: the file under landing; a container as a whole.

    Raises FileRefused where the process ends by the file, or takes more time or memory than it may.
    """
    folder = settings.inbox / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "landing" / path
    target.parent.mkdir(parents=True)
    size = os.lstat(settings.landing / path).st_size
    allowed = SECONDS + size / BYTES_A_SECOND
    try:
        shutil.copyfile(settings.landing / path, target, follow_symlinks=False)
        given = settings.model_dump(mode="json") | {
            "data": str(folder),
            "settle_seconds": 0,
            "manifest_feeds": [],
            "hash_key": settings.hash_key.get_secret_value() if settings.hash_key else None,
        }
        ended = subprocess.run(
            [sys.executable, "-m", "ingestion.tried_alone"],
            input=json.dumps(given),
            text=True,
            timeout=allowed,
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileRefused(
            f"a run ended while it read this file, and it is not read within {allowed:.0f} s; if it is honest, deliver"
            " it in smaller files"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if ended.returncode == OF_THE_MACHINE:
        raise OSError(f"{path} could not be tried: {ended.stderr.strip()}")
    if ended.returncode:
        raise FileRefused(
            "it ends the process that reads it, or takes more memory than"
            f" {settings.usable_memory_gib:.0f} GiB; if it is honest, deliver it in smaller files"
        )
