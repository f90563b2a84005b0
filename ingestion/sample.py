"""The bundled sample: copied into landing only when nothing was ever landed."""

import shutil
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings, utc_now
from ingestion.errors import ContractError

SAMPLE = PROJECT_DIR / "sample" / "landing"
# Last UTC day that a file of the sample holds: a first run by hand builds up to it.
LAST_DAY = date(2024, 5, 17)
# Of another period, and of ten accounts: with these the first report would open on a day of theirs alone.
LEFT_OUT = ("stelive",)


def copy_if_empty(settings: Settings) -> int:
    """Copy the sample when landing and ledger are both empty; returns the number of files copied.

    Raises ContractError where the ledger is lost: raw or a release is there.
    """
    if lost := ledger.how_lost(settings):
        raise ContractError(lost)
    if not ledger.is_empty(settings) or any(path.is_file() for path in settings.landing.rglob("*")):
        return 0
    shutil.copytree(SAMPLE, settings.landing, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    return sum(path.is_file() for path in settings.landing.rglob("*"))


def default_day(settings: Settings) -> date:
    """Day of a run by hand that names none: yesterday, or the sample's last day while there is nothing else."""
    landed = _files(settings.landing)
    if landed and landed <= _files(SAMPLE):
        return LAST_DAY
    return utc_now().date() - timedelta(days=1)


def is_of_sample(path: str) -> bool:
    """Whether a path under landing is that of a file of the sample."""
    return path in _paths()


@cache
def _paths() -> frozenset[str]:
    return frozenset(path for path, _ in _files(SAMPLE))


def _files(folder: Path) -> set[tuple[str, int]]:
    """Path under a folder and size of each file in it."""
    return {
        (path.relative_to(folder).as_posix(), path.lstat().st_size) for path in folder.rglob("*") if not path.is_dir()
    }
