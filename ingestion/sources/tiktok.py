"""TikTok's API for Business: creators by name with their latest posts, and what posts of one's own account reached.

An error comes under status 200, with a code that is not 0. The connection holds a token that renews others for a year;
one of a day is made at each capture.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import (
    BadAnswer,
    DeadMetric,
    NotFound,
    NotSupported,
    Private,
    SourceError,
    Throttled,
    Unauthorised,
    Unreachable,
)
from ingestion.sources.platform import OWN_CHOICE, Brought, Call, Source, Walk, Wanted, alive, at, listed

API = "/open_api/v1.3"
CREATOR, POSTS = f"{API}/tto/tcm/creator/public/", f"{API}/tto/tcm/creator/public/video/list/"
BUSINESS, OWN_VIDEOS = f"{API}/business/get/", f"{API}/business/video/list/"
TOKENS = f"{API}/tt_user/oauth2/refresh_token/"
PAGE, OWN_PAGE, OWN_POSTS = 10, 20, 100
# TikTok tells no capitals apart. An id is in small letters, so that who is erased is found under one spelling.
NAME = re.compile(r"[a-z0-9._]{1,30}")
# Of one's own posts; one that the platform has ended is found by halves.
METRICS: tuple[str, ...] = ("video_views", "likes", "comments", "shares", "reach")
UNAUTHORISED, LIMITS = {40001, 40102, 40103, 40104, 40105, 40110}, {40016, 40100, 40133}
INVALID = 40002
UNKNOWN = re.compile(r"not (?:be )?(?:exist|found)|does ?n.t exist|no such|not exist", re.I)
# What is kept of a creator: the text about themselves, which may hold an address, is not.
KEPT = (
    "creator_id", "handle_name", "display_name", "followers_count", "following_count", "likes_count", "videos_count",
    "median_views", "engagement_rate", "creator_price", "currency", "content_labels.label_name",
    "industry_labels.label_name",
)  # fmt: skip


class TikTok(Source):
    """The source `tiktok`. `account` is the id of a TikTok One account, `business_id` that of one's own account."""

    name = "tiktok"
    platform = "tiktok"
    base_url = "https://business-api.tiktok.com"
    terms = "https://ads.tiktok.com/i18n/official/policy/commercial-terms-of-service"
    keeps = "counts, names, prices and labels of creators, and posts as they came; not the text about themselves"
    term = "commercial use is what this API is for; creators are to have agreed"
    would_change = OWN_CHOICE
    # 10 calls a second and app.
    per_second = 5.0
    burst = 10.0
    needs_key = True
    needs_account = True
    account_is = r"[0-9]{1,30}"
    latest_posts = 30
    options = ("business_id",)
    mappings = ("tiktok_creators", "tiktok_videos", "tiktok_own_videos")

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"Access-Token": login.key} if login else {}

    def names_of(self, account_id: str) -> set[str]:
        return {account_id, f"@{account_id}"}

    def asks_itself(self, own: Mapping[str, Any]) -> bool:
        return "business_id" in own

    def exchange(self, login: Login, now: datetime) -> Call | None:
        """The app's id is the connection's login, its secret `app_secret`; without them the key is a token itself."""
        if not login.login or not login.secret:
            return None

        def read(body: Any) -> Brought:
            held = body["data"]
            return Brought(facts={"token": str(held["access_token"]), "refresh": str(held["refresh_token"])})

        body = {
            "client_id": login.login, "client_secret": login.secret, "grant_type": "refresh_token",
            "refresh_token": login.key,
        }  # fmt: skip
        return Call("token", TOKENS, read, body=json.dumps(body), is_bare=True)

    def classify(self, status: int, body: Any) -> SourceError | None:
        code = body.get("code") if isinstance(body, dict) else None
        if code in (0, "0") or status in (429, 500, 502, 503):
            return None
        if not isinstance(code, int):
            return BadAnswer("an answer without a code") if status == 200 else None
        message = f"{code}: {str(body.get('message', ''))[:200]}"
        if code in UNAUTHORISED:
            return Unauthorised(message)
        if code in LIMITS:
            return Throttled(message)
        if code >= 50000:
            return Unreachable(message)
        if code == INVALID and "field" in message.lower():
            return DeadMetric(message)
        if UNKNOWN.search(message):
            return NotFound(message)
        if "private" in message.lower():
            return Private(message)
        return NotSupported(message) if "not support" in message.lower() else BadAnswer(message)

    def walk(self, asked: Wanted) -> Walk:
        for target in asked.accounts:
            name = yield _creator(asked, target.account)
            left, cursor = target.latest_posts if name else 0, None
            while left > 0:
                page = yield _posts(asked, target.account, name, min(left, PAGE), cursor)
                left -= page["count"] if page else left
                cursor = page["cursor"] if page else None
                if cursor is None:
                    break
        if asked.options.get("asks_itself"):
            yield from _own(asked)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        for target in asked.accounts:
            yield _creator(asked, target.account)
            for first in range(0, target.latest_posts, PAGE):
                yield _posts(asked, target.account, "", PAGE, str(first))
        if asked.options.get("asks_itself"):
            yield _business(asked)
            for first in range(0, OWN_POSTS, OWN_PAGE):
                yield _own_videos(asked, "", METRICS, str(first))


