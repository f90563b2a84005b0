"""Shopify's GraphQL Admin API: orders with their refunds, as one bulk operation a night.

A shop runs the operation by itself and names a file of JSON lines. Ids, times and amounts are asked for alone, and
nothing else of an answer is kept: no name, no address, no e-mail of a customer is on any disk.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ingestion.config import Login
from ingestion.sources.errors import BadAnswer, NotSupported, SourceError, Throttled, Unauthorised, Unreachable
from ingestion.sources.platform import OWN_CHOICE, TABLE, Brought, Call, Source, Walk, Wanted, at

VERSION = "2026-07"
GRAPHQL, TOKENS = f"/admin/api/{VERSION}/graphql.json", "/admin/oauth/access_token"
# Where shops lay the files of bulk operations; the key does not go there.
FILES = re.compile(r"https://storage\.googleapis\.com/[^?#]+", re.I)
MONEY = "{ shopMoney { amount currencyCode } }"
ORDER = f"""
id legacyResourceId createdAt updatedAt cancelledAt test discountCodes customer {{ id }}
totalPriceSet {MONEY} totalDiscountsSet {MONEY} totalTaxSet {MONEY} totalShippingPriceSet {MONEY}
refunds {{ id legacyResourceId createdAt totalRefundedSet {MONEY} }}
"""
START = """mutation start($query: String!) {
bulkOperationRunQuery(query: $query) { bulkOperation { id status } userErrors { field message } } }"""
STATE = "query state($id: ID!) { node(id: $id) { ... on BulkOperation { id status errorCode objectCount url } } }"
# All that is kept of a line, as asked for above.
KEPT = (
    "legacyResourceId", "createdAt", "updatedAt", "cancelledAt", "test", "discountCodes", "customer.id",
    *(
        f"{name}.shopMoney.{part}"
        for name in (
            "totalPriceSet", "totalDiscountsSet", "totalTaxSet", "totalShippingPriceSet", "refunds.totalRefundedSet",
        )
        for part in ("amount", "currencyCode")
    ),
    "refunds.legacyResourceId", "refunds.createdAt",
)  # fmt: skip
# A shop hides orders older than that from apps without the scope `read_all_orders`.
FIRST_DAYS = 60
# An operation over 60 days of a large shop takes minutes; a file of 300,000 orders has about 200 MB.
PATIENCE_SECONDS, MAX_BYTES = 3600.0, 256 << 20


class Shopify(Source):
    """The source `shopify`. `account` is the server of a shop: `your-shop.myshopify.com`."""

    name = "shopify"
    platform = ""
    base_url = "https://{account}"
    terms = "https://www.shopify.com/legal/api-terms"
    keeps = "ids, times and amounts of orders and refunds, and codes; no name, address or e-mail"
    term = "the data is your own; no more personal data is to be kept than is needed"
    would_change = OWN_CHOICE
    # Queries cost points, of which 50 and more come back each second; these cost about 10.
    per_second = 2.0
    burst = 4.0
    needs_key = True
    needs_account = True
    asks_accounts = False
    account_is = r"[a-z0-9][a-z0-9-]{0,80}\.myshopify\.com"
    options = ("look_back_days",)
    mappings = ("shopify_orders_in_bulk",)
    # An order is read with and without a customer, and its refunds by themselves.
    unrolled = ("orders",)

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"X-Shopify-Access-Token": login.key} if login else {}

    def exchange(self, login: Login, now: datetime) -> Call | None:
        """An app's id and secret, where the connection has a login, are traded for a token of a day."""
        if not login.login:
            return None

        def read(body: Any) -> Brought:
            return Brought(facts={"token": str(body["access_token"])})

        body = {"client_id": login.login, "client_secret": login.key, "grant_type": "client_credentials"}
        return Call("token", TOKENS, read, body=json.dumps(body), is_bare=True)

    def classify(self, status: int, body: Any) -> SourceError | None:
        """GraphQL says under status 200 what went wrong; an operation that is not done is waited for."""
        errors = body.get("errors") if isinstance(body, dict) else None
        codes = {at(each, ("extensions", "code")) for each in errors} if isinstance(errors, list) else set()
        if "THROTTLED" in codes or _in_progress(body):
            return Throttled("the shop asks for patience, or still runs another bulk operation")
        if "ACCESS_DENIED" in codes:
            return NotSupported("the app lacks the scope read_orders, or may not see ids of customers")
        if status in (400, 401, 402, 403, 423):
            return Unauthorised(f"the shop does not take the key, or is closed ({status})")
        if "INTERNAL_SERVER_ERROR" in codes:
            return Unreachable("the shop fails by itself")
        if status == 200 and errors:
            return BadAnswer("the shop refuses the question; it may have ended a field of it")
        return None

    def walk(self, asked: Wanted) -> Walk:
        operation = yield _start(asked)
        if operation is not None:
            state = yield _state(operation)
            if state is not None and state["url"]:
                yield _orders(state["url"], state["lines"])

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        yield _start(asked)
        yield _state("")
        yield _orders("", 0)


