"""The one way to call a platform: bounded in time and bytes, patient when asked to be, silent about secrets.

httpx stands behind this module alone.
"""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import tenacity

from ingestion.sources.clock import Bucket, Clock
from ingestion.sources.errors import BadAnswer, NotFound, SourceError, Throttled, Unauthorised, Unreachable
from ingestion.sources.etags import Etags
from ingestion.sources.platform import Classify

# A call with all its attempts takes no longer, but for waits that the platform asks for.
DEADLINE_SECONDS = 120.0
CONNECT_SECONDS, READ_SECONDS = 10.0, 30.0
# What a platform may ask a caller to wait: windows of limits are 5, 15 or 60 minutes. Longer is for the next capture.
MAX_WAIT_SECONDS = 15 * 60.0
FIRST_WAIT_SECONDS, LAST_WAIT_SECONDS = 1.0, 60.0
# A page of the largest documented answer (100 posts with all that is embedded) has 1.5 MB.
MAX_BYTES = 32 << 20
# An answer that breaks off, or is no JSON, may be a proxy's; one that stays so is the platform's.
MAX_BROKEN = 3
MAX_REDIRECTS = 3
# httpx writes whole addresses at level INFO, and httpcore headers at DEBUG.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

Params = Sequence[tuple[str, str]]


