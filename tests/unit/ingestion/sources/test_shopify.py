"""Orders of a shop in bulk, from made-up answers of the documented shape to the rows in raw, and what is never kept."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.sources import shopify
from ingestion.sources.errors import CaptureRefused
from ingestion.sources.forecast import forecast
from ingestion.sources.journal import Journal
from ingestion.sources.settings import load_sources
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World, nowhere_under

SHOP = "glow.myshopify.com"
GRAPHQL = "/admin/api/2026-07/graphql.json"
FILE = "/shop-bulk/orders.jsonl"
OPERATION = "gid://shopify/BulkOperation/7"
KEY = "shpat_s3cret"
# Nobody asked for these; a shop that answers with them all the same has them kept nowhere.
PERSONAL = {
    "name": "#1001", "email": "anna@mail.example", "phone": "+49 30 1234", "note": "Ring bei Beispiel",
    "billingAddress": {"name": "Anna Beispiel", "address1": "Musterweg 5", "city": "Musterstadt"}, "clientIp": "192.0.2.7",
    "customerJourneySummary": {"lastVisit": {"landingPage": "https://glow.example/?email=anna@mail.example"}},
}  # fmt: skip
SECRETS = (
    "anna@mail",
    "+49 30",
    "Beispiel",
    "Musterweg",
    "Musterstadt",
    "192.0.2.7",
    "landingPage",
    "shpat",
    "billing",
)


def money(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {
        "shopMoney": {"amount": amount, "currencyCode": currency},
        "presentmentMoney": {"amount": "1", "currencyCode": "JPY"},
    }


def order(number: int, customer: int | None = 77, **more: Any) -> dict[str, Any]:
    person = {"id": f"gid://shopify/Customer/{customer}", "firstName": "Beispiel", "email": "anna@mail.example"}
    return {
        "id": f"gid://shopify/Order/{number}", "legacyResourceId": str(number), "createdAt": "2026-01-04T10:00:00Z",
        "updatedAt": "2026-01-05T09:00:00Z", "cancelledAt": None, "test": False, "discountCodes": [],
        "customer": person if customer else None, "totalPriceSet": money("119.00"), "totalDiscountsSet": money("0.0"),
        "totalTaxSet": money("19.00"), "totalShippingPriceSet": money("5.00"), "refunds": [], **PERSONAL, **more,
    }  # fmt: skip


def refund(number: int, amount: str, **more: Any) -> dict[str, Any]:
    name = f"gid://shopify/Refund/{number}"
    at = {"id": name, "legacyResourceId": str(number), "createdAt": "2026-01-05T08:00:00Z"}
    return {**at, "totalRefundedSet": money(amount), "note": "Beispiel", **more}


ORDERS = [
    order(1, discountCodes=["GLOW10"], totalDiscountsSet=money("10.00")),
    order(2, customer=None, cancelledAt="2026-01-05T07:00:00Z"),
    order(3, test=True),
    # Two refunds, one of which moved goods alone; two codes, of which nobody knows which one brought it.
    order(4, discountCodes=["A", "B"], refunds=[refund(40, "30.50"), refund(41, "0.0")]),
]  # fmt: skip


def shop(world: World, *orders: dict[str, Any], more: str = "", **answers: Any) -> None:
    """A shop with orders; `start`, `state` and `file` give other answers than it does in life."""
    world.sources(f"shopify:\n  base_url: SERVER\n  connection: shop\n  account: {SHOP}\n{more}")
    text = "".join(json.dumps(each) + "\n" for each in orders)
    node = {"id": OPERATION, "status": "COMPLETED", "errorCode": None, "objectCount": str(len(orders)), "url": None}
    if orders:
        node["url"] = f"https://storage.googleapis.com{FILE}?X-Goog-Signature=s1gned%2Fx&response-content-type=text"
    started = {"bulkOperation": {"id": OPERATION, "status": "CREATED"}, "userErrors": []}

    def graphql(request: Request) -> Any:
        assert request.headers["X-Shopify-Access-Token"] == KEY
        asked = json.loads(request.get_data())
        is_start = "bulkOperationRunQuery" in asked["query"]
        given = answers.get("start" if is_start else "state")
        if given is not None:
            return given(request) if callable(given) else given
        return {"data": {"bulkOperationRunQuery": started}} if is_start else {"data": {"node": node}}

    def file(request: Request) -> Any:
        # The key is the shop's alone; the signature of the address comes through as it was given.
        assert KEY not in str(request.headers)
        assert request.args["X-Goog-Signature"] == "s1gned/x"
        return answers["file"](request) if "file" in answers else Response(text, content_type="application/jsonl")

    world.server.clear()
    world.answer(GRAPHQL, graphql)
    world.answer(FILE, file)


def capture(world: World, key: str = KEY) -> Any:
    return world.capture("shopify", key, login="")


def test_orders_and_refunds_go_the_whole_way_to_raw(world: World) -> None:
    shop(world, *ORDERS)
    done = capture(world)
    assert (done.received, done.calls, done.files) == (1, 3, ["shopify/orders_2026-01-05T220000Z.jsonl.gz"])
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    placed = datetime(2026, 1, 4, 10)
    rows = {
        feed: yard.rows_of(feed, columns)
        for feed, columns in {
            "orders": "order_id, customer_id, ordered_at, status, cancelled_at, gross_amount, discount_amount, tax_amount,"
            " shipping_amount, currency, promo_code",
            "refunds": "refund_id, order_id, refunded_at, amount, goods_amount, currency",
        }.items()
    }
    # Gross is the price of 119 with the discount of 10 that it is after.
    assert rows["orders"] == [
        ("1", "77", placed, None, None, Decimal(129), Decimal(10), Decimal(19), Decimal(5), "EUR", "GLOW10"),
        (
            "2",
            "2",
            placed,
            None,
            datetime(2026, 1, 5, 7),
            Decimal(119),
            Decimal(0),
            Decimal(19),
            Decimal(5),
            "EUR",
            None,
        ),
        ("3", "77", placed, "test", None, Decimal(119), Decimal(0), Decimal(19), Decimal(5), "EUR", None),
        ("4", "77", placed, None, None, Decimal(119), Decimal(0), Decimal(19), Decimal(5), "EUR", None),
    ]
    assert rows["refunds"] == [("40", "4", datetime(2026, 1, 5, 8), Decimal("30.5"), None, "EUR")]


def test_nothing_of_a_person_reaches_the_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it is under way, in the journal of a capture that was killed, and where a field becomes an object."""
    odd = order(5, discountCodes=[{"code": "Beispiel"}], legacyResourceId="5", createdAt="2026-01-04T10:00:00Z")
    shop(world, *ORDERS, odd, order(6, test={"by": "Beispiel"}))
    journals: list[str] = []
    end = Journal.end
    monkeypatch.setattr(Journal, "end", lambda self: (journals.append(self.file.read_text()), end(self)))
    done = capture(world)
    assert len(world.landed()[done.files[0]]) == 6
    Yard(world.settings).land()
    [held] = journals
    assert "legacyResourceId" in held
    assert nowhere_under(world, *SECRETS)
    assert not [secret for secret in SECRETS if secret in held]
    assert world.landed()[done.files[0]][0]["customer"] == {"id": "gid://shopify/Customer/77"}


