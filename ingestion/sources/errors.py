"""What can go wrong with a call, by what helps: a new key, another account, patience, or a change of the program."""

from ingestion.errors import ContractError


class SourceError(Exception):
    """A call brought no answer. `reason` is what each account that it asked for gets."""

    reason = "contract"


class Unauthorised(SourceError):
    """The platform does not take the key: nothing more is asked of it before a person mends that."""

    reason = "auth"


class NotFound(SourceError):
    """The platform does not know what was asked for."""

    reason = "not_found"


class Private(SourceError):
    """The platform knows it and does not show it."""

    reason = "private"


class Suspended(SourceError):
    """The platform has taken it down."""

    reason = "suspended"


class NotSupported(SourceError):
    """The platform does not answer such a question, or not to us."""

    reason = "not_supported"


class Throttled(SourceError):
    """The platform asks for patience, and for more of it than there is time."""

    reason = "throttled"


class Unreachable(SourceError):
    """No network, no answer in time, or the platform's own failure."""

    reason = "unreachable"


class BadAnswer(SourceError):
    """An answer that is not what the platform documents."""

    reason = "contract"


class DeadMetric(BadAnswer):
    """A group of metrics of which one is unknown: each half by itself says which."""


class BudgetSpent(SourceError):
    """The budget of the day, in units or money, does not hold the call."""

    reason = "budget"


class CaptureFailed(Exception):
    """A source brought less than was asked for, for a cause that a later attempt may not have."""


class CaptureRefused(ContractError):
    """A source cannot be asked at all, for a cause that only a person mends."""


# What an account that was asked for can have become, besides a reason.
RECEIVED = "received"
# The platform has spoken: asking again on the same day would bring the same.
LASTING = frozenset({"not_found", "private", "suspended", "not_supported"})
