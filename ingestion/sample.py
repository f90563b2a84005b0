"""The bundled sample: copied into landing only when nothing was ever landed."""

import shutil
from datetime import date, timedelta
from pathlib import Path

from ingestion import ledger
from ingestion.config import PROJECT_DIR, Settings, utc_now

SAMPLE = PROJECT_DIR / "sample" / "landing"


def copy_if_empty(settings: Settings) -> int:
    """Copy the sample when landing and ledger are both empty; returns the number of files copied."""
    if not ledger.is_empty(settings) or any(path.is_file() for path in settings.landing.rglob("*")):
        return 0
    shutil.copytree(SAMPLE, settings.landing, dirs_exist_ok=True)
    return sum(path.is_file() for path in SAMPLE.rglob("*"))


def default_day(settings: Settings) -> date:
    """Day of a run by hand that names none: yesterday, or the sample's last day while there is nothing else."""
    yesterday = utc_now().date() - timedelta(days=1)
    ours, landed = _files(SAMPLE), _files(settings.landing)
    if not landed or not landed <= ours:
        return yesterday
    # The publisher's names carry UTC+8: 03:01 on the 18th is the 17th in UTC.
    return max(_utc_day(Path(name).name) for name, _ in ours)


def _files(folder: Path) -> set[tuple[str, int]]:
    """Path under a folder and size of each file in it."""
    return {
        (path.relative_to(folder).as_posix(), path.lstat().st_size) for path in folder.rglob("*") if not path.is_dir()
    }


def _utc_day(name: str) -> date:
    from ingestion.contracts import load_mappings

    mapping = next(mapping for mapping in load_mappings() if mapping.mapping == "vtuber")
    moment = mapping.file_time_of(name)
    assert moment is not None
    return moment.date()
