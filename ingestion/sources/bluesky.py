"""Bluesky's AppView: profiles in batches, the posts of an author, posts by their address. No key, no units.

Read from the lexicons `app.bsky.actor.getProfiles`, `app.bsky.feed.getAuthorFeed`, `app.bsky.feed.getPosts` and, where
arrivals are asked for, `app.bsky.graph.getFollowers`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ingestion.sources.errors import BadAnswer, NotFound, SourceError, Suspended
from ingestion.sources.platform import (
    ACCOUNT,
    OWN_CHOICE,
    POST,
    Brought,
    Call,
    Source,
    Walk,
    Wanted,
    at,
    batches,
    listed,
)

PROFILES, FEED, POSTS, FOLLOWERS = (
    "/xrpc/app.bsky.actor.getProfiles",
    "/xrpc/app.bsky.feed.getAuthorFeed",
    "/xrpc/app.bsky.feed.getPosts",
    "/xrpc/app.bsky.graph.getFollowers",
)
BATCH, PAGE = 25, 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Where a page of followers ends: when its last one followed, in milliseconds, or as the key of the record of it, whose
# first 53 of 63 bits are microseconds (https://atproto.com/specs/tid).
MILLISECONDS, RECORD_KEY = re.compile(r"(\d{1,14})(?:__|$)"), re.compile(r"[2-7a-j][2-7a-z]{12}")
DIGITS_OF_KEY = "234567abcdefghijklmnopqrstuvwxyz"
# Calls for the followers of an account that has none, or few.
FEWEST_CALLS = 2
# Posts of the last days are all asked for, as far as the limit of posts allows; older ones are settled.
YOUNG_DAYS = 10


class Bluesky(Source):
    """The source `bluesky`."""

    name = "bluesky"
    platform = "bluesky"
    base_url = "https://public.api.bsky.app"
    terms = "https://bsky.social/about/support/tos"
    keeps = "profiles and posts as they came, with names and texts"
    term = "an open protocol; what is deleted there, and who asks for it, is to go (`groundswell erase`)"
    would_change = OWN_CHOICE
    # 3,000 requests in 5 minutes for an address; half of it leaves room for whoever else is there.
    per_second = 5.0
    burst = 20.0
    latest_posts = 30
    mappings = ("bluesky_profiles", "bluesky_author_feed", "bluesky_posts", "bluesky_arrivals")
    options = ("arrivals",)

    def classify(self, status: int, body: Any) -> SourceError | None:
        return _classify(status, body)

    def walk(self, asked: Wanted) -> Walk:
        here: set[str] = set()
        for batch in batches((target.account for target in asked.accounts), BATCH):
            here.update((yield _profiles(batch)) or ())
        seen: set[str] = set()
        for target in asked.accounts:
            if target.account not in here or not target.latest_posts:
                continue
            cursor, left = None, target.latest_posts
            while left > 0:
                facts = yield _feed(target.account, cursor, min(left, PAGE))
                if facts is None:
                    break
                seen.update(facts["posts"])
                left -= facts["count"]
                young = str(date.fromisoformat(asked.day) - timedelta(days=YOUNG_DAYS))
                if not facts["cursor"] or not facts["count"] or facts["oldest"] < young:
                    break
                cursor = facts["cursor"]
        for batch in batches((post for post in asked.posts if post not in seen), BATCH):
            yield _posts(batch)
        if asked.options.get("arrivals"):
            for target in asked.accounts:
                if target.account in here:
                    yield from _count_arrivals(target.account, asked.day)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        for batch in batches((target.account for target in asked.accounts), BATCH):
            yield _profiles(batch)
        for target in asked.accounts:
            if target.latest_posts:
                yield _feed(target.account, None, min(target.latest_posts, PAGE))
        for batch in batches(asked.posts, BATCH):
            yield _posts(batch)
        if asked.options.get("arrivals"):
            followers = asked.options.get("followers", {})
            for target in asked.accounts:
                for _ in range(FEWEST_CALLS + followers.get(target.account, 0) // PAGE):
                    yield _followers(target.account, None, PAGE, asked.day, Counter())


def _classify(status: int, body: Any) -> SourceError | None:
    """An XRPC error: `error` names its kind, whatever the status."""
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        return None
    kind, message = body["error"], str(body.get("message", ""))[:200]
    if status == 429 or status >= 500:
        return None
    if kind == "AccountTakedown":
        return Suspended(message or kind)
    if "not found" in message.lower() or kind in ("NotFound", "AccountDeactivated", "UnknownActor"):
        return NotFound(message or kind)
    if kind in ("BlockedActor", "BlockedByActor"):
        return NotFound(kind)
    if kind in ("AuthMissing", "AuthenticationRequired", "InvalidToken", "ExpiredToken"):
        return None if status in (401, 403) else BadAnswer(f"{kind}: {message}")
    return BadAnswer(f"{kind}: {message}")


def _absent(asked: Iterable[str], there: set[str]) -> dict[str, str]:
    """Unknown actors and deleted posts are left out of an answer in silence."""
    return {each: "not_found" for each in asked if each.lower() not in there}


def _profiles(actors: tuple[str, ...]) -> Call:
    def read(body: Any) -> Brought:
        items = listed(body, "profiles")
        there = {str(item.get(key, "")).lower() for item in items for key in ("did", "handle")}
        missing = _absent(actors, there)
        return Brought(items, missing, [actor for actor in actors if actor not in missing])

    return Call("profiles", PROFILES, read, tuple(("actors", actor) for actor in actors), actors, owner=("did",))


def _feed(actor: str, cursor: str | None, limit: int) -> Call:
    params = (("actor", actor), ("filter", "posts_no_replies"), ("limit", str(limit)))

    def read(body: Any) -> Brought:
        items = listed(body, "feed")
        own = [item for item in items if not item.get("reason")]
        following = body.get("cursor")
        if following is not None and following == cursor:
            raise BadAnswer("a page names itself as the next one")
        facts = {
            "posts": [str(at(item, ("post", "uri"))) for item in own],
            "count": len(items),
            "oldest": min((str(at(item, ("post", "indexedAt")) or "") for item in items), default=""),
            "cursor": following,
        }
        return Brought(items, {}, facts)

    more = (("cursor", cursor),) if cursor else ()
    return Call("author_feed", FEED, read, params + more, (actor,), ACCOUNT, owner=("post", "author", "did"))


def _count_arrivals(actor: str, last_day: str) -> Walk:
    """Count an account's followers by the UTC day on which they followed, while they pass by.

    No answer says when one of them came; where a page ends does. A page that ends on the day of the one before it holds
    followers of that day alone; one that ends on an earlier day is asked for again, half as long. A last page may not
    say where it ends: it is asked for again without its last one, so nothing tells the day of the very first follower.
    """
    days: Counter[str] = Counter()
    cursor: str | None = None
    day: str | None = None
    limit = 1
    while True:
        facts = yield _followers(actor, cursor, limit, last_day, days)
        if not facts or facts.get("is_last"):
            return
        if facts["cursor"] is None:
            limit = max(facts["count"] - 1, 1)
        elif facts["count"] == 0:
            cursor = facts["cursor"]
        elif facts["day"] == day or limit == 1:
            day = facts["day"]
            days[day] += facts["count"]
            cursor, limit = facts["cursor"], min(limit * 2, PAGE)
        else:
            limit //= 2


def _followers(actor: str, cursor: str | None, limit: int, last_day: str, days: Counter[str]) -> Call:
    """A page of followers, of whom nothing but their number is kept; the last one brings what was counted."""
    more = (("cursor", cursor),) if cursor else ()

    def read(body: Any) -> Brought:
        count, following = len(listed(body, "followers")), body.get("cursor")
        if following is None and (count == 0 or limit == 1):
            counted = [{"did": actor, "day": day, "followers": found} for day, found in sorted(days.items())]
            return Brought(counted, {}, {"is_last": True})
        if following is None:
            return Brought([], {}, {"count": count, "cursor": None})
        day = _day_of(str(following))
        if following == cursor or day is None:
            raise BadAnswer("a page of followers that does not say where it ends")
        # A clock that is ahead puts nobody on a day that has not begun.
        return Brought([], {}, {"count": count, "cursor": following, "day": min(day, last_day)})

    # The latest come first: nothing else says so, and there is another order.
    params = (("actor", actor), ("limit", str(limit)), ("sort", "latest"), *more)
    return Call("arrivals", FOLLOWERS, read, params, (actor,), ACCOUNT, owner=("did",), name=actor)


def _day_of(cursor: str) -> str | None:
    """The UTC day at which a page ends; null where its cursor tells no time."""
    if RECORD_KEY.fullmatch(cursor):
        microseconds = int("".join(f"{DIGITS_OF_KEY.index(digit):05b}" for digit in cursor), 2) >> 10
    elif milliseconds := MILLISECONDS.match(cursor):
        microseconds = int(milliseconds[1]) * 1000
    else:
        return None
    return str((EPOCH + timedelta(microseconds=microseconds)).date())


def _posts(uris: tuple[str, ...]) -> Call:
    def read(body: Any) -> Brought:
        items = listed(body, "posts")
        return Brought(items, _absent(uris, {str(item.get("uri", "")).lower() for item in items}))

    return Call("posts", POSTS, read, tuple(("uris", uri) for uri in uris), uris, POST, owner=("author", "did"))
