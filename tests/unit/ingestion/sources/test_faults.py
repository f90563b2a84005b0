"""What platforms do to a caller: each fault costs what it must, has its reason, and lets the others go on."""

import gzip
import json
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.errors import ConfigError
from ingestion.sources import fetch
from ingestion.sources.capture import record_unasked
from ingestion.sources.errors import CaptureRefused
from ingestion.sources.settings import load_sources
from ingestion.user_config.watchlist import load_watchlist
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import FEED, PROFILES, World, bluesky, name_of, post, profile

Answers = Callable[[Request], Any]


def failing_first(world: World, path: str, *faults: Any) -> None:
    """Let a path answer with faults first, and then as it does in life."""
    bluesky(world)
    handlers = world.server.handlers  # type: ignore[attr-defined]
    *_, well = rules = [rule for rule in handlers if rule.matcher.uri == path]
    left = list(faults)

    def answer(request: Request) -> Any:
        if left:
            fault = left.pop(0)
            return fault(request) if callable(fault) else fault
        return well.respond(request)

    for rule in rules:
        handlers.remove(rule)
    world.answer(path, answer)


def only(world: World, path: str, answer: Any) -> None:
    """Let a path always answer alike, and the others as they do in life."""
    failing_first(world, path, *[answer] * 500)


def status(code: int, body: str = "", **headers: str) -> Response:
    return Response(body, code, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [
        (lambda _: status(429, Retry_After="7"), 7, 8),
        (lambda _: status(429, Retry_After="Mon, 05 Jan 2026 22:00:30 GMT"), 30, 31),
        # A clock that is ahead of ours: no wait below nothing.
        (lambda _: status(429, Retry_After="Mon, 05 Jan 2026 21:00:00 GMT"), 0, 1),
        (lambda _: status(429, RateLimit_Remaining="0", RateLimit_Reset="1767650460"), 60, 61),
        (lambda _: status(429, Retry_After="soon"), 0.5, 1),
        (lambda _: status(429), 0.5, 1),
        (lambda _: status(503, Retry_After="9"), 9, 10),
        (lambda _: status(500, "<html>"), 0.5, 1),
        (lambda _: status(502, '{"error": "UpstreamFailure"}'), 0.5, 1),
        # A page that is cut, and a proxy's page under status 200.
        (lambda _: status(200, '{"profiles": [{"did": "did:pl'), 0.5, 1),
        (lambda _: status(200, "<html>sign in to the hotel</html>"), 0.5, 1),
    ],
)  # fmt: skip
def test_a_passing_fault_is_waited_out(world: World, fault: Answers, least: float, most: float) -> None:
    failing_first(world, PROFILES, fault)
    world.watch("anna.test")
    assert world.capture().received == 1
    assert len(world.time.slept) == 1
    assert least <= world.time.slept[0] <= most


def test_waits_grow_and_end_with_the_deadline(world: World) -> None:
    only(world, PROFILES, lambda _: status(429))
    world.watch("anna.test")
    assert dict(world.capture().missing) == {"throttled": 1}
    assert world.time.slept == sorted(world.time.slept) or max(world.time.slept) > 8
    assert sum(world.time.slept) <= fetch.DEADLINE_SECONDS


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: status(200, json.dumps({"error": "InternalServerError", "message": "x"})), "contract"),
        (lambda _: status(200, '{"profiles": 3}'), "contract"),
        (lambda _: status(200, '{"profiles": ["a"]}'), "contract"),
        (lambda _: status(200, "[]"), "contract"),
        (lambda _: status(200, "not JSON"), "contract"),
        (lambda _: status(200, "[" * 100_000), "contract"),
        (lambda _: status(400, '{"error":"InvalidRequest","message":"array too big (maximum 25, got 26)"}'), "contract"),
        (lambda _: status(401, '{"error":"AuthMissing"}'), "auth"),
        (lambda _: status(403), "auth"),
        (lambda _: status(500), "unreachable"),
        (lambda _: status(429, Retry_After="86400"), "throttled"),
        (lambda _: status(302, Location="http://127.0.0.2:1/x"), "contract"),
        (lambda _: status(301, Location="https://evil.example/steal"), "contract"),
        (lambda _: status(302), "contract"),
        (lambda request: status(302, Location=request.full_path), "contract"),
    ],
)  # fmt: skip
def test_a_lasting_fault_has_its_reason(world: World, answer: Answers, reason: str) -> None:
    only(world, PROFILES, answer)
    world.watch("anna.test", "ben.test")
    done = world.capture()
    assert dict(done.missing) == {reason: 2}
    assert not world.landed()
    assert done.problems or world.said