def _in_progress(body: Any) -> bool:
    """Whether an operation, this one or another, is at work."""
    problems = at(body, ("data", "bulkOperationRunQuery", "userErrors"))
    is_other = isinstance(problems, list) and any("already in progress" in str(each) for each in problems)
    return is_other or at(body, ("data", "node", "status")) in ("CREATED", "RUNNING", "CANCELING")


def _posted(text: str, **variables: str) -> str:
    return json.dumps({"query": text, "variables": variables})


def _start(asked: Wanted) -> Call:
    """All orders that changed since the last whole day, which a refund changes as well."""
    day, back, last = date.fromisoformat(asked.day), asked.options.get("look_back_days"), asked.options.get("last_day")
    first = date.fromisoformat(last) if last and not back else day - timedelta(days=back or FIRST_DAYS)
    query = f"""{{ orders(query: "updated_at:>='{first}T00:00:00Z'") {{ edges {{ node {{ {ORDER} }} }} }} }}"""

    def read(body: Any) -> Brought:
        if at(body, ("data", "bulkOperationRunQuery", "userErrors")):
            raise BadAnswer("the shop does not begin a bulk operation")
        return Brought(facts=str(body["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"]))

    return Call("start", GRAPHQL, read, targets=("shopify",), kind=TABLE, body=_posted(START, query=query))


def _state(operation: str) -> Call:
    """What became of an operation, asked until it is done."""

    def read(body: Any) -> Brought:
        node = body["data"]["node"]
        if node["status"] != "COMPLETED":
            # What a failed one wrote so far is half of the answer.
            raise BadAnswer(f"the bulk operation ended as {node['status']}, {node['errorCode']}")
        url, lines = node["url"], int(node["objectCount"])
        if (url is None) != (lines == 0) or (url is not None and not FILES.match(url)):
            raise BadAnswer("the bulk operation names no file where files of shops are")
        return Brought(facts={"url": url, "lines": lines})

    return Call(
        "state", GRAPHQL, read, targets=("shopify",), kind=TABLE, body=_posted(STATE, id=operation),
        deadline=PATIENCE_SECONDS,
    )  # fmt: skip


def _orders(url: str, lines: int) -> Call:
    def read(body: Any) -> Brought:
        items = [json.loads(line) for line in str(body).splitlines() if line]
        if len(items) != lines or not all(isinstance(item, dict) and "legacyResourceId" in item for item in items):
            raise BadAnswer(f"{len(items):,} of {lines:,} orders came")
        return Brought(items)

    parts = urlsplit(url)
    return Call(
        "orders", f"{parts.scheme}://{parts.netloc}{parts.path}", read, tuple(parse_qsl(parts.query)), ("shopify",),
        TABLE, is_text=True, kept=KEPT, is_bare=True, most_bytes=MAX_BYTES,
    )  # fmt: skip