def _creator(asked: Wanted, account: str) -> Call:
    def read(body: Any) -> Brought:
        if not NAME.fullmatch(name):
            raise NotFound(f"{account!r} is no name of an account; it is in small letters")
        found = body.get("data")
        if not isinstance(found, dict) or not isinstance(found.get("handle_name"), str):
            raise BadAnswer("an answer that is no creator")
        held = found["handle_name"].lower()
        return Brought([{**found, "handle_name": held}], facts=held)

    name = account.removeprefix("@")
    params = (("tto_tcm_account_id", str(asked.options.get("account", ""))), ("handle_name", name))
    return Call("creators", CREATOR, read, params, (account,), owner=("handle_name",), kept=KEPT)


def _posts(asked: Wanted, account: str, name: str, limit: int, cursor: str | None) -> Call:
    """A page of posts, each under the name of its account: an answer does not say whose they are."""

    def read(body: Any) -> Brought:
        found = listed(body.get("data"), "posts") if at(body, ("data", "posts")) is not None else []
        following = _next(at(body, ("data", "page_info")), cursor)
        items = [{"handle_name": name, **item} for item in found]
        return Brought(items, facts={"count": len(items), "cursor": following if items else None})

    params = (
        ("tto_tcm_account_id", str(asked.options.get("account", ""))),
        ("handle_name", name),
        ("limit", str(limit)),
        *((("cursor", cursor),) if cursor else ()),
    )
    return Call("videos", POSTS, read, params, (account,), owner=("handle_name",))


def _next(page: Any, cursor: str | None) -> str | None:
    """The cursor of the page after; null where there is none. Raises BadAnswer for a page without an end."""
    if not isinstance(page, dict) or "has_more" not in page:
        raise BadAnswer("a page that does not say whether another follows")
    following = str(page["cursor"]) if page["has_more"] else None
    if following is not None and following == cursor:
        raise BadAnswer("a page names itself as the next one")
    return following


def _own(asked: Wanted) -> Walk:
    name, metrics, cursor = (yield _business(asked)), METRICS, None
    for _ in range(0, OWN_POSTS, OWN_PAGE):
        page = (yield _own_videos(asked, name, metrics, cursor)) if name else None
        if page and page.get("dead"):
            probe = partial(_own_videos, asked, name, cursor=cursor, is_probe=True)
            metrics = yield from alive(probe, metrics)
            page = yield _own_videos(asked, name, metrics, cursor)
        cursor = page.get("cursor") if page else None
        if cursor is None:
            return


def _business(asked: Wanted) -> Call:
    def read(body: Any) -> Brought:
        return Brought(facts=str(body["data"]["username"]).lower())

    params = (("business_id", str(asked.options.get("business_id", ""))), ("fields", json.dumps(["username"])))
    return Call("business", BUSINESS, read, params, (str(asked.options.get("account", "")),))


def _own_videos(asked: Wanted, name: str, metrics: tuple[str, ...], cursor: str | None, is_probe: bool = False) -> Call:
    def read(body: Any) -> Brought:
        page = body["data"]
        items = [{"handle_name": name, **item} for item in listed(page, "videos")]
        return Brought([] if is_probe else items, facts={"cursor": _next(page, cursor)})

    params = (
        ("business_id", str(asked.options.get("business_id", ""))),
        ("fields", json.dumps(["item_id", "create_time", *metrics])), ("max_count", str(OWN_PAGE)),
        *((("cursor", cursor),) if cursor else ()),
    )  # fmt: skip
    targets = () if is_probe else (str(asked.options.get("account", "")),)
    return replace(Call("own_videos", OWN_VIDEOS, read, params, targets, owner=("handle_name",)), is_group=True)
