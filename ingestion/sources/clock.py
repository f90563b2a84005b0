"""Time as a capture sees it: a wall clock for names of files, and a clock that never jumps for waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ingestion.config import utc_now


@dataclass(frozen=True)
class Clock:
    """Where a capture takes the time from.

    Args:
        now: the present instant, UTC without zone.
        monotonic: seconds on a clock that no one sets.
        sleep: waits so many seconds.
    """

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Bucket:
    """Tokens that fill up evenly: a burst takes what is there, and then calls come at the rate.

    Args:
        per_second: tokens that come back each second.
        most: tokens at most.
    """

    def __init__(self, per_second: float, most: float, clock: Clock) -> None:
        self._per_second, self._most, self._clock = per_second, most, clock
        self._tokens, self._since = most, clock.monotonic()

    def take(self) -> None:
        """Wait for a token and take it."""
        now = self._clock.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._since) * self._per_second)
        self._since = now
        if self._tokens < 1:
            wait = (1 - self._tokens) / self._per_second
            self._clock.sleep(wait)
            self._tokens, self._since = 1.0, self._clock.monotonic()
        self._tokens -= 1
