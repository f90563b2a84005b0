"""Time a capture of many accounts from a server on this machine: calls against the forecast, and memory.

`python -m bench.capture --accounts 10000 --posts 30`. The rate of calls is lifted: what is measured is the engine.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from ingestion.config import Settings, utc_now
from ingestion.sources.capture import capture
from ingestion.sources.catalog import SOURCES
from ingestion.sources.clock import Clock
from ingestion.sources.forecast import forecast
from ingestion.sources.settings import load_sources


class Platform(BaseHTTPRequestHandler):
    """Bluesky's shape with made-up counts."""

    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: in two, each waits 40 ms for the other's receipt.
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        if "actors" in asked:
            body = {"profiles": [_profile(actor) for actor in asked["actors"]]}
        else:
            body = {"feed": [{"post": _post(asked["actor"][0], key)} for key in range(int(asked["limit"][0]))]}
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _profile(actor: str) -> dict[str, object]:
    return {"did": f"did:plc:{actor}", "handle": actor, "followersCount": 1000, "followsCount": 5, "postsCount": 3}


def _post(actor: str, key: int) -> dict[str, object]:
    record = {"text": "x" * 200, "createdAt": "2026-01-01T00:00:00Z"}
    counts = {"likeCount": key, "replyCount": 1, "repostCount": 2, "indexedAt": "2026-01-01T00:00:00Z"}
    return {"uri": f"at://{actor}/p/{key}", "author": {"did": f"did:plc:{actor}"}, "record": record, **counts}


def main() -> None:
    """Serve from a process of its own, capture from this one, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--posts", type=int, default=30)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
        print(server.server_port, flush=True)
        server.serve_forever()
    command = [sys.executable, "-m", "bench.capture", "--serve"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as served,
    ):
        assert served.stdout is not None
        try:
            _measure(Path(folder), int(served.stdout.readline()), given.accounts, given.posts)
        finally:
            served.kill()


def _server(command: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _measure(folder: Path, port: int, accounts: int, posts: int) -> None:
    config = folder / "config"
    config.mkdir()
    (config / "sources.yml").write_text(f"bluesky:\n  base_url: http://127.0.0.1:{port}\n  latest_posts: {posts}\n")
    (config / "watchlist.csv").write_text(
        "platform,account\n" + "".join(f"bluesky,a{number}.test\n" for number in range(accounts))
    )
    settings = Settings(_env_file=None, data=folder / "data", config=config)  # type: ignore[call-arg]
    entry = load_sources(settings)["bluesky"]
    expected = forecast(settings, "bluesky", entry, utc_now())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    waited, began = 0.0, time.monotonic()

    def sleep(seconds: float) -> None:
        nonlocal waited
        waited += seconds

    done = capture(settings, "bluesky", entry, lambda _: None, lambda _: None, Clock(utc_now, _Lifted().now, sleep))
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = sum(file.stat().st_size for file in settings.landing.rglob("*.gz"))
    print(f"{done.received:,} of {done.asked:,} accounts, {done.rows:,} rows, {size / 1e6:,.1f} MB landed")
    each = 1000 * seconds / done.calls
    print(f"{done.calls:,} calls, forecast {expected.calls:,}; {seconds:,.1f} s, {each:,.1f} ms a call")
    print(
        f"memory {peak:,.0f} MB, {before:,.0f} MB of it before; the token bucket asked for {waited:,.0f} s, not waited"
    )
    print(f"in earnest {expected.minutes:,.0f} minutes at {SOURCES['bluesky'].per_second:g} calls a second")


class _Lifted:
    """A clock of waiting that stands still, so that each wait of the bucket is one for a whole token."""

    def now(self) -> float:
        return 0.0


if __name__ == "__main__":
    main()
