"""Answers that a platform may later call unchanged: a cache, so that it may be removed at any time.

A file per address under `state/sources/<source>/etags`, removed when it was of no use for some days.
"""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT_DAYS = 8
MAX_BYTES = 4 << 20


@dataclass(frozen=True)
class Known:
    """An answer of before, and the mark under which the platform knows it."""

    etag: str
    body: Any


@dataclass(frozen=True)
class Etags:
    """The cache of one source."""

    folder: Path

    def get(self, url: str, params: Sequence[tuple[str, str]]) -> Known | None:
        """What is known of an address; null for nothing, also where the file is damaged."""
        file = self._file(url, params)
        try:
            held = json.loads(file.read_bytes())
            return Known(str(held["etag"]), held["body"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, url: str, params: Sequence[tuple[str, str]], etag: str, body: Any) -> None:
        """Keep an answer, unless it is large."""
        content = json.dumps({"etag": etag, "body": body})
        if len(content) <= MAX_BYTES:
            file = self._file(url, params)
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_suffix(".part")
            partial.write_text(content, encoding="utf-8")
            os.replace(partial, file)

    def prune(self) -> None:
        """Remove what was not written for days."""
        oldest = time.time() - KEPT_DAYS * 86400
        for file in self.folder.glob("*"):
            if file.stat().st_mtime < oldest:
                file.unlink()

    def _file(self, url: str, params: Sequence[tuple[str, str]]) -> Path:
        return self.folder / f"{hashlib.sha256(json.dumps([url, list(params)]).encode()).hexdigest()}.json"
