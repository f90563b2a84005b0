"""Pages reach their place at once, and only when they changed."""

import os
from pathlib import Path

from ingestion.raw import commit_file


def write_page(target: Path, text: str, durable: bool = True) -> bool:
    """Put a page in its place at once; false when the very same page lies there already.

    `durable` false spares two waits for the disk, for pages that come in hundreds: after a power cut such a page may be
    empty, and the next night finds it changed.
    """
    page = text.encode("utf-8", "replace")
    if target.is_file() and target.read_bytes() == page:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.partial")
    partial.write_bytes(page)
    if durable:
        commit_file(partial, target)
    else:
        partial.replace(target)
    return True
