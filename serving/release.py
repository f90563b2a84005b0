"""Which release readers see, for what serves it to others."""

from pathlib import Path

from ingestion.config import Settings


def release_seen(settings: Settings) -> Path | None:
    """Folder of the release that readers of the file see; null before the first."""
    link = settings.published / "latest"
    folder = settings.published / "releases" / link.readlink().name if link.is_symlink() else None
    return folder if folder is not None and folder.is_dir() else None
