"""Each platform from made-up answers of its documented shape to the values in raw, and what it says of an account."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.sources.errors import CaptureRefused
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World

KEY = "s3cret-key-of-a-test"


def land(world: World) -> Yard:
    yard = Yard(world.settings)
    landed = yard.land()
    assert (landed.files_quarantined, landed.files_waiting) == (0, [])
    return yard


# --- YouTube


def channel(name: str, subscribers: str, hidden: bool = False) -> dict[str, Any]:
    return {
        "kind": "youtube#channel", "etag": "e", "id": name,
        "snippet": {"title": f"T {name}", "customUrl": f"@{name.lower()}", "country": "DE"},
        "contentDetails": {"relatedPlaylists": {"likes": "", "uploads": f"UU{name}"}},
        "statistics": {"viewCount": "123456789012", "subscriberCount": subscribers, "hiddenSubscriberCount": hidden, "videoCount": "31"},
    }  # fmt: skip


def video(name: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "youtube#video", "etag": "e", "id": name, "snippet": {"publishedAt": "2026-01-03T08:00:00Z", "channelId": "UCa", "title": "x"},
        "statistics": {"viewCount": "5000", "likeCount": "40", "favoriteCount": "0", "commentCount": "6"}, "contentDetails": {"duration": "PT3M"},
        "paidProductPlacementDetails": {"hasPaidProductPlacement": False}, **more,
    }  # fmt: skip


def youtube(world: World, uploaded: int = 4) -> None:
    def channels(request: Request) -> Any:
        assert request.headers["X-Goog-Api-Key"] == KEY
        known = {"UCa": channel("UCa", "1230000"), "UCh": channel("UCh", "0", hidden=True), "UCn": channel("UCn", "3")}
        ids = request.args.get("id", "").split(",")
        found = (
            [known["UCn"]]
            if request.args.get("forHandle") == "@handle"
            else [known[each] for each in ids if each in known]
        )
        return {"kind": "youtube#channelListResponse", "pageInfo": {}, **({"items": found} if found else {})}

    def uploads(request: Request) -> Any:
        if request.args["playlistId"] == "UUUCn":
            return Response(
                '{"error": {"code": 404, "errors": [{"reason": "playlistNotFound"}], "message": "none"}}', 404
            )
        if request.args["playlistId"] == "UUUCh":
            return {"items": []}
        return {"items": [{"contentDetails": {"videoId": f"v{number}"}} for number in range(uploaded)]}

    def videos(request: Request) -> Any:
        hidden = video("v1")
        del hidden["statistics"]["likeCount"], hidden["statistics"]["commentCount"]
        held = {
            "v0": video("v0"), "v1": hidden, "v2": video("v2", paidProductPlacementDetails={"hasPaidProductPlacement": True}),
            "v3": video("v3", brandPartner={"channelId": "UCbrand", "channelHandle": "@brand"}),
        }  # fmt: skip
        return {"items": [held[each] for each in request.args["id"].split(",") if each in held]}

    world.sources("youtube:\n  base_url: SERVER\n  connection: yt\n  latest_posts: 4\n")
    world.answer("/youtube/v3/channels", channels)
    world.answer("/youtube/v3/playlistItems", uploads)
    world.answer("/youtube/v3/videos", videos)


def test_youtube(world: World) -> None:
    youtube(world)
    world.watch("UCa", "UCh", "UCgone", "@handle", platform="youtube")
    done = world.capture("youtube", KEY)
    # Two calls for channels, three for uploads, one for videos: a unit each.
    assert (done.calls, done.units, dict(done.missing)) == (6, 6, {"not_found": 1})
    # A channel that never published is received all the same.
    assert world.outcomes("youtube")["@handle"] == "received"
    assert not any(KEY in text for text in (*world.said, *world.requests, *map(str, world.landed().values())))
    yard = land(world)
    columns = "account_id, followers, followers_null_reason, posts, views_total, handle, country"
    assert yard.rows(done.files[0], columns) == [
        ("UCa", 1230000, None, 31, 123456789012, "@uca", "DE"),
        ("UCh", None, "hidden", 31, 123456789012, "@uch", "DE"),
        ("UCn", 3, None, 31, 123456789012, "@ucn", "DE"),
    ]
    columns = "post_id, account_id, likes, likes_null_reason, comments, views, is_sponsored"
    assert sorted(yard.rows(done.files[1], columns)) == [
        ("v0", "UCa", 40, None, 6, 5000, False),
        ("v1", "UCa", None, "hidden", None, 5000, False),
        ("v2", "UCa", 40, None, 6, 5000, True),
        ("v3", "UCa", 40, None, 6, 5000, True),
    ]


def test_youtube_where_no_video_names_a_partner(world: World) -> None:
    """Most nights: no line of the file has a `brandPartner`."""
    youtube(world, uploaded=3)
    world.watch("UCa", platform="youtube")
    done = world.capture("youtube", KEY)
    assert sorted(land(world).rows(done.files[1], "post_id, is_sponsored")) == [
        ("v0", False), ("v1", False), ("v2", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reason", "missing"),
    [
        (403, "quotaExceeded", "budget"),
        (400, "keyInvalid", "auth"),
        (403, "accessNotConfigured", "auth"),
        (400, "badRequest", "contract"),
    ],
)
def test_errors_of_youtube(world: World, status: int, reason: str, missing: str) -> None:
    message = "API key not valid" if reason == "keyInvalid" else "x"
    error = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "domain": "youtube"}]}}
    youtube(world)
    world.server.clear()
    world.answer("/youtube/v3/channels", lambda _: Response(json.dumps(error), status))
    world.watch("UCa", platform="youtube")
    assert dict(world.capture("youtube", KEY).missing) == {missing: 1}


# --- Mastodon


def mastodon(world: World) -> None:
    def lookup(request: Request) -> Any:
        name = request.args["acct"]
        if name == "gone@a.example":
            return Response('{"error": "Record not found"}', 404)
        if name == "members@b.example":
            return Response('{"error": "This method requires an authenticated user"}', 401)
        user = name.partition("@")[0]
        account = {
            "id": "1" if user == "anna" else "2", "username": user, "acct": user, "display_name": user.title(), "locked": False, "bot": False,
            "url": f"https://a.example/@{user}", "followers_count": 321, "following_count": 5, "statuses_count": 9, "note": "<p>x</p>",
        }  # fmt: skip
        return account | ({"suspended": True} if user == "banned" else {})

    def statuses(request: Request) -> Any:
        first = int(request.args.get("max_id", "60"))
        numbers = range(first - 1, max(0, first - 1 - int(request.args["limit"])), -1)
        return [
            {
                "id": str(number), "uri": f"https://a.example/users/anna/statuses/{number}", "created_at": "2026-01-02T03:04:05.000Z", "reblog": None,
                "account": {"url": "https://a.example/@anna"}, "replies_count": 1, "reblogs_count": 2, "favourites_count": number, "visibility": "public",
            }
            for number in numbers
        ]  # fmt: skip

    world.sources("mastodon:\n  base_url: SERVER\n  latest_posts: 100\n")
    world.answer("/api/v1/accounts/lookup", lookup)
    world.answer("/api/v1/accounts/1/statuses", statuses)


def test_mastodon(world: World) -> None:
    mastodon(world)
    world.watch(
        "anna@a.example", "gone@a.example", "members@b.example", "banned@a.example", "nonsense", platform="mastodon"
    )
    done = world.capture("mastodon")
    assert world.outcomes("mastodon") == {
        "anna@a.example": "received", "gone@a.example": "not_found", "members@b.example": "private", "banned@a.example": "suspended",
        "nonsense": "not_found",
    }  # fmt: skip
    yard = land(world)
    assert yard.rows(done.files[0], "account_id, followers, following, posts, handle") == [
        ("https://a.example/@anna", 321, 5, 9, "anna")
    ]
    rows = yard.rows(done.files[1], "post_id, likes, comments, shares, published_at")
    assert len(rows) == 59
    assert rows[0] == ("https://a.example/users/anna/statuses/59", 59, 1, 2, datetime(2026, 1, 2, 3, 4, 5))


# --- ECB

RATES = """KEY,FREQ,CURRENCY,CURRENCY_DENOM,EXR_TYPE,EXR_SUFFIX,TIME_PERIOD,OBS_VALUE
EXR.D.USD.EUR.SP00.A,D,USD,EUR,SP00,A,2026-01-05,1.0823
EXR.D.JPY.EUR.SP00.A,D,JPY,EUR,SP00,A,2026-01-05,163.55
"""


def test_rates_of_the_ecb(world: World) -> None:
    asked = []

    def rates(request: Request) -> Any:
        asked.append((request.args["startPeriod"], request.args["endPeriod"]))
        return Response(RATES, content_type="text/csv") if len(asked) == 1 else Response("No results", 404)

    world.sources("ecb:\n  base_url: SERVER\n")
    world.answer("/service/data/EXR/D..EUR.SP00.A", rates)
    done = world.capture("ecb")
    assert (done.asked, done.received) == (1, 1)
    assert world.capture("ecb").asked == 0
    # A day without rates, as of a weekend, is no failure; the next one asks from the day after the last.
    world.time.at = datetime(2026, 1, 6, 22)
    assert world.capture("ecb").received == 1
    assert asked == [("2025-12-01", "2026-01-05"), ("2026-01-06", "2026-01-06")]
    assert land(world).rows(done.files[0], "rate_date, currency, quote_currency, rate_to_base") == [
        (date(2026, 1, 5), "EUR", "USD", Decimal("1.0823")),
        (date(2026, 1, 5), "EUR", "JPY", Decimal("163.55")),
    ]


# --- Instagram


def instagram(world: World, dead: frozenset[str] = frozenset()) -> None:
    def error(code: int, message: str, status: int = 400, **more: Any) -> Response:
        return Response(json.dumps({"error": {"message": message, "code": code, **more}}), status)

    def discovery(request: Request) -> Any:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        name = request.args["fields"].partition("username(")[2].partition(")")[0]
        if name == "gone":
            return error(110, "Invalid user id", error_subcode=2207013)
        media = [
            {
                "id": f"m{name}1",
                "timestamp": "2026-01-02T10:00:00+0000",
                "media_product_type": "REELS",
                "comments_count": 4,
                "view_count": 900,
            },
            {
                "id": f"m{name}2",
                "timestamp": "2026-01-01T10:00:00+0000",
                "media_product_type": "FEED",
                "comments_count": 1,
                "like_count": 30,
            },
        ]
        account = {
            "id": f"17{name}",
            "username": name,
            "name": name.title(),
            "followers_count": 5000,
            "follows_count": 9,
            "media_count": 2,
        }
        return {"business_discovery": account | ({} if name == "bare" else {"media": {"data": media}}), "id": "1784"}

    def own(_: Request) -> Any:
        return {
            "data": [
                {
                    "id": f"{n}",
                    "username": "brand",
                    "media_product_type": "FEED",
                    "timestamp": "2026-01-03T10:00:00+0000",
                }
                for n in (11, 12)
            ]
        }

    def insights(request: Request) -> Any:
        metrics = request.args["metric"].split(",")
        if dead & set(metrics):
            return error(100, "(#100) metric must be one of the following values")
        held = [
            {"name": name, "period": "lifetime", "values": [{"value": 10 + number}], "id": "x"}
            for number, name in enumerate(metrics)
        ]
        return {"data": [each for each in held if each["name"] != "saved"]}

    world.sources("instagram:\n  base_url: SERVER\n  connection: ig\n  account: '1784'\n  latest_posts: 2\n")
    world.answer("/v27.0/1784", discovery)
    world.answer("/v27.0/1784/media", own)
    for media in (11, 12):
        world.answer(f"/v27.0/{media}/insights", insights)


def test_instagram(world: World) -> None:
    instagram(world)
    world.watch("anna", "gone", "bad){id}", platform="instagram")
    done = world.capture("instagram", KEY)
    assert world.outcomes("instagram") == {
        "anna": "received",
        "gone": "not_found",
        "bad){id}": "not_found",
        "11": "received",
        "12": "received",
        "1784": "received",
    }
    yard = land(world)
    assert done.files == [
        f"instagram/{name}_2026-01-05T220000Z.jsonl.gz" for name in ("business_discovery", "own_insights")
    ]
    [accounts, posts] = [batch for batch in yard.batches() if batch["file"] == done.files[0]]
    assert {batch["feed"]: batch["rows_accepted"] for batch in (accounts, posts)} == {
        "account_snapshots": 1,
        "post_snapshots": 2,
    }
    rows = yard.query("select path from raw_files where feed = 'post_snapshots' order by path")
    assert len(rows) == 2
    rows = yard.rows(done.files[1], "post_id, account_id, likes, comments, shares, saves, views, reach")
    # Metrics are numbered in the order in which they were asked: reach, views, likes, ...; an empty one is not 0.
    assert rows == [(post, "brand", 12, 13, 15, None, 11, 10) for post in ("11", "12")]


@pytest.mark.parametrize("dead", [{"views"}, {"reach", "total_interactions"}, {"comments"}])
def test_a_dead_metric_is_found_by_halves_and_costs_no_other(world: World, dead: set[str]) -> None:
    instagram(world, dead=frozenset(dead))
    done = world.capture("instagram", KEY)
    items = world.landed()[done.files[0]]
    alive = {"reach", "views", "likes", "comments", "shares", "total_interactions"} - dead
    assert [set(item["insights"]) for item in items] == [alive, alive]
    # The second post is asked once, for what is alive.
    assert [
        request
        for request in world.requests
        if "/12/" in request and not dead & set(request.replace("%2C", ",").replace("=", ",").split(","))
    ]
    assert sum("/12/" in request for request in world.requests) == 1


def test_instagram_says_what_it_needs(world: World) -> None:
    instagram(world)
    world.watch("anna", platform="instagram")
    with pytest.raises(CaptureRefused, match="AIRFLOW_CONN_IG"):
        world.capture("instagram")
    world.sources("instagram:\n  base_url: SERVER\n  connection: ig\n")
    with pytest.raises(CaptureRefused, match="write its id as `account:`"):
        world.capture("instagram", KEY)


def test_a_token_is_renewed_in_time_and_kept_for_the_connection_alone(world: World) -> None:
    """Every 7 days; encrypted with what the connection holds; another token there begins anew."""
    renewed: list[str] = []

    def renew(request: Request) -> Any:
        assert (request.args["client_id"], request.args["client_secret"]) == ("4711", "app-s3cret")
        renewed.append(request.args["fb_exchange_token"])
        return (
            Response('{"error": {"code": 190, "message": "x"}}', 400)
            if len(renewed) == 3
            else {"access_token": f"renewed-{len(renewed)}", "token_type": "bearer"}
        )

    used: list[str] = []

    def own(request: Request) -> Any:
        used.append(request.headers["Authorization"].removeprefix("Bearer "))
        return {"data": []}

    world.sources("instagram:\n  base_url: SERVER\n  connection: ig\n  account: '1784'\n")
    world.answer("/v27.0/oauth/access_token", renew)
    world.answer("/v27.0/1784/media", own)
    for day, key in ((5, "first"), (6, "first"), (12, "first"), (13, "second")):
        world.time.at = datetime(2026, 1, day, 22)
        assert world.capture("instagram", key).received == 1
    assert renewed == ["first", "renewed-1", "second"]
    # The third renewal fails: the token is used as it is.
    assert used == ["renewed-1", "renewed-1", "renewed-2", "second"]
    held = b"".join(file.read_bytes() for file in world.settings.data.rglob("*") if file.is_file())
    assert not any(secret in held for secret in (b"renewed-", b"app-s3cret", b'"first"'))
    assert not any("renewed-" in line or "s3cret" in line for line in world.said)
    assert (world.settings.data / "state/sources/instagram/token").exists() is False


@pytest.mark.parametrize(
    "body", ["null", "3", '"x"', "[]", "[[]]", "{}", '{"items": {}}', '{"items": [3]}', '{"data": [null]}']
)
@pytest.mark.parametrize("name", ["youtube", "mastodon", "instagram", "bluesky"])
def test_an_answer_of_any_other_shape_is_a_reason_and_ends_nothing(world: World, name: str, body: str) -> None:
    world.sources(f"{name}:\n  base_url: SERVER\n  connection: k\n  account: '1784'\n")
    world.watch("anna@a.example" if name == "mastodon" else "anna", platform=name)
    world.server.expect_request(re.compile("/.*")).respond_with_data(body, content_type="application/json")
    done = world.capture(name, KEY)
    assert done.received == 0
    assert set(done.missing) <= {"contract", "not_found"}
