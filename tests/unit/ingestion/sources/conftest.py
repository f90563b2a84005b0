"""A platform on 127.0.0.1, a data folder, and a clock that moves when it is slept on."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion import ledger
from ingestion.config import Login, Settings
from ingestion.sources.capture import Captured, capture
from ingestion.sources.clock import Clock
from ingestion.sources.settings import load_sources

START = datetime(2026, 1, 5, 22, 0, 0)


@dataclass
class Time:
    """A clock of which nobody waits: sleeping moves it."""

    at: datetime = START
    ticks: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.ticks += seconds
        self.at += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.ticks, self.sleep)


@dataclass
class World:
    """A data folder whose sources answer on 127.0.0.1."""

    settings: Settings
    config: Path
    server: HTTPServer
    time: Time = field(default_factory=Time)
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def sources(self, text: str) -> None:
        (self.config / "sources.yml").write_text(text.replace("SERVER", self.server.url_for("").rstrip("/")))

    def watch(self, *accounts: str, platform: str = "bluesky") -> None:
        rows = "".join(f"{platform},{account}\n" for account in accounts)
        (self.config / "watchlist.csv").write_text(f"platform,account\n{rows}")

    def answer(self, path: str, handler: Callable[[Request], Any]) -> None:
        """Let the server answer a path; a handler gives JSON, or a whole response."""

        def respond(request: Request) -> Response:
            self.requests.append(request.full_path)
            given = handler(request)
            return (
                given if isinstance(given, Response) else Response(json.dumps(given), content_type="application/json")
            )

        self.server.expect_request(path).respond_with_handler(respond)

    def capture(
        self, name: str = "bluesky", key: str | None = None, stop_at: datetime | None = None, login: str = "4711"
    ) -> Captured:
        entry = load_sources(self.settings)[name]
        login = Login(login, key, "app-s3cret") if key else None
        return capture(self.settings, name, entry, lambda _: login, self.said.append, self.time.clock, stop_at)

    def landed(self) -> dict[str, list[Any]]:
        """What lies in landing, by file."""
        found = {}
        for file in sorted(self.settings.landing.rglob("*.jsonl.gz")):
            lines = gzip.decompress(file.read_bytes()).splitlines()
            found[file.relative_to(self.settings.landing).as_posix()] = [json.loads(line) for line in lines]
        return found

    def bytes_landed(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted(self.settings.landing.rglob("*")) if file.is_file()}

    def outcomes(self, name: str = "bluesky", day: str = "2026-01-05") -> dict[str, str]:
        with ledger.read(self.settings) as connection:
            return {target: what for (_, target), what in ledger.outcomes_of_day(connection, name, day).items()}


def nowhere_under(world: World, *texts: str) -> bool:
    """Whether no file of the data folder, packed or not, no line for people and no address holds one of the texts."""
    held = [line.encode() for line in (*world.said, *world.requests)]
    for file in world.settings.data.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            held += [content, gzip.decompress(content) if file.suffix == ".gz" else b""]
            if file.suffix == ".parquet":
                held.append(str(duckdb.read_parquet(str(file), hive_partitioning=False).fetchall()).encode())
    found = {text for text in texts for content in held if text.encode() in content}
    assert not found, found
    return True


@pytest.fixture
def world(tmp_path: Path, httpserver: HTTPServer) -> World:
    config = tmp_path / "config"
    config.mkdir()
    settings = Settings(_env_file=None, data=tmp_path / "data", config=config, settle_seconds=0.0)  # type: ignore[call-arg]
    made = World(settings, config, httpserver)
    made.sources("bluesky:\n  base_url: SERVER\n")
    return made


PROFILES = "/xrpc/app.bsky.actor.getProfiles"
FEED = "/xrpc/app.bsky.feed.getAuthorFeed"
POSTS = "/xrpc/app.bsky.feed.getPosts"


def profile(name: str, followers: int = 1000) -> dict[str, Any]:
    """A made-up profile in the shape of `app.bsky.actor.defs#profileViewDetailed`."""
    return {
        "did": f"did:plc:{name}", "handle": f"{name}.test", "displayName": name.title(), "associated": {"lists": 0},
        "followersCount": followers, "followsCount": 12, "postsCount": 3, "indexedAt": "2025-01-01T00:00:00Z", "labels": [],
    }  # fmt: skip


def post(name: str, key: int, likes: int = 7, created: str = "2026-01-04T10:00:00.000Z") -> dict[str, Any]:
    """A made-up post in the shape of `app.bsky.feed.defs#postView`."""
    return {
        "uri": f"at://did:plc:{name}/app.bsky.feed.post/{key}", "cid": "bafy", "author": {"did": f"did:plc:{name}"},
        "record": {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": created}, "replyCount": 2,
        "repostCount": 3, "likeCount": likes, "quoteCount": 1, "bookmarkCount": 4, "indexedAt": created, "labels": [],
    }  # fmt: skip


def name_of(actor: str) -> str:
    return actor.removeprefix("did:plc:").removesuffix(".test")


def bluesky(world: World, gone: tuple[str, ...] = (), posts_each: int = 2) -> None:
    """Bluesky as it answers in life: unknown actors and deleted posts are silently absent."""

    def profiles(request: Request) -> Any:
        names = [name_of(actor) for actor in request.args.getlist("actors")]
        return {"profiles": [profile(name) for name in names if name not in gone]}

    def feed(request: Request) -> Any:
        name, limit = name_of(request.args["actor"]), int(request.args["limit"])
        first = int(request.args.get("cursor", "0"))
        last = min(posts_each, first + limit)
        repost = (
            [{"post": post("other", 1), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}] if not first else []
        )
        found = {"feed": [*({"post": post(name, key)} for key in range(first, last)), *repost]}
        return found | ({"cursor": str(last)} if last < posts_each else {})

    def posts(request: Request) -> Any:
        uris = [uri.split("/") for uri in request.args.getlist("uris")]
        return {"posts": [post(name_of(uri[2]), int(uri[4])) for uri in uris if uri[4] != "404"]}

    world.answer(PROFILES, profiles)
    world.answer(FEED, feed)
    world.answer(POSTS, posts)