def test_what_is_not_left_out_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search above, where all of an answer is kept."""
    monkeypatch.setattr(shopify, "KEPT", ())
    shop(world, *ORDERS)
    capture(world)
    with pytest.raises(AssertionError, match="Musterweg"):
        nowhere_under(world, *SECRETS)


def test_a_shop_without_a_refund_or_a_customer_of_the_day(world: World) -> None:
    shop(world, order(1, customer=None))
    done = capture(world)
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    assert yard.rows_of("orders", "order_id, customer_id") == [("1", "1")]
    assert yard.rows_of("refunds", "refund_id") == []
    assert done.received == 1


def test_a_day_without_orders(world: World) -> None:
    shop(world)
    done = capture(world)
    assert (done.received, done.calls, done.files) == (1, 2, [])


def test_what_changed_since_the_last_whole_day_is_asked_for(world: World) -> None:
    asked: list[str] = []

    def start(request: Request) -> Any:
        asked.append(json.loads(request.get_data())["variables"]["query"].partition("updated_at:>='")[2][:10])
        return {"data": {"bulkOperationRunQuery": {"bulkOperation": {"id": OPERATION}, "userErrors": []}}}

    shop(world, *ORDERS, start=start)
    capture(world)
    # A day that fails moves nothing.
    world.time.at = datetime(2026, 1, 6, 22)
    shop(world, *ORDERS, start=start, state=lambda _: Response("", 500))
    assert dict(capture(world).missing) == {"unreachable": 1}
    world.time.at = datetime(2026, 1, 8, 22)
    shop(world, *ORDERS, start=start)
    capture(world)
    world.time.at = datetime(2026, 1, 9, 22)
    shop(world, *ORDERS, start=start, more="  look_back_days: 9\n")
    capture(world)
    assert asked == ["2025-11-06", "2026-01-05", "2026-01-05", "2025-12-31"]


def test_an_operation_is_waited_for(world: World) -> None:
    """Another one of the shop, this one, and for longer than any other call may take."""
    busy = {
        "bulkOperation": None,
        "userErrors": [{"field": None, "message": "A bulk query operation is already in progress."}],
    }
    begun = {"bulkOperation": {"id": OPERATION, "status": "CREATED"}, "userErrors": []}
    starts = [busy, begun]
    nodes: list[Any] = [{"id": OPERATION, "status": "CREATED"}, *[{"id": OPERATION, "status": "RUNNING"}] * 8]
    url = f"https://storage.googleapis.com{FILE}?X-Goog-Signature=s1gned%2Fx"
    nodes.append({"id": OPERATION, "status": "COMPLETED", "errorCode": None, "objectCount": "4", "url": url})
    shop(
        world, *ORDERS, start=lambda _: {"data": {"bulkOperationRunQuery": starts.pop(0)}},
        state=lambda _: {"data": {"node": nodes.pop(0)}},
    )  # fmt: skip
    done = capture(world)
    assert (done.received, done.calls, nodes, starts) == (1, 13, [], [])
    assert sum(world.time.slept) > 120


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_killed_capture_goes_on_with_its_operation(world: World, monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """No second one is begun, and what lands is what one go lands."""
    append, left = Journal.append, calls

    def killed(self: Journal, record: Any) -> None:
        nonlocal left
        append(self, record)
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    shop(world, *ORDERS)
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            capture(world)
    assert nowhere_under(world, *SECRETS)
    world.time.at = datetime(2026, 1, 5, 22, 30)
    done = capture(world)
    assert (done.received, len(world.requests)) == (1, 3)
    assert len(world.landed()["shopify/orders_2026-01-05T220000Z.jsonl.gz"]) == 4


def test_an_operation_without_end_is_left_after_an_hour(world: World) -> None:
    world.time.at = datetime(2026, 1, 5, 12)
    shop(world, *ORDERS, state={"data": {"node": {"id": OPERATION, "status": "RUNNING"}}})
    assert dict(capture(world).missing) == {"throttled": 1}
    assert 3000 < sum(world.time.slept) <= 3600


def node(**more: Any) -> dict[str, Any]:
    url = f"https://storage.googleapis.com{FILE}?X-Goog-Signature=s1gned%2Fx"
    held = {"id": OPERATION, "status": "COMPLETED", "errorCode": None, "objectCount": "4", "url": url}
    return {"state": {"data": {"node": held | more}}}


def text_of(*orders: Any) -> dict[str, Any]:
    return {"file": lambda _: Response("".join(json.dumps(each) + "\n" for each in orders))}


def error(code: str) -> dict[str, Any]:
    return {"start": {"errors": [{"message": "x", "extensions": {"code": code}}]}}


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        # Half an answer: three of four orders, a line that is cut, an operation that ended early.
        (text_of(*ORDERS[:3]), "contract"),
        ({"file": lambda _: Response(json.dumps(ORDERS[0]) + '\n{"legacyRes')}, "contract"),
        (text_of(*ORDERS[:3], {"id": "gid://shopify/Order/9"}), "contract"),
        (node(status="FAILED", errorCode="TIMEOUT", url=None), "contract"),
        (node(url=None), "contract"),
        # A server that is none of those where files lie gets no question.
        (node(url="https://evil.example/steal"), "contract"),
        (node(url="http://storage.googleapis.com/x"), "contract"),
        (node(url="https://storage.googleapis.com.evil.example/x"), "contract"),
        ({"state": {"data": {"node": None}}}, "contract"),
        ({"state": {"data": []}}, "contract"),
        (error("undefinedField"), "contract"),
        (error("ACCESS_DENIED"), "auth"),
        (error("THROTTLED"), "throttled"),
        ({"start": lambda _: Response('{"errors": "[API] Invalid API key or access token"}', 401)}, "auth"),
        ({"start": lambda _: Response('{"errors": "Not Found"}', 404)}, "contract"),
        ({"start": lambda _: Response("", 429)}, "throttled"),
        ({"start": lambda _: Response("<html>", 502)}, "unreachable"),
        ({"file": lambda _: Response("<Error>expired</Error>", 403)}, "auth"),
        ({"start": lambda _: Response("", 307, {"Location": "/there"})}, "contract"),
    ],
)  # fmt: skip
def test_a_fault_has_its_reason_and_lands_nothing(world: World, answers: dict[str, Any], reason: str) -> None:
    shop(world, *ORDERS, **answers)
    done = capture(world)
    assert (dict(done.missing), done.files) == ({reason: 1}, [])
    # The day asks once more, and nothing of a person or of the key was said.
    shop(world, *ORDERS)
    assert capture(world).received == 1
    assert nowhere_under(world, *SECRETS)


def test_an_app_trades_its_secret_for_a_token(world: World) -> None:
    shop(world, *ORDERS)
    asked: list[Any] = []

    def token(request: Request) -> Any:
        asked.append(json.loads(request.get_data()))
        return {"access_token": KEY, "scope": "read_orders", "expires_in": 86399}

    world.answer("/admin/oauth/access_token", token)
    assert world.capture("shopify", "app-s3cret").received == 1
    assert asked == [{"client_id": "4711", "client_secret": "app-s3cret", "grant_type": "client_credentials"}]
    assert nowhere_under(world, "app-s3cret", KEY)


@pytest.mark.parametrize(
    "account", ["glow.example.org", "glow.myshopify.com.evil.example", "x@glow.myshopify.com", "glow"]
)
def test_a_key_goes_to_a_shop_alone(world: World, account: str) -> None:
    world.sources(f"shopify:\n  connection: shop\n  account: {account}\n")
    with pytest.raises(CaptureRefused, match="is not written as that platform does"):
        capture(world)


@pytest.mark.parametrize("orders", [1_000, 10_000])
def test_a_night_is_three_calls_as_forecast(world: World, orders: int) -> None:
    shop(world, *(order(number) for number in range(1, orders + 1)))
    expected = forecast(world.settings, "shopify", load_sources(world.settings)["shopify"], world.time.at)
    done = capture(world)
    assert len(world.landed()[done.files[0]]) == orders
    assert (expected.calls, done.calls, len(world.requests)) == (3, 3, 3)
