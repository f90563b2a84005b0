"""Bluesky's AppView: profiles in batches, the posts of an author, posts by their address. No key, no units.

Read from the lexicons `app.bsky.actor.getProfiles`, `app.bsky.feed.getAuthorFeed` and `app.bsky.feed.getPosts`.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
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

PROFILES, FEED, POSTS = (
    "/xrpc/app.bsky.actor.getProfiles",
    "/xrpc/app.bsky.feed.getAuthorFeed",
    "/xrpc/app.bsky.feed.getPosts",
)
BATCH, PAGE = 25, 100
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
    mappings = ("bluesky_profiles", "bluesky_author_feed", "bluesky_posts")

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

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        for batch in batches((target.account for target in asked.accounts), BATCH):
            yield _profiles(batch)
        for target in asked.accounts:
            if target.latest_posts:
                yield _feed(target.account, None, min(target.latest_posts, PAGE))
        for batch in batches(asked.posts, BATCH):
            yield _posts(batch)


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


def _posts(uris: tuple[str, ...]) -> Call:
    def read(body: Any) -> Brought:
        items = listed(body, "posts")
        return Brought(items, _absent(uris, {str(item.get("uri", "")).lower() for item in items}))

    return Call("posts", POSTS, read, tuple(("uris", uri) for uri in uris), uris, POST, owner=("author", "did"))
