"""TikTok from made-up answers of the documented shape to the values in raw, and what it says of an account."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion import erasure
from ingestion.sources.catalog import SOURCES
from ingestion.sources.forecast import forecast
from ingestion.sources.forget import forget
from ingestion.sources.platform import Target, Wanted
from ingestion.sources.settings import load_sources
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World, nowhere_under

API = "/open_api/v1.3"
CREATOR, POSTS = f"{API}/tto/tcm/creator/public/", f"{API}/tto/tcm/creator/public/video/list/"
BUSINESS, OWN, TOKENS = f"{API}/business/get/", f"{API}/business/video/list/", f"{API}/tt_user/oauth2/refresh_token/"
# 2026-01-04 10:00 UTC.
PUBLISHED = 1767520800


def ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "message": "OK", "request_id": "r", "data": data}


def failed(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "request_id": "r", "data": {}}


def creator(name: str) -> dict[str, Any]:
    return {
        "creator_id": "7", "handle_name": name, "display_name": name.title(), "bio": "write to anna@mail.example",
        "followers_count": 12_345, "following_count": 67, "likes_count": 890_123, "videos_count": 45, "median_views": 1000,
        "engagement_rate": 0.05, "creator_price": 300, "currency": "EUR", "content_labels": [{"label_id": "1", "label_name": "Beauty"}],
        "industry_labels": [], "profile_image": "https://x.example/a.jpg",
    }  # fmt: skip


def tiktok(world: World, posts: int = 2, more: str = "", creators: Any = None, own: Any = None) -> None:
    world.sources(f"tiktok:\n  base_url: SERVER\n  connection: tt\n  account: '99'\n  latest_posts: 15\n{more}")

    def tokens(request: Request) -> Any:
        asked = json.loads(request.get_data())
        assert (asked["client_id"], asked["client_secret"]) == ("4711", "app-s3cret")
        number = int(asked["refresh_token"].rpartition("-")[2])
        return ok({"access_token": "t0ken", "refresh_token": f"refresh-{number + 1}", "expires_in": 86400})

    def profile(request: Request) -> Any:
        assert request.headers["Access-Token"] == "t0ken"
        assert request.args["tto_tcm_account_id"] == "99"
        if creators is not None:
            return creators(request)
        name = request.args["handle_name"]
        return failed(40002, "The creator is not found.") if name == "gone" else ok(creator(name.title()))

    def page(request: Request) -> Any:
        first, limit = int(request.args.get("cursor", "0")), int(request.args["limit"])
        assert limit <= 10
        last = min(posts, first + limit)
        kind = "9" if request.args["handle_name"] == "ben" else "73"
        held = [
            {"video_id": f"{kind}{number}", "caption": "x", "create_time": PUBLISHED, "likes": number, "comments": 2, "shares": 3, "video_views": 400}
            for number in range(first, last)
        ]  # fmt: skip
        return ok({"posts": held, "page_info": {"has_more": last < posts, "cursor": last}})

    def videos(request: Request) -> Any:
        fields = json.loads(request.args["fields"])
        assert (request.args["business_id"], request.args["max_count"]) == ("b-1", "20")
        if own is not None and (found := own(request)) is not None:
            return found
        held = {
            "item_id": "731",
            "create_time": str(PUBLISHED),
            "video_views": 500,
            "likes": 5,
            "comments": 1,
            "shares": 0,
            "reach": 450,
        }
        return ok({"videos": [{key: held[key] for key in fields}], "cursor": 5, "has_more": False})

    world.server.clear()
    world.answer(TOKENS, tokens)
    world.answer(CREATOR, profile)
    world.answer(POSTS, page)
    world.answer(BUSINESS, lambda _: ok({"username": "Glow.Shop"}))
    world.answer(OWN, videos)


def test_tiktok_goes_the_whole_way_to_raw(world: World) -> None:
    tiktok(world, more="  business_id: b-1\n")
    world.watch("@anna.bakes", "gone", "No-Name", platform="tiktok")
    done = world.capture("tiktok", "refresh-1")
    # A call a creator, one for posts of the one who is there, two for one's own; the name that is none is asked for too.
    assert done.calls == 6
    assert world.outcomes("tiktok") == {
        "@anna.bakes": "received",
        "gone": "not_found",
        "No-Name": "not_found",
        "99": "received",
    }
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    at, published = datetime(2026, 1, 5, 22), datetime(2026, 1, 4, 10)
    assert yard.rows_of(
        "account_snapshots",
        "account_id, captured_at, followers, following, posts, likes_total, views_total, handle, display_name",
    ) == [("anna.bakes", at, 12_345, 67, 45, 890_123, None, "anna.bakes", "Anna.Bakes")]
    columns = (
        "account_id, post_id, published_at, content_type, likes, comments, shares, views, reach, reach_null_reason"
    )
    assert yard.rows_of("post_snapshots", columns) == [
        ("anna.bakes", "730", published, "video", 0, 2, 3, 400, None, "unsupported"),
        ("anna.bakes", "731", published, "video", 1, 2, 3, 400, None, "unsupported"),
        ("glow.shop", "731", published, "video", 5, 1, 0, 500, 450, None),
    ]
    assert nowhere_under(world, "anna@mail", "t0ken", "refresh-", "app-s3cret")


def test_who_is_erased_does_not_land_again(world: World) -> None:
    """Under any spelling of its answers, and it leaves the watchlist."""
    tiktok(world)
    world.watch("@anna.bakes", "ben", platform="tiktok")
    assert world.capture("tiktok", "refresh-1").received == 2
    Yard(world.settings).land()
    number = erasure.begin(world.settings, "tiktok", "anna.bakes")
    assert forget(world.settings, "tiktok", "anna.bakes") == 1
    found = erasure.remove(world.settings, number, "tiktok", "anna.bakes")
    erasure.finish(world.settings, number, found, 0)
    assert found.raw_rows == 3
    world.watch("@anna.bakes", "ben", platform="tiktok")
    world.time.at = datetime(2026, 1, 6, 22)
    done = world.capture("tiktok", "refresh-1")
    landed = [line for file in done.files for line in world.landed()[file]]
    assert {line["handle_name"] for line in landed} == {"ben"}


def test_posts_come_in_pages_up_to_their_number(world: World) -> None:
    tiktok(world, posts=40)
    world.watch("anna", platform="tiktok")
    world.capture("tiktok", "refresh-1")
    asked = [request.partition("limit=")[2] for request in world.requests if request.startswith(POSTS)]
    assert asked == ["10", "5&cursor=10"]


def test_a_token_of_a_day_is_made_at_each_capture(world: World) -> None:
    """With the key that the capture before got; another one in the connection begins anew."""
    tiktok(world)
    world.watch("anna", platform="tiktok")
    asked: list[str] = []
    real = world.server.handlers  # type: ignore[attr-defined]
    [rule] = [each for each in real if each.matcher.uri == TOKENS]
    real.remove(rule)
    world.answer(
        TOKENS, lambda request: asked.append(json.loads(request.get_data())["refresh_token"]) or rule.respond(request)
    )
    for day, key in ((5, "refresh-1"), (6, "refresh-1"), (7, "refresh-50"), (8, "refresh-50")):
        world.time.at = datetime(2026, 1, day, 22)
        assert world.capture("tiktok", key).received == 1
    assert asked == ["refresh-1", "refresh-2", "refresh-50", "refresh-51"]
    assert nowhere_under(world, "refresh-", "t0ken")


def test_a_key_that_ended(world: World) -> None:
    tiktok(world)
    world.server.clear()
    world.answer(TOKENS, lambda _: failed(40103, "Refresh token is expired."))
    world.watch("anna", "ben", platform="tiktok")
    done = world.capture("tiktok", "refresh-1")
    assert (dict(done.missing), done.calls) == ({"auth": 2}, 0)
    assert "expired" in done.problems[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: failed(40105, "Access token is incorrect or has been revoked."), "auth"),
        (lambda _: failed(40001, "No permission to operate."), "auth"),
        (lambda _: failed(40100, "Requests made too frequently."), "throttled"),
        (lambda _: failed(50000, "System error."), "unreachable"),
        (lambda _: failed(40002, "handle_name: creator does not exist"), "not_found"),
        (lambda _: failed(40002, "The account is private."), "private"),
        (lambda _: failed(40002, "x"), "contract"),
        (lambda _: {"data": creator("anna")}, "contract"),
        (lambda _: ok(None), "contract"),
        (lambda _: ok({"followers_count": 3}), "contract"),
        (lambda _: Response('{"code": 0, "data": {"handle'), "contract"),
        (lambda _: Response("", 429), "throttled"),
        (lambda _: Response("<html>", 502), "unreachable"),
        (lambda _: Response("", 401), "auth"),
    ],
)
def test_a_fault_has_its_reason(world: World, answer: Callable[[Any], Any], reason: str) -> None:
    tiktok(world, creators=answer)
    world.watch("anna", platform="tiktok")
    done = world.capture("tiktok", "refresh-1")
    assert (dict(done.missing), done.files) == ({reason: 1}, [])


@pytest.mark.parametrize("page", [{"has_more": True, "cursor": "same"}, {}, None])
def test_pages_without_an_end_and_half_a_page(world: World, page: Any) -> None:
    tiktok(world)
    held = [{"video_id": "1", "create_time": PUBLISHED}]
    for rule in [each for each in world.server.handlers if each.matcher.uri == POSTS]:  # type: ignore[attr-defined]
        world.server.handlers.remove(rule)  # type: ignore[attr-defined]
    world.answer(POSTS, lambda _: ok({"posts": held, "page_info": page}))
    world.watch("anna", platform="tiktok")
    done = world.capture("tiktok", "refresh-1")
    assert dict(done.missing) == {"contract": 1}
    assert sum(request.startswith(POSTS) for request in world.requests) <= 2


def test_a_metric_that_ended_costs_no_other(world: World) -> None:
    def own(request: Request) -> Any:
        return failed(40002, "fields: shares is not a valid field") if "shares" in request.args["fields"] else None

    tiktok(world, more="  business_id: b-1\n", own=own)
    done = world.capture("tiktok", "refresh-1")
    # Who it is; all 5 metrics; 2 of them; the other 3, of which 1 and 2, and these by themselves; then the 4 that live.
    assert (done.received, done.calls) == (1, 9)
    yard = Yard(world.settings)
    yard.land()
    assert yard.rows_of("post_snapshots", "post_id, views, likes, comments, shares, shares_null_reason, reach") == [
        ("731", 500, 5, 1, None, "unsupported", 450)
    ]


def test_without_an_account_of_ones_own_nothing_is_asked_twice(world: World) -> None:
    tiktok(world)
    world.watch("anna", platform="tiktok")
    world.capture("tiktok", "refresh-1")
    before = len(world.requests)
    assert world.capture("tiktok", "refresh-1").asked == 0
    assert len(world.requests) == before


def test_a_night_of_1000_accounts_is_calls_as_forecast(world: World) -> None:
    tiktok(world)
    world.sources("tiktok:\n  base_url: SERVER\n  connection: tt\n  account: '99'\n  latest_posts: 0\n")
    world.watch(*(f"a{number}" for number in range(1_000)), platform="tiktok")
    expected = forecast(world.settings, "tiktok", load_sources(world.settings)["tiktok"], world.time.at)
    done = world.capture("tiktok", "refresh-1")
    assert (expected.calls, done.calls, len(world.requests) - 1) == (1_000,) * 3


@pytest.mark.parametrize(
    ("accounts", "posts", "calls"), [(1_000, 30, 4_000), (10_000, 30, 40_000), (10_000, 0, 10_000)]
)
def test_the_walk_of_a_night_is_its_forecast(accounts: int, posts: int, calls: int) -> None:
    """The calls themselves, without a server: creators with as many posts as are asked for."""
    asked = Wanted(
        tuple(Target(f"a{number}", posts) for number in range(accounts)), (), "2026-01-05", {"account": "99"}
    )
    source, made = SOURCES["tiktok"], 0
    walk = source.walk(asked)
    call = next(walk, None)
    while call is not None:
        made += 1
        limit = int(dict(call.params).get("limit", "0"))
        facts = {"count": limit, "cursor": str(made)} if limit else call.targets[0]
        try:
            call = walk.send(facts)
        except StopIteration:
            call = None
    assert (made, sum(1 for _ in source.forecast(asked))) == (calls, calls)
