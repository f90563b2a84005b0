"""Transactions of affiliate networks, from made-up answers of the documented shape to the rows in raw."""

import base64
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from werkzeug import Request, Response

from ingestion.errors import ConfigError
from ingestion.sources.errors import CaptureRefused
from ingestion.sources.forecast import forecast
from ingestion.sources.settings import load_sources
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World, nowhere_under

KEY = "s3cret-of-a-network"
# What answers hold of customers, and is kept nowhere.
SECRETS = ("192.0.2.7", "Musterstadt", "customer-9", "-917875", "sub-of-a-reader", "mail.example", KEY)
COSTS = "cost_id, collaboration_id, cost_date, cost_type, amount, currency"


# --- Awin

AWIN = "/advertisers/4711/transactions/"


def transaction(number: int, status: str = "approved", day: str = "2026-01-03", **more: Any) -> dict[str, Any]:
    return {
        "id": number, "advertiserId": 4711, "publisherId": 88, "orderRef": f"o-{number}", "siteName": "mail.example",
        "clickDate": f"{day}T09:00:00", "transactionDate": f"{day}T23:30:00", "commissionStatus": status,
        "saleAmount": {"amount": 80.0, "currency": "EUR"}, "commissionAmount": {"amount": 4.26, "currency": "EUR"},
        "networkFee": {"amount": 1.19, "currency": "EUR"}, "voucherCode": "GLOW10", "amended": False, "ipHash": "-917875755",
        "clickRefs": {"clickRef": "sub-of-a-reader"}, "customParameters": [{"key": "e", "value": "x@mail.example"}], **more,
    }  # fmt: skip


TRANSACTIONS = [
    transaction(1),
    transaction(2, "pending"),
    transaction(3, "declined"),
    # Of a sale in another currency, on the first day that is read again; a network without a fee of its own.
    transaction(4, day="2025-10-05", commissionAmount={"amount": 10, "currency": "USD"}, networkFee=None),
]


def awin(world: World, *held: dict[str, Any], more: str = "", answer: Any = None) -> None:
    world.sources(f"awin:\n  base_url: SERVER\n  connection: net\n  account: '4711'\n{more}")

    def transactions(request: Request) -> Any:
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert (request.args["timezone"], request.args["dateType"]) == ("UTC", "transaction")
        first, last = (datetime.fromisoformat(request.args[name]) for name in ("startDate", "endDate"))
        assert (last - first).days < 31
        if answer is not None:
            return answer(request)
        return [each for each in held if first <= datetime.fromisoformat(each["transactionDate"]) <= last]

    world.server.clear()
    world.answer(AWIN, transactions)


def test_awin_goes_the_whole_way_to_raw(world: World) -> None:
    awin(world, *TRANSACTIONS)
    done = world.capture("awin", KEY)
    # 93 days in spans of 31.
    assert (done.received, done.calls, len(done.files)) == (1, 3, 1)
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    assert yard.rows_of("costs", COSTS) == [
        ("awin-1", "awin-88", date(2026, 1, 3), "commission", Decimal("4.26"), "EUR"),
        ("awin-1-fee", "awin-88", date(2026, 1, 3), "agency", Decimal("1.19"), "EUR"),
        ("awin-4", "awin-88", date(2025, 10, 5), "commission", Decimal(10), "USD"),
    ]
    assert nowhere_under(world, *SECRETS)


def test_awin_reads_the_days_again(world: World) -> None:
    """What was pending is a cost once it is approved; spans end with the day, and each day is asked for once."""
    asked: list[tuple[str, str]] = []
    awin(world, answer=lambda request: asked.append((request.args["startDate"], request.args["endDate"])) or [])
    world.capture("awin", KEY)
    assert asked == [
        ("2025-10-05T00:00:00", "2025-11-04T23:59:59"), ("2025-11-05T00:00:00", "2025-12-05T23:59:59"),
        ("2025-12-06T00:00:00", "2026-01-05T23:59:59"),
    ]  # fmt: skip
    world.time.at = datetime(2026, 1, 6, 22)
    awin(world, transaction(2), more="  look_back_days: 5\n")
    assert world.capture("awin", KEY).calls == 1
    yard = Yard(world.settings)
    yard.land()
    assert [row[0] for row in yard.rows_of("costs", COSTS)] == ["awin-2", "awin-2-fee"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _: {"transactions": []}, "contract"),
        (lambda _: [{"orderRef": "x"}], "contract"),
        (lambda _: [transaction(1, advertiserId=9)], "contract"),
        (lambda _: Response('[{"id": 1, "advert'), "contract"),
        (lambda _: Response('{"error": "unauthorized", "description": "x"}', 401), "auth"),
        (lambda _: Response('{"error": "forbidden"}', 403), "auth"),
        (lambda _: Response('{"error": "not found"}', 404), "contract"),
        (lambda _: Response("", 429), "throttled"),
        (lambda _: Response("<html>", 502), "unreachable"),
    ],
)
def test_a_fault_of_awin_has_its_reason(world: World, answer: Any, reason: str) -> None:
    awin(world, answer=answer)
    done = world.capture("awin", KEY)
    assert (dict(done.missing), done.files) == ({reason: 1}, [])
    awin(world, *TRANSACTIONS)
    assert world.capture("awin", KEY).received == 1


