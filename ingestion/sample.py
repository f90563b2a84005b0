"""The bundled samples: one is copied into landing, and only where nothing was ever landed."""

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings, utc_now
from ingestion.errors import ContractError


@dataclass(frozen=True)
class Sample:
    """A bundled sample.

    Args:
        folder: what becomes landing.
        last_day: last UTC day that a file of it holds: a first run by hand builds up to it.
        left_out: folders that are not copied.
    """

    folder: Path
    last_day: date
    left_out: tuple[str, ...] = ()


SAMPLES = {
    # 120 days of real YouTube curves, simulated creators and one brand's campaigns: what a first night takes.
    "world": Sample(PROJECT_DIR / "sample" / "world" / "landing", date(2023, 10, 31)),
    # Real mess: 16 days in two years. The streamers are of another period, and of ten accounts: with these the first
    # report would open on a day of theirs alone.
    "vtuber": Sample(PROJECT_DIR / "sample" / "landing", date(2024, 5, 17), ("stelive",)),
}
DEFAULT = "world"


def copy_if_empty(settings: Settings, name: str = DEFAULT) -> int:
    """Copy a sample when landing and ledger are both empty; returns the number of files copied.

    Raises ContractError where the ledger is lost: raw or a release is there.
    """
    if lost := ledger.how_lost(settings):
        raise ContractError(lost)
    if not ledger.is_empty(settings) or any(path.is_file() for path in settings.landing.rglob("*")):
        return 0
    sample = SAMPLES[name]
    left_out = shutil.ignore_patterns(*sample.left_out)
    shutil.copytree(sample.folder, settings.landing, ignore=left_out, dirs_exist_ok=True)
    return sum(path.is_file() for path in settings.landing.rglob("*"))


def default_day(settings: Settings) -> date:
    """Day of a run by hand that names none: yesterday, or a sample's last day while there is nothing else."""
    landed = _files(settings.landing)
    for sample in SAMPLES.values():
        if landed and landed <= _files(sample.folder):
            return sample.last_day
    return utc_now().date() - timedelta(days=1)


def is_of_sample(path: str) -> bool:
    """Whether a path under landing is that of a file of a sample."""
    return path in _paths()


@cache
def _paths() -> frozenset[str]:
    return frozenset(path for sample in SAMPLES.values() for path, _ in _files(sample.folder))


def _files(folder: Path) -> set[tuple[str, int]]:
    """Path under a folder and size of each file in it."""
    return {
        (path.relative_to(folder).as_posix(), path.lstat().st_size) for path in folder.rglob("*") if not path.is_dir()
    }
