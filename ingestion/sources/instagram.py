"""Instagram's Graph API, asked through your own professional account: counts of creators by name, and what your own
posts reached. Metrics are asked in a group; one that the platform has ended is found by halves, and costs no other.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import (
    BadAnswer,
    DeadMetric,
    NotFound,
    NotSupported,
    SourceError,
    Throttled,
    Unauthorised,
    Unreachable,
)
from ingestion.sources.platform import OWN_CHOICE, POST, Brought, Call, Source, Walk, Wanted, alive, at, listed

VERSION = "v27.0"
USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
ACCOUNT_FIELDS = "id,username,name,followers_count,follows_count,media_count"
MEDIA_FIELDS = "id,caption,media_type,media_product_type,permalink,timestamp,comments_count,like_count,view_count"
OWN_FIELDS = "id,username,media_type,media_product_type,timestamp,permalink,like_count,comments_count"
# What is asked of each kind of one's own post; stories are gone after a day and are left out.
METRICS: dict[str, tuple[str, ...]] = {
    "FEED": ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions"),
    "REELS": ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions"),
}
PAGE = 50
# Codes of errors of the Graph API.
EXPIRED, LIMITS, PASSING, DEAD = (102, 190, 463, 467), (4, 17, 32, 613, 80002), (1, 2), 100
NO_USER = 2207013


class Instagram(Source):
    """The source `instagram`. It needs `account`: the id of your own professional account."""

    name = "instagram"
    platform = "instagram"
    base_url = "https://graph.facebook.com"
    terms = "https://developers.facebook.com/terms/"
    keeps = "accounts and posts as they came, with names and captions"
    term = "Meta forbids databases of people who did not agree: keep to creators under contract, with a `legal_basis`"
    would_change = OWN_CHOICE
    # 200 calls an hour and user of the app.
    per_second = 0.055
    burst = 150.0
    needs_key = True
    needs_account = True
    latest_posts = 50
    mappings = ("instagram_business_discovery", "instagram_own_insights")
    unrolled = ("business_discovery",)

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {login.key}"} if login else {}

    def classify(self, status: int, body: Any) -> SourceError | None:
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return None
        code, below, message = error.get("code"), error.get("error_subcode"), str(error.get("message", ""))[:200]
        if code in EXPIRED:
            return Unauthorised(f"the token is not taken: {message}")
        if code in LIMITS or status == 429:
            return Throttled(message)
        if code in PASSING or status >= 500:
            return Unreachable(message)
        if below == NO_USER or "Cannot find User" in message or "does not exist" in message:
            return NotFound(message)
        if code == 10 or (isinstance(code, int) and 200 <= code < 300):
            return NotSupported(f"without the right to ask it: {message}")
        if code == DEAD:
            return DeadMetric(message)
        return BadAnswer(f"{code}: {message}")

    def renewal(self, login: Login, token: str) -> Call | None:
        """A token of a person ends after 60 days. The platform wants all of it in the address, which is never shown."""
        if not login.login or not login.secret:
            return None

        def read(body: Any) -> Brought:
            value = body.get("access_token") if isinstance(body, dict) else None
            if not isinstance(value, str) or not value:
                raise BadAnswer("an answer without a token")
            return Brought(facts=value)

        params = (
            ("grant_type", "fb_exchange_token"), ("client_id", login.login), ("client_secret", login.secret),
            ("fb_exchange_token", token),
        )  # fmt: skip
        return Call("renewal", f"/{VERSION}/oauth/access_token", read, params)

    def walk(self, asked: Wanted) -> Walk:
        own = str(asked.options["account"])
        for target in asked.accounts:
            yield _discovery(own, target.account, target.latest_posts)
        if not asked.options.get("asks_itself"):
            return
        known = dict(METRICS)
        for media in (yield _own_media(own)) or ():
            kind = str(media.get("media_product_type"))
            if not known.get(kind):
                continue
            facts = yield _insight(media, known[kind])
            if facts and facts.get("dead"):
                # What has proved dead for one post of a kind is not asked for the next.
                known[kind] = yield from alive(partial(_insight, media, is_probe=True), known[kind])
                if known[kind]:
                    yield _insight(media, known[kind])

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        own = str(asked.options.get("account", ""))
        for target in asked.accounts:
            yield _discovery(own, target.account, target.latest_posts)
        yield _own_media(own)
        for number in range(PAGE):
            yield _insight({"id": str(number)}, METRICS["FEED"])


def _discovery(own: str, username: str, posts: int) -> Call:
    def read(body: Any) -> Brought:
        if name != username:
            raise NotFound(f"{username!r} is no name of an account")
        found = body.get("business_discovery") if isinstance(body, dict) else None
        if not isinstance(found, dict) or "id" not in found:
            raise BadAnswer("an answer without a business account")
        return Brought([body])

    # A name that holds what no name does would be read as a field.
    name = username if USERNAME.fullmatch(username) else "_"
    media = f",media.limit({min(posts, PAGE)}){{{MEDIA_FIELDS}}}" if posts else ""
    fields = f"business_discovery.username({name}){{{ACCOUNT_FIELDS}{media}}}"
    owner = ("business_discovery", "username")
    return Call("business_discovery", f"/{VERSION}/{own}", read, (("fields", fields),), (username,), owner=owner)


def _own_media(own: str) -> Call:
    def read(body: Any) -> Brought:
        return Brought(facts=[item for item in listed(body, "data") if "id" in item])

    return Call("media", f"/{VERSION}/{own}/media", read, (("fields", OWN_FIELDS), ("limit", str(PAGE))), (own,))


def _insight(media: dict[str, Any], metrics: tuple[str, ...], is_probe: bool = False) -> Call:
    """What a post of one's own reached. Each value stands under its metric's name: a list has no names to map."""

    def read(body: Any) -> Brought:
        named = {str(each.get("name")): _value(each) for each in listed(body, "data")}
        # A metric without a value is left out: an empty set is not 0.
        held = {name: value for name, value in named.items() if value is not None}
        return Brought([] if is_probe else [{"media": media, "insights": held}], facts={})

    url = f"/{VERSION}/{media['id']}/insights"
    targets = () if is_probe else (str(media["id"]),)
    call = Call("own_insights", url, read, (("metric", ",".join(metrics)),), targets, POST)
    return replace(call, owner=("media", "username"), is_group=True)


def _value(metric: dict[str, Any]) -> Any:
    total = at(metric, ("total_value", "value"))
    values = metric.get("values")
    if total is not None or not isinstance(values, list) or not values or not isinstance(values[0], dict):
        return total
    return values[0].get("value")
