"""Google Sheets: the ledger of what was spent, which a team keeps in a spreadsheet. One call for all of its sheets.

A sheet is a list of lists, so each row lands under the names of its first row. Only columns that are asked for do: what
else people write beside their costs stays where it is.
"""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from ingestion.config import Login
from ingestion.contracts import load_feeds
from ingestion.sources.errors import BadAnswer, CaptureRefused, NotSupported, SourceError, Unauthorised
from ingestion.sources.platform import OWN_CHOICE, TABLE, Brought, Call, Source, Walk, Wanted, listed

VALUES = "/v4/spreadsheets/{}/values:batchGet"
TOKENS = "https://oauth2.googleapis.com/token"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/spreadsheets.readonly"
RANGES = ("costs",)
# A spreadsheet has at most ten million cells, and a ledger a few thousand rows.
MAX_BYTES = 64 << 20


class GoogleSheets(Source):
    """The source `google_sheets`. `account` is the id of a spreadsheet."""

    name = "google_sheets"
    platform = ""
    base_url = "https://sheets.googleapis.com"
    terms = "https://developers.google.com/terms/api-services-user-data-policy"
    keeps = "the columns of costs, and those that `columns` names; nothing else of the sheet"
    term = "the data is your own"
    would_change = OWN_CHOICE
    # 60 reads a minute and user of a project.
    per_second = 1.0
    burst = 5.0
    needs_key = True
    needs_account = True
    asks_accounts = False
    account_is = r"[A-Za-z0-9_-]{10,100}"
    options = ("ranges", "columns")
    mappings = ("google_sheets_costs",)

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {login.key}"} if login else {}

    def exchange(self, login: Login, now: datetime) -> Call | None:
        """A service account signs who it is, and gets a token of an hour."""

        def read(body: Any) -> Brought:
            return Brought(facts={"token": str(body["access_token"])})

        form = urlencode({"grant_type": GRANT, "assertion": _assertion(login, now)})
        return Call("token", TOKENS, read, body=form, content_type="application/x-www-form-urlencoded", is_bare=True)

    def classify(self, status: int, body: Any) -> SourceError | None:
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, str) and status in (400, 401):
            return Unauthorised(f"the service account is not taken: {error[:100]}")
        if isinstance(error, dict) and status == 403:
            return NotSupported("the spreadsheet is not shared with the service account, or the API is not switched on")
        return None

    def walk(self, asked: Wanted) -> Walk:
        yield _values(asked)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        yield _values(asked)


def _assertion(login: Login, now: datetime) -> str:
    """A JWT (RFC 7523) of a service account, good for an hour. Raises CaptureRefused where the key signs nothing."""
    issued = int(now.replace(tzinfo=UTC).timestamp())
    claims = {"iss": login.login, "scope": SCOPE, "aud": TOKENS, "iat": issued, "exp": issued + 3600}
    try:
        key = serialization.load_pem_private_key(login.key.replace("\\n", "\n").encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or not login.login:
        raise CaptureRefused(
            "google_sheets: the connection holds no service account; its login is `client_email` and its password"
            " `private_key` of the account's JSON file (docs/sources/google_sheets.md)"
        )
    signed = ".".join(_packed(json.dumps(each).encode()) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
    return f"{signed}.{_packed(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _values(asked: Wanted) -> Call:
    ranges = tuple(asked.options.get("ranges") or RANGES)
    wanted = tuple(asked.options.get("columns") or load_feeds()["costs"].columns)

    def read(body: Any) -> Brought:
        found = listed(body, "valueRanges")
        if len(found) != len(ranges):
            raise BadAnswer(f"{len(found)} of {len(ranges)} ranges came")
        return Brought([row for each in found for row in _rows(each.get("values") or [], wanted)])

    params = [("ranges", each) for each in ranges]
    # A date comes as the sheet shows it, a number without its format.
    params += [("valueRenderOption", "UNFORMATTED_VALUE"), ("dateTimeRenderOption", "FORMATTED_STRING")]
    url = VALUES.format(asked.options.get("account", ""))
    return Call("costs", url, read, tuple(params), ("google_sheets",), TABLE, most_bytes=MAX_BYTES)


def _rows(values: list[list[Any]], wanted: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Rows below the first one, by its names; blank rows are left out. Raises BadAnswer for a sheet without them."""
    names = [str(cell).strip() for cell in values[0]] if values else []
    places = {name: place for place, name in enumerate(names) if name in wanted}
    if not places:
        raise BadAnswer(f"a sheet whose first row names none of {', '.join(wanted)}")
    if twice := sorted({name for name in places if names.count(name) > 1}):
        raise BadAnswer(f"a sheet with several columns {', '.join(twice)}")
    for row in values[1:]:
        # Empty cells at the end of a row are left out of an answer.
        held = {name: row[place] if place < len(row) else "" for name, place in places.items()}
        if any(cell != "" for cell in held.values()):
            yield held