def test_a_redirect_to_another_host_is_refused_and_named(world: World) -> None:
    """Also to another port of the same machine: a key would go with it."""
    elsewhere: list[str] = []
    world.answer("/there", lambda request: elsewhere.append(request.path) or {})
    host = world.server.url_for("/there").replace("localhost", "127.0.0.1")
    only(world, PROFILES, lambda _: status(307, Location=host))
    world.watch("anna.test")
    assert dict(world.capture().missing) == {"contract": 1}
    assert elsewhere == []
    assert any("redirects to another host (127.0.0.1), which is refused" in line for line in world.said)


def test_a_redirect_within_the_host_is_followed(world: World) -> None:
    failing_first(world, PROFILES, lambda request: status(307, Location=request.full_path))
    world.watch("anna.test")
    assert world.capture().received == 1


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_body_without_end_is_not_read_to_its_end(world: World, is_packed: bool) -> None:
    """1 GB, as it is or packed into a thousandth of that."""
    sent = 0

    def blocks() -> Any:
        nonlocal sent
        block = b" " * (1 << 16)
        if is_packed:
            yield gzip.compress(b" " * (1 << 26))
            return
        for _ in range(1 << 14):
            sent += len(block)
            yield block

    headers = {"Content-Encoding": "gzip"} if is_packed else {}
    only(world, PROFILES, lambda _: Response(blocks(), 200, headers, content_type="application/json"))
    world.watch("anna.test")
    assert dict(world.capture().missing) == {"contract": 1}
    assert any("answers with more than" in line for line in world.said)
    assert sent < 64 << 20


def test_no_network(world: World) -> None:
    world.sources("bluesky:\n  base_url: http://127.0.0.1:9\n")
    world.watch(*(f"a{number}.test" for number in range(200)))
    done = world.capture()
    assert dict(done.missing) == {"unreachable": 200}
    # After three calls in vain nothing more is asked: each took its deadline.
    assert sum(world.time.slept) <= 3 * fetch.DEADLINE_SECONDS
    assert "cannot be reached" in done.problems[0]


def test_one_bad_batch_costs_no_other(world: World) -> None:
    bad = lambda _: status(400, '{"error":"InvalidRequest","message":"x"}')  # noqa: E731
    failing_first(world, PROFILES, bad)
    world.watch(*(f"a{number}.test" for number in range(60)))
    done = world.capture()
    assert (done.received, dict(done.missing)) == (35, {"contract": 25})
    assert done.share == pytest.approx(35 / 60)
    # The same day once more: what is missing alone.
    assert world.capture().received == 25


def test_a_source_that_knows_nobody_all_at_once_is_an_outage(world: World) -> None:
    only(world, PROFILES, lambda _: status(200, '{"profiles": []}'))
    world.watch(*(f"a{number}.test" for number in range(12)))
    done = world.capture()
    assert dict(done.missing) == {"contract": 12}
    assert done.share == 0


def test_who_is_gone_for_days_lowers_no_share(world: World) -> None:
    bluesky(world, gone=("ghost",))
    world.watch("anna.test", "ghost.test")
    assert world.capture().share == 0.5
    world.time.at += timedelta(days=1)
    assert world.capture().share == 1


def test_absent_items_of_a_page_and_an_empty_page(world: World) -> None:
    bluesky(world)
    only(world, FEED, lambda _: status(200, '{"feed": []}'))
    world.watch("anna.test")
    assert world.capture().received == 1


def test_a_repeated_cursor_ends_the_pages_and_is_said(world: World) -> None:
    page = {"feed": [{"post": post("anna", 1)}], "cursor": "same"}
    only(world, FEED, lambda _: status(200, json.dumps(page)))
    world.watch("anna.test", "ben.test")
    world.sources("bluesky:\n  base_url: SERVER\n  latest_posts: 200\n")
    done = world.capture()
    assert dict(done.missing) == {"contract": 2}
    assert sum("AuthorFeed" in request for request in world.requests) == 4
    # What had come before it lands.
    assert len(world.landed()[done.files[1]]) == 2