# --- impact.com

IMPACT = "/Advertisers/IRacc7/Actions"


def action(number: int, state: str = "APPROVED", **more: Any) -> dict[str, Any]:
    return {
        "Id": f"1000.{number}", "CampaignId": "55", "ActionTrackerId": "5", "MediaPartnerId": "77", "MediaPartnerName": "mail.example",
        "State": state, "Amount": "80.00", "Payout": "8.50", "ClientCost": "0.85", "Currency": "EUR",
        "EventDate": "2026-01-03T23:30:00-05:00", "LockingDate": "", "PromoCode": "GLOW10", "OrderId": f"o-{number}",
        "CustomerId": "customer-9", "CustomerCity": "Musterstadt", "IpAddress": "192.0.2.7", "ReferringDomain": "mail.example", **more,
    }  # fmt: skip


def impact(
    world: World, *held: dict[str, Any], more: str = "", change: Callable[[Any], Any] = lambda body: body
) -> None:
    """All actions lie in the last 31 days."""
    world.sources(f"impact:\n  base_url: SERVER\n  connection: net\n  account: IRacc7\n  programs: ['55']\n{more}")

    def actions(request: Request) -> Any:
        assert request.headers["Authorization"] == "Basic " + base64.b64encode(f"4711:{KEY}".encode()).decode()
        assert (request.args["CampaignId"], request.args["PageSize"]) == ("55", "1000")
        there = held if request.args["ActionDateEnd"].startswith(str(world.time.at.date())) else ()
        page = int(request.args["Page"])
        rows = there[(page - 1) * 1000 : page * 1000]
        pages = max(1, -(-len(there) // 1000))
        return change(
            {
                "@page": str(page),
                "@numpages": str(pages),
                "@total": str(len(there)),
                "@nextpageuri": "",
                "Actions": rows,
            }
        )

    world.server.clear()
    world.answer(IMPACT, actions)


def test_impact_goes_the_whole_way_to_raw(world: World) -> None:
    impact(
        world, action(1), action(2, "PENDING"), action(3, "REVERSED"), action(4, Payout="0.125", MediaPartnerId="78")
    )
    done = world.capture("impact", KEY)
    assert (done.received, done.calls, len(done.files)) == (1, 3, 1)
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    assert yard.rows_of("costs", COSTS) == [
        ("impact-1000.1", "impact-77", date(2026, 1, 3), "commission", Decimal("8.5"), "EUR"),
        ("impact-1000.4", "impact-78", date(2026, 1, 3), "commission", Decimal("0.125"), "EUR"),
    ]
    assert nowhere_under(world, *SECRETS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        # Fewer than were counted, another page, no count, no list, a page without end.
        (lambda body: body | {"@total": "9"}, "contract"),
        (lambda body: body | {"@page": "7"}, "contract"),
        (lambda body: body | {"@numpages": "2"}, "contract"),
        (lambda body: {"Actions": body["Actions"]}, "contract"),
        (lambda body: body | {"Actions": None}, "contract"),
        (lambda body: body | {"Actions": [{"State": "APPROVED"}] * len(body["Actions"])}, "contract"),
        (lambda _: Response('{"Status": "ERROR", "Message": "x"}', 401), "auth"),
        (lambda _: Response('{"Status": "ERROR", "Message": "x"}', 400), "contract"),
        (lambda _: Response("", 429, {"Retry-After": "86400"}), "throttled"),
        (lambda _: Response("<html>", 503), "unreachable"),
    ],
)
def test_a_fault_of_impact_has_its_reason(world: World, change: Callable[[Any], Any], reason: str) -> None:
    impact(world, action(1), change=change)
    done = world.capture("impact", KEY)
    assert (dict(done.missing), done.files) == ({reason: 1}, [])


def test_impact_says_what_it_needs(world: World) -> None:
    impact(world)
    world.sources("impact:\n  base_url: SERVER\n  connection: net\n  account: IRacc7\n")
    with pytest.raises(CaptureRefused, match="write `programs:` into"):
        world.capture("impact", KEY)
    world.sources("impact:\n  connection: net\n  account: IRacc7\n  programs: ['5/x']\n")
    with pytest.raises(ConfigError, match="programs"):
        load_sources(world.settings)


# --- both


@pytest.mark.parametrize(("rows", "calls"), [(1_000, {"awin": 3, "impact": 3}), (10_000, {"awin": 3, "impact": 12})])
def test_a_night_is_calls_as_forecast(world: World, rows: int, calls: dict[str, int]) -> None:
    """Awin answers 31 days whole; impact.com in pages of 1,000, of which those beyond the first three are 9."""
    for name, key in (("awin", transaction), ("impact", action)):
        world.requests.clear()
        if name == "awin":
            awin(world, *map(key, range(rows)))
        else:
            impact(world, *map(key, range(rows)), more=f"  expected_rows: {rows}\n")
        expected = forecast(world.settings, name, load_sources(world.settings)[name], world.time.at)
        done = world.capture(name, KEY)
        assert len(world.landed()[done.files[0]]) == rows
        assert (expected.calls, done.calls, len(world.requests)) == (calls[name],) * 3
