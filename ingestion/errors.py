"""Errors that a person can act on."""

import difflib
from collections.abc import Collection


class ContractError(Exception):
    """Something outside broke a contract (a mapping, a setting, a checked number): a retry cannot mend it."""


class UsageError(ContractError):
    """A person asked for what is not there, or cannot be: asking otherwise mends it."""


class ConfigError(UsageError):
    """The folder `config/` holds what cannot be: nothing is built until it is mended."""


class TargetUnavailable(Exception):
    """A database that releases are loaded into is down, full, slow or held by others: a later try may pass."""


class DamagedBuild(Exception):
    """A private database was damaged and is removed: the same step, tried again, builds all from raw."""


class FileRefused(Exception):
    """A landed file that is quarantined whole.

    Args:
        reason: what is wrong, in words that name the remedy.
        rows_read: data rows that could be counted before it was refused.
    """

    def __init__(self, reason: str, rows_read: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rows_read = rows_read


def too_large(limit: int) -> FileRefused:
    """Why a packed file is refused that unpacks to more bytes than it may."""
    return FileRefused(f"unpacks to more than {limit:,} bytes; if that is honest, raise GROUNDSWELL_MAX_UNPACKED_BYTES")


class FileNotReady(Exception):
    """A landed file that is still growing: it waits for the next look."""


class LeaseLost(Exception):
    """Another run holds the writer's lease: this one must not write any more."""


def nearest(name: str, known: Collection[str]) -> str:
    """What an error about an unknown name ends with: the known one that was probably meant, or all that there are."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(known)}"