def test_failures_half_way_keep_what_came(world: World) -> None:
    failing_first(world, FEED, *[lambda _: status(500)] * 60)
    world.watch("anna.test", "ben.test", "cleo.test", "dora.test")
    done = world.capture()
    assert len(world.landed()[done.files[0]]) == 4
    assert done.received + done.missing["unreachable"] == 4
    assert done.missing["unreachable"] >= 3


def test_a_key_that_expires_in_the_middle(world: World) -> None:
    failing_first(world, FEED, lambda _: status(200, '{"feed": []}'), *[lambda _: status(401)] * 9)
    world.watch("anna.test", "ben.test", "cleo.test")
    done = world.capture()
    assert (done.received, dict(done.missing)) == (1, {"auth": 2})
    assert sum("AuthorFeed" in request for request in world.requests) == 2


@pytest.mark.parametrize("message", ["Profile not found", "Account has been suspended", "Account is deactivated"])
def test_an_account_that_goes_between_two_calls(world: World, message: str) -> None:
    kind = {"Profile not found": "InvalidRequest", "Account has been suspended": "AccountTakedown"}.get(
        message, "AccountDeactivated"
    )
    failing_first(world, FEED, lambda _: status(400, json.dumps({"error": kind, "message": message})))
    world.watch("anna.test", "ben.test")
    done = world.capture()
    assert done.received == 1
    assert dict(done.missing) == {"suspended" if kind == "AccountTakedown" else "not_found": 1}


def test_an_account_that_was_renamed(world: World) -> None:
    """By its id it comes under its new name; by its old name nobody knows it."""
    renamed = profile("new") | {"did": "did:plc:1"}

    def profiles(request: Request) -> Any:
        return {"profiles": [renamed for actor in request.args.getlist("actors") if actor in ("did:plc:1", "new.test")]}

    bluesky(world)
    only(world, PROFILES, profiles)
    world.watch("did:plc:1", "old.test")
    world.capture()
    assert world.outcomes() == {"did:plc:1": "received", "old.test": "not_found"}


def test_counts_as_texts_negative_or_beyond_reason(world: World) -> None:
    odd = profile("anna") | {"followersCount": "1234", "followsCount": -1, "postsCount": 1e30}
    only(
        world,
        PROFILES,
        lambda _: status(200, json.dumps({"profiles": [odd, {"did": "did:plc:bare", "handle": "bare.test"}]})),
    )
    world.watch("anna.test", "bare.test")
    done = world.capture()
    yard = Yard(world.settings)
    yard.land()
    columns = "account_id, followers, following, following_null_reason, posts_null_reason, followers_null_reason"
    assert yard.rows(done.files[0], columns) == [
        ("did:plc:anna", 1234, None, "invalid", "invalid", None),
        ("did:plc:bare", None, None, "not_captured", "not_captured", "not_captured"),
    ]


def test_an_answer_that_has_not_changed_is_taken_from_the_cache(world: World) -> None:
    marks: list[str | None] = []

    def rates(request: Request) -> Response:
        marks.append(request.headers.get("If-None-Match"))
        if marks[-1] == '"a"':
            return Response("", 304)
        return Response(
            "CURRENCY,CURRENCY_DENOM,TIME_PERIOD,OBS_VALUE\nUSD,EUR,2026-01-05,1.08\n", headers={"ETag": '"a"'}
        )

    world.sources("ecb:\n  base_url: SERVER\n")
    world.answer("/service/data/EXR/D..EUR.SP00.A", rates)
    world.capture("ecb")
    world.settings.ledger.unlink()
    first = world.landed()
    world.capture("ecb")
    assert marks == [None, '"a"']
    assert world.landed() == first


def test_no_secret_in_a_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world.sources("youtube:\n  base_url: SERVER\n  connection: yt\n")
    world.watch("UC1", platform="youtube")
    world.answer("/youtube/v3/channels", lambda _: status(500))
    world.capture("youtube", "s3cret-of-a-test")
    texts = [record.getMessage() for record in caplog.records if record.name != "werkzeug"] + world.said
    journal = b"".join(file.read_bytes() for file in world.settings.data.rglob("*") if file.is_file())
    assert not any("s3cret" in text for text in texts)
    assert b"s3cret" not in journal


