"""The key by which customers' e-mails are hashed: HMAC-SHA-256, so that equal ones stay equal and none can be guessed.

It is `GROUNDSWELL_HASH_KEY`. A reader knows it as two variables, so it stands in no query and no log. Beside the ledger
lies a check value of it: with another key the same customer would be another one, without a word.
"""

import hashlib
import hmac

import duckdb

from ingestion.config import Settings
from ingestion.errors import FileNotReady

BLOCK = 64
CHECKED = b"groundswell: the key of hashed columns"
MISSING = "a column is hashed and there is no key; set GROUNDSWELL_HASH_KEY to a long random text, and keep it"


def tell(reader: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Let a reader know the key, or what is wrong with it."""
    if settings.hash_key is None:
        return
    secret = settings.hash_key.get_secret_value().encode()
    if problem := _changed(settings, secret):
        reader.execute("set variable hash_problem = $problem", {"problem": problem})
        return
    block = (hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret).ljust(BLOCK, b"\0")
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        reader.execute(f"set variable hash_{name} = $pad", {"pad": bytes(byte ^ pad for byte in block)})


def require(reader: duckdb.DuckDBPyConnection) -> None:
    """Raises FileNotReady where a reader knows no key: the file waits until there is one."""
    row = reader.execute("select getvariable('hash_inner') is null, getvariable('hash_problem')").fetchone()
    if row is None or row[0]:
        raise FileNotReady((row and row[1]) or MISSING)


def _changed(settings: Settings, secret: bytes) -> str | None:
    """What is wrong with a key that is not the one that earlier customers were hashed with."""
    value = hmac.new(secret, CHECKED, hashlib.sha256).hexdigest()
    file = settings.ledger.with_name("hash_key.check")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value + "\n", encoding="ascii")
    if hmac.compare_digest(file.read_text(encoding="ascii").strip(), value):
        return None
    return (
        "GROUNDSWELL_HASH_KEY is not the key that customers were hashed with before, so each would become another one;"
        f" restore it, or remove {file} and read all their files again with `make replay`"
    )


def hashed(text: str) -> str:
    """SQL of the hash of a text, in hexadecimal digits; null for null."""
    inner = f"unhex(sha256(getvariable('hash_inner') || encode({text})))"
    return f"sha256(getvariable('hash_outer') || {inner})"
