"""Tokens that end: renewed in time, and kept until the next capture.

A connection holds the token that a person made. What it was renewed to lies in state, encrypted with a key made from
that one: without the connection nobody reads it, and once the connection has another token it is worthless and goes.
"""

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

# A token of 60 days is renewed long before it ends, so that some failures in between cost nothing.
RENEWED_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Token:
    """A token, and when it was made; null where only a person knows."""

    value: str
    made_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to renew it."""
        return self.made_at is None or now - self.made_at >= RENEWED_AFTER


def current(folder: Path, key: str) -> Token:
    """The token to use: what the connection's was renewed to last, else that itself."""
    file = folder / "token"
    try:
        held = json.loads(_cipher(key).decrypt(file.read_bytes()))
        return Token(held["value"], datetime.fromisoformat(held["made_at"]))
    except FileNotFoundError:
        return Token(key)
    except (InvalidToken, ValueError, KeyError):
        file.unlink(missing_ok=True)
        return Token(key)


def keep(folder: Path, key: str, value: str, now: datetime) -> Token:
    """Keep what the connection's token was renewed to, for its owner's eyes."""
    folder.mkdir(parents=True, exist_ok=True)
    content = _cipher(key).encrypt(json.dumps({"value": value, "made_at": str(now)}).encode())
    partial = folder / "token.part"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        target.write(content)
        os.fsync(target.fileno())
    os.replace(partial, folder / "token")
    return Token(value, now)


def _cipher(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"groundswell token\0{key}".encode()).digest()))