# --- the watchlist and the settings


def test_a_watchlist_with_what_nobody_can_ask(world: World) -> None:
    """Doubles and lines that cannot be read are named with their line; all others are asked for, each once."""
    bluesky(world)
    text = "platform,account,since\nbluesky,anna.test,\nbluesky,anna.test,\nBluesky,x.test,\nbluesky,,\nbluesky,ben.test,soon\n"
    (world.config / "watchlist.csv").write_text(
        text + "tiktok,x,\nbluesky,later.test,2026-02-01\nbluesky,cleo.test,2026-01-05\n"
    )
    done = world.capture()
    assert world.outcomes() == {"anna.test": "received", "cleo.test": "received"}
    places = [problem.partition("watchlist.csv:")[2].partition(":")[0] for problem in done.problems]
    assert places == ["3", "4", "5", "6"]


def test_accounts_of_a_platform_that_nobody_asks_have_their_reason(world: World) -> None:
    text = "platform,account\ntiktok,a\ntiktok,b\nbluesky,c.test\n"
    (world.config / "watchlist.csv").write_text(text)
    for _ in range(2):
        assert record_unasked(world.settings, ["bluesky"], world.time.at) == {"tiktok": 2}
    assert world.outcomes("(none)") == {"a": "not_supported", "b": "not_supported"}


def test_a_watchlist_of_100_000_lines(world: World) -> None:
    lines = "".join(f"bluesky,account-{number}.example.test\n" for number in range(100_000))
    (world.config / "watchlist.csv").write_text("platform,account\n" + lines)
    assert len(load_watchlist(world.settings).rows) == 100_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blusky:\n", "sources.yml:1: no source 'blusky'; did you mean 'bluesky'?"),
        ("bluesky:\n  lates_posts: 3\n", "sources.yml:2: bluesky: lates_posts: unknown key; did you mean 'latest_posts'?"),
        ("\nbluesky:\n  budget:\n    units: -1\n", "sources.yml:4: bluesky: budget.units: "),
        ("bluesky:\n  base_url: http://api.example.org\n", "sources.yml:2: bluesky: base_url: a key would cross the network"),
        ("bluesky:\n  base_url: https://me:key@api.example.org\n", "write no key into an address"),
        ("bluesky: 3\n", "sources.yml:1: bluesky: "),
        ("- bluesky\n", "sources.yml:1: no source; begin with the name of one"),
        ("bluesky: [\n", "not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_settings_is_named(world: World, text: str, said: str) -> None:
    (world.config / "sources.yml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_sources(world.settings)
    assert said in str(error.value)


def test_a_source_without_its_key_says_what_to_make(world: World) -> None:
    world.sources("youtube:\n  base_url: SERVER\n")
    world.watch("UC1", platform="youtube")
    with pytest.raises(
        CaptureRefused, match=r"AIRFLOW_CONN_GROUNDSWELL_YOUTUBE and write `connection: groundswell_youtube`"
    ):
        world.capture("youtube")


def test_a_clock_that_jumps_forward_ends_nothing_early(world: World) -> None:
    """Waiting goes by a clock that nobody sets; the day is that on which the capture began."""
    bluesky(world)
    world.watch("anna.test")
    jumped = False

    def profiles(request: Request) -> Any:
        nonlocal jumped
        if not jumped:
            jumped = True
            world.time.at = datetime(2026, 1, 6, 3)
        return {"profiles": [profile(name_of(actor)) for actor in request.args.getlist("actors")]}

    only(world, PROFILES, profiles)
    done = world.capture()
    assert (done.received, done.day) == (1, "2026-01-05")


def test_a_night_without_one_repost_lands_its_posts(world: World) -> None:
    """As Bluesky's own servers answer: no item of any feed has a `reason`, so the file has no such column."""
    bluesky(world)
    only(world, FEED, lambda request: {"feed": [{"post": post(request.args["actor"].removesuffix(".test"), 1)}]})
    world.watch("anna.test", "ben.test")
    done = world.capture()
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    assert yard.rows(done.files[1], "account_id, likes") == [("did:plc:anna", 7), ("did:plc:ben", 7)]
