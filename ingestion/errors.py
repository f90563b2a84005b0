"""Errors that a person can act on."""


class ContractError(Exception):
    """Something outside broke a contract (a mapping, a setting, a checked number): a retry cannot mend it."""


class UsageError(ContractError):
    """A person asked for what is not there, or cannot be: asking otherwise mends it."""


class ConfigError(UsageError):
    """The folder `config/` holds what cannot be: nothing is built until it is mended."""


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


class FileNotReady(Exception):
    """A landed file that is still growing: it waits for the next look."""


class LeaseLost(Exception):
    """Another run holds the writer's lease: this one must not write any more."""
