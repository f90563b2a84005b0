"""A spend ledger in a spreadsheet, from made-up answers of the documented shape to the rows in raw."""

import base64
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from werkzeug import Request, Response

from ingestion.errors import ConfigError
from ingestion.sources.errors import CaptureRefused
from ingestion.sources.forecast import forecast
from ingestion.sources.settings import load_sources
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World, nowhere_under

SHEET = "1AbcdefghijklmnopqrstuvwxyZ"
PATH = f"/v4/spreadsheets/{SHEET}/values:batchGet"
HEAD = ["cost_id", "cost_date", "cost_type", "amount", "currency", "campaign_id", "collaboration_id", "paid to"]
ROWS: list[list[Any]] = [
    ["c-1", "2026-01-03", "fee", 1200.5, "EUR", "spring", "k-1", "Anna Beispiel, DE02 1203 0000"],
    # Cells at the end of a row that are empty are left out.
    [42, "2026-01-04", "tools", 60634.34999999999, "USD"],
    [],
    ["c-3", "2026-01-05", "ads", -80, "EUR", "spring"],
    ["Total", "", "", 61754.84999999999],
]
_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = _key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


def sheet(world: World, *rows: list[Any], ranges: str = "", head: list[Any] | None = None) -> None:
    world.sources(f"google_sheets:\n  base_url: SERVER\n  connection: gs\n  account: {SHEET}\n{ranges}")
    answer(world, lambda _: table([head or HEAD, *rows]))


def table(*sheets: list[list[Any]]) -> dict[str, Any]:
    held = [{"range": "costs!A1:Z1000", "majorDimension": "ROWS", "values": each} for each in sheets]
    return {"spreadsheetId": SHEET, "valueRanges": held}


