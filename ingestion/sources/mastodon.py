"""Mastodon: an account of its own server, and its latest statuses. Each server is asked itself: others hold copies of
an account whose counts are old or partial.
"""

import re
from collections.abc import Iterator
from typing import Any

from ingestion.sources.errors import BadAnswer, NotFound, Private, SourceError
from ingestion.sources.platform import OWN_CHOICE, Brought, Call, Source, Walk, Wanted

LOOKUP, STATUSES = "/api/v1/accounts/lookup", "/api/v1/accounts/{}/statuses"
PAGE = 40
NAME = re.compile(r"@?(?P<user>[A-Za-z0-9_.-]+)@(?P<host>[a-z0-9.-]+\.[a-z][a-z0-9-]*)", re.I)
ADDRESS = re.compile(r"https://(?P<host>[a-z0-9.-]+\.[a-z][a-z0-9-]*)/(?:@|users/)(?P<user>[A-Za-z0-9_.-]+)/?", re.I)


class Mastodon(Source):
    """The source `mastodon`. An account is `user@server`, or its page `https://server/@user`, its id in marts."""

    name = "mastodon"
    platform = "mastodon"
    # The account's own server, unless `sources.yml` names one that answers for all.
    base_url = ""
    terms = "https://joinmastodon.org/servers"
    keeps = "accounts and statuses as they came, with names and texts"
    term = "each server has rules of its own; who asks for it is to go (`groundswell erase`)"
    would_change = OWN_CHOICE
    # 300 requests in 5 minutes for an address and server.
    per_second = 0.9
    burst = 20.0
    latest_posts = 40
    mappings = ("mastodon_accounts", "mastodon_statuses")

    def classify(self, status: int, body: Any) -> SourceError | None:
        """A server that shows nothing to strangers is one server, not a wrong key."""
        if status in (401, 403, 422):
            return Private(f"the server shows it to members alone ({status})")
        return None

    def names_of(self, account_id: str) -> set[str]:
        found = ADDRESS.fullmatch(account_id)
        name = f"{found['user']}@{found['host']}" if found else account_id
        return {account_id, name, f"@{name}"}

    def walk(self, asked: Wanted) -> Walk:
        for target in asked.accounts:
            facts = yield _lookup(target.account)
            last, left = None, target.latest_posts
            while facts and left > 0:
                page = yield _statuses(target.account, facts["id"], last, min(left, PAGE))
                if page is None or page["count"] < min(left, PAGE):
                    break
                last, left = page["last"], left - page["count"]

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        for target in asked.accounts:
            yield _lookup(target.account)
            for first in range(0, target.latest_posts, PAGE):
                yield _statuses(target.account, "", str(first), PAGE)


def server_of(account: str) -> tuple[str, str] | None:
    """User and server of an account as people write it; null for what is none."""
    found = NAME.fullmatch(account) or ADDRESS.fullmatch(account)
    return (found["user"], found["host"].lower()) if found else None


def _address(account: str, path: str) -> str:
    found = server_of(account)
    return f"https://{found[1]}{path}" if found else path


def _lookup(account: str) -> Call:
    def read(body: Any) -> Brought:
        if server_of(account) is None:
            raise NotFound(f"{account!r} is no account; write it as user@server")
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            raise BadAnswer("an answer that is no account")
        if body.get("suspended"):
            return Brought(missing={account: "suspended"})
        return Brought([body], facts={"id": body["id"]})

    name = "@".join(server_of(account) or (account,))
    return Call("accounts", _address(account, LOOKUP), read, (("acct", name),), (account,), owner=("url",))


def _statuses(account: str, number: str, last: str | None, most: int) -> Call:
    def read(body: Any) -> Brought:
        if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
            raise BadAnswer("an answer that is no list of statuses")
        ids = [str(item.get("id")) for item in body]
        if ids and ids[-1] == last:
            raise BadAnswer("a page names itself as the next one")
        return Brought(body, facts={"count": len(body), "last": ids[-1] if ids else None})

    params = (("exclude_reblogs", "true"), ("limit", str(most)), *((("max_id", last),) if last else ()))
    path = _address(account, STATUSES.format(number))
    return Call("statuses", path, read, params, (account,), owner=("account", "url"))