class _TryAgain(Exception):
    """An attempt that failed for a passing cause.

    Args:
        error: what the call ends with, if it stays so.
        wait: seconds that the platform asked for; null for none.
    """

    def __init__(self, error: SourceError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.wait = error, wait


@dataclass(frozen=True)
class _Asked:
    """What is asked, and how long and how much of an answer is taken."""

    url: str
    params: Params
    is_text: bool
    is_cached: bool
    body: str
    content_type: str
    is_bare: bool
    deadline: float
    max_bytes: int


@dataclass(frozen=True)
class Answer:
    """What a platform said. `body` is parsed JSON, or text where that was asked for."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    is_unchanged: bool = False


@dataclass
class Fetcher:
    """Calls of one source.

    Args:
        headers: those of every call; a key stands here alone, never in an address.
        per_second: calls a second and host, evenly; `burst` of them at once.
        stop_at: reading of the monotonic clock after which nothing is waited for; null for never.
        classify: the source's own reading of answers that hold an error.
        etags: answers that the platform may say are unchanged; null for none.
    """

    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)
    per_second: float = 5.0
    burst: float = 10.0
    stop_at: float | None = None
    classify: Classify | None = None
    etags: Etags | None = None
    deadline: float = DEADLINE_SECONDS
    max_bytes: int = MAX_BYTES
    calls: int = 0
    waited: float = 0.0
    _client: httpx.Client | None = None
    _buckets: dict[str, Bucket] = field(default_factory=dict)
    # Jitter spreads callers that were throttled together; it needs no secret.
    _random: random.Random = field(default_factory=random.Random)

    def __enter__(self) -> "Fetcher":
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        headers = {"User-Agent": f"groundswell/{_version()}", "Accept": "application/json"}
        self._client = httpx.Client(timeout=timeout, headers=headers, follow_redirects=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()

    def get(
        self,
        url: str,
        params: Params = (),
        *,
        is_text: bool = False,
        is_cached: bool = False,
        body: str = "",
        content_type: str = "application/json",
        is_bare: bool = False,
        deadline: float | None = None,
        max_bytes: int | None = None,
    ) -> Answer:
        """Ask until there is an answer. Raises SourceError, by its class for what would help.

        Args:
            body: what is posted; empty where nothing is.
            is_bare: without the source's headers, for a server that is not the platform's own.
        """
        began, waited, broken = self.clock.monotonic(), self.waited, 0
        asked = _Asked(
            url, params, is_text, is_cached, body, content_type, is_bare,
            self.deadline if deadline is None else deadline, self.max_bytes if max_bytes is None else max_bytes,
        )  # fmt: skip

        def attempt() -> Answer:
            nonlocal broken
            try:
                return self._ask(asked)
            except _TryAgain as again:
                broken += isinstance(again.error, BadAnswer)
                if broken >= MAX_BROKEN:
                    raise again.error from again
                raise

        def is_over(state: tenacity.RetryCallState) -> bool:
            now = self.clock.monotonic()
            if self.stop_at is not None and now + state.upcoming_sleep > self.stop_at:
                return True
            return now - began - (self.waited - waited) + self._own_wait(state) > asked.deadline

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_TryAgain),
            wait=self._wait,
            stop=is_over,
            sleep=self.clock.sleep,
            before_sleep=self._note_wait,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _TryAgain as again:
            raise again.error from again

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds before the next attempt: what the platform asks for, else ever longer, each time by chance."""
        again = state.outcome.exception() if state.outcome else None
        jitter = self._random.uniform(0.0, 1.0)
        if isinstance(again, _TryAgain) and again.wait is not None:
            return again.wait + jitter
        longest = min(LAST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(state.attempt_number - 1, 16))
        return longest / 2 + jitter * longest / 2

    def _own_wait(self, state: tenacity.RetryCallState) -> float:
        """The wait ahead, as far as nobody asked for it."""
        return 0.0 if _asked_wait(state) is not None else state.upcoming_sleep

    def _note_wait(self, state: tenacity.RetryCallState) -> None:
        if _asked_wait(state) is not None:
            self.waited += state.upcoming_sleep

    def _ask(self, asked: _Asked) -> Answer:
        """One attempt, with the redirects within a host."""
        url, params = asked.url, asked.params
        known = self.etags.get(url, params) if self.etags and asked.is_cached else None
        headers = {} if asked.is_bare else {**self.headers, **({"If-None-Match": known.etag} if known else {})}
        address, sent = url, list(params)
        for _ in range(MAX_REDIRECTS + 1):
            status, head, content = self._once(address, sent, headers, asked)
            if status == 304 and known:
                return Answer(known.body, head, is_unchanged=True)
            if status not in (301, 302, 303, 307, 308):
                break
            if asked.body:
                raise BadAnswer(f"{_shown(url)} redirects what is posted, which is refused")
            address, sent = _within_host(address, head.get("location", "")), []
        else:
            raise BadAnswer(f"{_shown(url)} redirects more than {MAX_REDIRECTS} times")
        body = self._body(url, status, head, content, asked.is_text)
        if self.etags and asked.is_cached and head.get("etag"):
            self.etags.put(url, params, head["etag"], body)
        return Answer(body, head)

    def _once(
        self, address: str, params: Params, headers: dict[str, str], asked: _Asked
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and bytes of one request, read under a limit of bytes and time."""
        assert self._client is not None
        host = urlsplit(address).netloc
        bucket = self._buckets.setdefault(host, Bucket(self.per_second, self.burst, self.clock))
        bucket.take()
        if self.stop_at is not None and self.clock.monotonic() > self.stop_at:
            raise Throttled(f"{host}: the time for captures of this day is over")
        self.calls += 1
        ends = self.clock.monotonic() + asked.deadline
        where, content = _shown(address), bytearray()
        headers = {**headers, "Content-Type": asked.content_type} if asked.body else headers
        try:
            with self._client.stream(
                "POST" if asked.body else "GET",
                address,
                params=list(params) or None,
                headers=headers,
                content=asked.body.encode() if asked.body else None,
            ) as answer:
                for block in answer.iter_bytes():
                    content += block
                    if len(content) > asked.max_bytes:
                        raise BadAnswer(
                            f"{where} answers with more than {asked.max_bytes:,} bytes; the rest is not read"
                        )
                    if self.clock.monotonic() > ends:
                        raise _TryAgain(Unreachable(f"{where} does not finish its answer in {asked.deadline:g} s"))
                return answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, bytes(content)
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise _TryAgain(Unreachable(f"{where} breaks off ({type(error).__name__})")) from None
        except httpx.HTTPError as error:
            raise _TryAgain(Unreachable(f"{where} cannot be reached ({type(error).__name__})")) from None
        except httpx.InvalidURL:
            raise BadAnswer(f"{where} is no address") from None

    def _body(self, url: str, status: int, head: dict[str, str], content: bytes, is_text: bool) -> Any:
        """What an answer holds. Raises _TryAgain or SourceError for one that holds an error."""
        where, body = _shown(url), None
        if is_text and status == 200:
            return content.decode("utf-8", errors="replace")
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            if status == 200:
                raise _TryAgain(BadAnswer(f"{where} answers with what is no JSON")) from None
        found = self.classify(status, body) if self.classify else None
        if isinstance(found, Throttled | Unreachable):
            raise _TryAgain(found, self._asked_for(where, head))
        if found is not None:
            raise found
        if status == 429:
            raise _TryAgain(Throttled(f"{where} asks for patience (429)"), self._asked_for(where, head))
        if status >= 500 or status == 408:
            wait = self._asked_for(where, head) if "retry-after" in head else None
            raise _TryAgain(Unreachable(f"{where} fails by itself ({status})"), wait)
        if status in (401, 403):
            raise Unauthorised(f"{where} does not take the key ({status})")
        if status in (404, 410):
            raise NotFound(f"{where}: not found ({status})")
        if status != 200:
            raise BadAnswer(f"{where} answers with status {status}")
        if isinstance(body, dict) and isinstance(body.get("error"), str | dict):
            raise BadAnswer(f"{where} answers with an error under status 200")
        return body

    def _asked_for(self, where: str, head: dict[str, str]) -> float | None:
        """Seconds that a platform asks to wait; null where it says nothing. Raises Throttled for too many."""
        now = self.clock.now()
        wait = _seconds(head.get("retry-after"), now)
        if wait is None and head.get("ratelimit-remaining", "0") == "0":
            wait = _seconds_of_reset(head.get("ratelimit-reset"), now)
        if wait is None:
            return None
        wait = max(0.0, wait)
        over = self.stop_at is not None and self.clock.monotonic() + wait > self.stop_at
        if wait > MAX_WAIT_SECONDS or over:
            raise Throttled(f"{where} asks for {wait:,.0f} s of patience, which there is no time for")
        return wait


def _asked_wait(state: tenacity.RetryCallState) -> float | None:
    again = state.outcome.exception() if state.outcome else None
    return again.wait if isinstance(again, _TryAgain) else None


def _seconds(text: str | None, now: datetime) -> float | None:
    """`Retry-After`: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at.astimezone(UTC).replace(tzinfo=None) - now).total_seconds()


def _seconds_of_reset(text: str | None, now: datetime) -> float | None:
    """`RateLimit-Reset`: the instant in seconds since 1970, or seconds from now."""
    if text is None or not text.strip().isdigit():
        return None
    value = float(text)
    return value - now.replace(tzinfo=UTC).timestamp() if value > 10**9 else value


def _within_host(address: str, location: str) -> str:
    """Where a redirect leads. Raises BadAnswer for another host, another scheme, or nowhere."""
    target = urljoin(address, location)
    before, after = urlsplit(address), urlsplit(target)
    if not location or (before.scheme, before.netloc) != (after.scheme, after.netloc):
        raise BadAnswer(f"{_shown(address)} redirects to another host ({after.hostname}), which is refused")
    return target


def _shown(address: str) -> str:
    """An address as people may see it: without what follows `?`."""
    parts = urlsplit(address)
    return f"{parts.hostname}{parts.path}"


def _version() -> str:
    try:
        return version("groundswell")
    except PackageNotFoundError:
        return "0"