def answer(world: World, values: Any) -> None:
    def token(request: Request) -> Any:
        form = parse_qs(request.get_data(as_text=True))
        head, claims, mark = form["assertion"][0].split(".")
        _key.public_key().verify(opened(mark), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        said = json.loads(opened(claims))
        assert (said["iss"], said["aud"]) == ("4711", "https://oauth2.googleapis.com/token")
        assert said["exp"] - said["iat"] == 3600
        return {"access_token": "t0ken", "expires_in": 3599, "token_type": "Bearer"}

    def checked(request: Request) -> Any:
        assert request.headers["Authorization"] == "Bearer t0ken"
        return values(request)

    world.server.clear()
    world.answer("/token", token)
    world.answer(PATH, checked)


def opened(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def landed(world: World, file: str) -> list[tuple[Any, ...]]:
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 0
    return yard.rows(file, "cost_id, cost_date, cost_type, amount, currency, campaign_id, collaboration_id")


def test_a_ledger_goes_the_whole_way_to_raw(world: World) -> None:
    sheet(world, *ROWS)
    done = world.capture("google_sheets", PEM)
    assert (done.received, done.calls, done.files) == (1, 1, ["google_sheets/costs_2026-01-05T220000Z.jsonl.gz"])
    assert landed(world, done.files[0]) == [
        ("c-1", date(2026, 1, 3), "fee", Decimal("1200.5"), "EUR", "spring", "k-1"),
        # Float noise of a spreadsheet is the number that it shows.
        ("42", date(2026, 1, 4), "tools", Decimal("60634.35"), "USD", None, None),
        ("c-3", date(2026, 1, 5), "ads", Decimal(-80), "EUR", "spring", None),
    ]
    # Whom it was paid to is a column that nobody asked for.
    assert nowhere_under(world, "Beispiel", "DE02", "t0ken", "BEGIN PRIVATE", "paid to")


def test_each_capture_is_the_whole_ledger(world: World) -> None:
    """What is gone from the sheet is withdrawn by the next one, as the mapping says that each is all."""
    sheet(world, *ROWS)
    world.capture("google_sheets", PEM)
    world.time.at = datetime(2026, 1, 6, 22)
    sheet(world, ROWS[0], ROWS[3])
    done = world.capture("google_sheets", PEM)
    assert [row[0] for row in landed(world, done.files[0])] == ["c-1", "c-3"]
    arrivals = Yard(world.settings).query("select as_of, is_full from arrivals order by as_of")
    assert [(row["as_of"][:10], row["is_full"]) for row in arrivals] == [("2026-01-05", 1), ("2026-01-06", 1)]


def test_several_sheets_and_columns_of_ones_own(world: World) -> None:
    sheet(world, ranges="  ranges: ['2025', 'Spend 2026!A:H']\n  columns: [cost_id, Datum]\n")
    asked: list[list[str]] = []

    def values(request: Request) -> Any:
        asked.append(request.args.getlist("ranges"))
        return table([["cost_id", "Datum", "x"], ["a", "2025-12-31", "n"]], [["Datum", "cost_id"], ["2026-01-02", "b"]])

    answer(world, values)
    done = world.capture("google_sheets", PEM)
    assert asked == [["2025", "Spend 2026!A:H"]]
    assert world.landed()[done.files[0]] == [
        {"cost_id": "a", "Datum": "2025-12-31"}, {"Datum": "2026-01-02", "cost_id": "b"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        # One of two sheets; no names; names twice; another shape.
        (lambda _: table([HEAD, ROWS[0]]), "contract"),
        (lambda _: table([], []), "contract"),
        (lambda _: table([["Datum"], ["x"]], [HEAD]), "contract"),
        (lambda _: table([[*HEAD, "amount"]], [HEAD]), "contract"),
        (lambda _: {"valueRanges": [3, 4]}, "contract"),
        (lambda _: table(["costs"], [HEAD]), "contract"),  # type: ignore[list-item]
        (lambda _: Response('{"valueRanges": [{"values": [["cost_', 200), "contract"),
        (lambda _: Response('{"error": {"code": 401, "status": "UNAUTHENTICATED"}}', 401), "auth"),
        (lambda _: Response('{"error": {"code": 403, "status": "PERMISSION_DENIED"}}', 403), "auth"),
        (lambda _: Response('{"error": {"code": 404, "status": "NOT_FOUND"}}', 404), "contract"),
        (lambda _: Response('{"error": {"code": 400, "message": "Unable to parse range: x"}}', 400), "contract"),
        (lambda _: Response('{"error": {"code": 429}}', 429), "throttled"),
        (lambda _: Response("<html>", 503), "unreachable"),
    ],
)
def test_a_fault_has_its_reason_and_lands_nothing(world: World, values: Any, reason: str) -> None:
    sheet(world, ranges="  ranges: [a, b]\n")
    answer(world, values)
    done = world.capture("google_sheets", PEM)
    assert (dict(done.missing), done.files) == ({reason: 1}, [])


def test_a_pause_that_is_asked_for_is_made(world: World) -> None:
    sheet(world)
    first = [Response("{}", 429, {"Retry-After": "7"})]
    answer(world, lambda _: first.pop() if first else table([HEAD, ROWS[0]]))
    assert world.capture("google_sheets", PEM).received == 1
    assert 7 <= sum(world.time.slept) <= 8


def test_a_column_that_is_renamed_quarantines_the_file_in_words(world: World) -> None:
    """The night goes on with the ledger of the day before."""
    sheet(world, ["c-1", "2026-01-03"], head=["cost_id", "cost_date", "kind"])
    done = world.capture("google_sheets", PEM)
    yard = Yard(world.settings)
    assert yard.land().files_quarantined == 1
    assert "cost_type" in yard.batch(done.files[0])["reason"]


def test_a_service_account_that_is_not_taken(world: World) -> None:
    sheet(world, *ROWS)
    world.server.clear()
    refused = json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    world.answer("/token", lambda _: Response(refused, 400))
    done = world.capture("google_sheets", PEM)
    assert (dict(done.missing), done.calls) == ({"auth": 1}, 0)
    assert "invalid_grant" in done.problems[0]
    world.time.at = datetime(2026, 1, 6, 22)
    with pytest.raises(CaptureRefused, match="`private_key` of the account's JSON file"):
        world.capture("google_sheets", "s3cret-that-is-no-key")
    assert nowhere_under(world, "BEGIN PRIVATE", "s3cret")


@pytest.mark.parametrize("rows", [1_000, 10_000])
def test_a_night_is_one_call_as_forecast(world: World, rows: int) -> None:
    """And one for a token, whatever the rows."""
    sheet(world, *([f"c-{number}", "2026-01-03", "fee", number, "EUR"] for number in range(rows)))
    expected = forecast(world.settings, "google_sheets", load_sources(world.settings)["google_sheets"], world.time.at)
    done = world.capture("google_sheets", PEM)
    assert len(world.landed()[done.files[0]]) == rows
    assert (expected.calls, done.calls, len(world.requests)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("bluesky:\n  ranges: [a]\n", "sources.yml:2: bluesky: ranges: this source does not read it"),
        ("google_sheets:\n  ranges: []\n", "sources.yml:2: google_sheets: ranges: "),
    ],
)
def test_what_is_wrong_with_its_settings_is_named(world: World, more: str, said: str) -> None:
    world.sources(more)
    with pytest.raises(ConfigError) as error:
        load_sources(world.settings)
    assert said in str(error.value)


@pytest.mark.parametrize("account", ["a/../../x/abcdefgh", "short", "x?y=abcdefghijkl"])
def test_an_account_that_would_be_another_address_is_refused(world: World, account: str) -> None:
    sheet(world, *ROWS)
    world.sources(f"google_sheets:\n  base_url: SERVER\n  connection: gs\n  account: '{account}'\n")
    with pytest.raises(CaptureRefused, match="is not written as that platform does"):
        world.capture("google_sheets", PEM)
