"""Awin's advertiser API: transactions with their commission, of the last 93 days again at each capture.

A transaction is approved, declined and amended for weeks after its day, and no answer says which were.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import BadAnswer
from ingestion.sources.platform import OWN_CHOICE, TABLE, Brought, Call, Source, Walk, Wanted, windows

TRANSACTIONS = "/advertisers/{}/transactions/"
# A call spans at most 31 days. Three of them: longer than most programmes take to validate a transaction.
WINDOW_DAYS, LOOK_BACK_DAYS = 31, 92
MAX_BYTES = 256 << 20
# What is kept of a transaction. Its click references, IP hash and country of the customer are not.
KEPT = (
    "id", "advertiserId", "publisherId", "orderRef", "clickDate", "transactionDate", "validationDate",
    "commissionStatus", "voucherCode", "amended",
    *(f"{name}.{part}" for name in ("saleAmount", "commissionAmount", "networkFee") for part in ("amount", "currency")),
)  # fmt: skip


class Awin(Source):
    """The source `awin`. `account` is the id of an advertiser."""

    name = "awin"
    platform = ""
    base_url = "https://api.awin.com"
    terms = "https://www.awin.com/gb/legal"
    keeps = (
        "transactions with their amounts and state, publisher, order and code; no click reference, IP hash or country"
    )
    term = "the data is your own programme's"
    would_change = OWN_CHOICE
    # 20 calls a minute and user.
    per_second = 0.3
    burst = 5.0
    needs_key = True
    needs_account = True
    asks_accounts = False
    account_is = r"[0-9]{1,12}"
    options = ("look_back_days",)
    mappings = ("awin_transactions",)
    # A transaction is the publisher's commission, and the network's fee.
    unrolled = ("transactions",)

    def headers(self, login: Login | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {login.key}"} if login else {}

    def walk(self, asked: Wanted) -> Walk:
        yield from self.forecast(asked)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        last = date.fromisoformat(asked.day)
        first = last - timedelta(days=asked.options.get("look_back_days") or LOOK_BACK_DAYS)
        for begin, end in windows(first, last, WINDOW_DAYS):
            yield _transactions(str(asked.options["account"]), begin, end)


def _transactions(advertiser: str, first: date, last: date) -> Call:
    def read(body: Any) -> Brought:
        if not isinstance(body, list) or not all(isinstance(item, dict) and "id" in item for item in body):
            raise BadAnswer("an answer that is no list of transactions")
        if any(str(item.get("advertiserId", advertiser)) != advertiser for item in body):
            raise BadAnswer("an answer with transactions of another advertiser")
        return Brought(body)

    params = (
        ("startDate", f"{first}T00:00:00"), ("endDate", f"{last}T23:59:59"), ("timezone", "UTC"),
        ("dateType", "transaction"),
    )  # fmt: skip
    url = TRANSACTIONS.format(advertiser)
    return Call("transactions", url, read, params, ("awin",), TABLE, kept=KEPT, most_bytes=MAX_BYTES)
