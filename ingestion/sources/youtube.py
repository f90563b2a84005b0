"""YouTube's Data API v3: channels in batches, their uploads, the videos in batches. A list call costs one unit.

Counts are strings, subscribers may be hidden behind a flag, a paid placement is named: the mappings read them.
"""

from collections.abc import Iterator
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import (
    BadAnswer,
    BudgetSpent,
    NotFound,
    Private,
    SourceError,
    Throttled,
    Unauthorised,
    Unreachable,
)
from ingestion.sources.platform import POST, Brought, Call, Source, Walk, Wanted, at, batches, listed

CHANNELS, UPLOADS, VIDEOS = "/youtube/v3/channels", "/youtube/v3/playlistItems", "/youtube/v3/videos"
BATCH = 50
CHANNEL_PARTS = "snippet,statistics,contentDetails"
VIDEO_PARTS = "snippet,statistics,contentDetails,paidProductPlacementDetails,brandPartner"
SPENT = {"quotaExceeded", "dailyLimitExceeded"}
THROTTLED = {"rateLimitExceeded", "userRateLimitExceeded"}
PRIVATE = {"playlistItemsNotAccessible", "playlistForbidden", "channelForbidden"}


class YouTube(Source):
    """The source `youtube`."""

    name = "youtube"
    platform = "youtube"
    base_url = "https://youtube.googleapis.com"
    terms = "https://developers.google.com/youtube/terms/developer-policies"
    keeps = "channels and videos as they came, with names and titles"
    term = "what the API answers may be kept for 30 days, unless YouTube has agreed to more"
    would_change = "an audit by YouTube with its written agreement: then `retention_days` in config/sources.yml"
    retention_days = 30
    # Scores and ratios that are made of answers go with them, unless the amendment names them.
    keeps_derived = False
    per_second = 10.0
    burst = 20.0
    units_a_day = 10_000
    unit = "unit"
    needs_key = True
    mappings = ("youtube_channels", "youtube_videos")
    # A video is read twice, with a brand partner and without: its file has more rows than lines.
    unrolled = ("videos",)

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"X-Goog-Api-Key": login.key} if login else {}

    def classify(self, status: int, body: Any) -> SourceError | None:
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return None
        reasons = {str(each.get("reason")) for each in error.get("errors") or () if isinstance(each, dict)}
        message = str(error.get("message", ""))[:200]
        if reasons & SPENT:
            return BudgetSpent("the quota of the project is spent for today")
        if reasons & THROTTLED or status == 429:
            return Throttled(message)
        if reasons & PRIVATE:
            return Private(message)
        if status == 404:
            return NotFound(message)
        if status in (401, 403) or "API key" in message:
            return Unauthorised(f"the key is not taken: {message}")
        if status >= 500 or reasons & {"backendError", "internalError"}:
            return Unreachable(message or f"it fails by itself ({status})")
        return BadAnswer(f"{', '.join(sorted(reasons)) or status}: {message}")

    def walk(self, asked: Wanted) -> Walk:
        uploads: dict[str, str] = {}
        for call in _channels(asked):
            uploads.update((yield call) or {})
        videos: dict[str, None] = {}
        for target in asked.accounts:
            playlist = uploads.get(target.account)
            token, left = None, target.latest_posts if playlist else 0
            while playlist and left > 0:
                facts = yield _uploads(target.account, playlist, token, min(left, BATCH))
                if facts is None:
                    break
                videos.update(dict.fromkeys(facts["videos"]))
                left -= len(facts["videos"])
                token = facts["next"]
                if not token or not facts["videos"]:
                    break
        videos.update(dict.fromkeys(asked.posts))
        for batch in batches(videos, BATCH):
            yield _videos(batch)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        yield from _channels(asked)
        for target in asked.accounts:
            for first in range(0, target.latest_posts, BATCH):
                yield _uploads(target.account, "", str(first), BATCH)
        videos = sum(target.latest_posts for target in asked.accounts) + len(asked.posts)
        for batch in batches(map(str, range(videos)), BATCH):
            yield _videos(batch)


def _channels(asked: Wanted) -> Iterator[Call]:
    """Channels by id in batches; a handle is asked for by itself."""
    ids = [target.account for target in asked.accounts if not target.account.startswith("@")]
    for batch in batches(ids, BATCH):
        yield _channel_call(batch, ("id", ",".join(batch)))
    for target in asked.accounts:
        if target.account.startswith("@"):
            yield _channel_call((target.account,), ("forHandle", target.account))


def _channel_call(targets: tuple[str, ...], wanted: tuple[str, str]) -> Call:
    def read(body: Any) -> Brought:
        # A list without items is left out of the answer.
        items = listed(body, "items") if "items" in body else []
        by_name = {str(item.get("id")): item for item in items}
        if wanted[0] == "forHandle" and items:
            by_name = {targets[0]: items[0]}
        missing = {each: "not_found" for each in targets if each not in by_name}
        playlists = {
            each: at(item, ("contentDetails", "relatedPlaylists", "uploads")) for each, item in by_name.items()
        }
        return Brought(items, missing, {each: playlist for each, playlist in playlists.items() if playlist})

    params = (("part", CHANNEL_PARTS), wanted, ("maxResults", str(BATCH)))
    return Call("channels", CHANNELS, read, params, targets, owner=("id",))


def _uploads(account: str, playlist: str, token: str | None, most: int) -> Call:
    """Ids of the latest videos; a channel that never published has no such list."""

    def read(body: Any) -> Brought:
        items = listed(body, "items") if "items" in body else []
        following = body.get("nextPageToken")
        if following is not None and following == token:
            raise BadAnswer("a page names itself as the next one")
        videos = [at(item, ("contentDetails", "videoId")) for item in items]
        return Brought(facts={"videos": [each for each in videos if each], "next": following})

    params = (("part", "contentDetails"), ("playlistId", playlist), ("maxResults", str(most)))
    more = (("pageToken", token),) if token else ()
    return Call("uploads", UPLOADS, read, params + more, (account,), absent_is_empty=True)


def _videos(ids: tuple[str, ...]) -> Call:
    def read(body: Any) -> Brought:
        items = listed(body, "items") if "items" in body else []
        there = {str(item.get("id")) for item in items}
        return Brought(items, {each: "not_found" for each in ids if each not in there})

    params = (("part", VIDEO_PARTS), ("id", ",".join(ids)), ("maxResults", str(BATCH)))
    return Call("videos", VIDEOS, read, params, ids, POST, owner=("snippet", "channelId"))
