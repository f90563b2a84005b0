"""impact.com's advertiser API: actions with their payout, of the last 93 days again at each capture.

An action is pending until it is locked, and may be reversed until then; no answer says which changed.
"""

import base64
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ingestion.config import Login
from ingestion.sources.errors import BadAnswer
from ingestion.sources.platform import OWN_CHOICE, TABLE, Brought, Call, Source, Walk, Wanted, listed, windows

ACTIONS = "/Advertisers/{}/Actions"
WINDOW_DAYS, LOOK_BACK_DAYS, PAGE, MOST_PAGES = 31, 92, 1000, 1000
# What is kept of an action. Customer, their city, IP address and referring page are not.
KEPT = (
    "Id", "CampaignId", "ActionTrackerId", "MediaPartnerId", "State", "Amount", "IntendedAmount", "DeltaAmount",
    "Payout", "DeltaPayout", "ClientCost", "Currency", "EventDate", "CreationDate", "LockingDate", "ClearedDate",
    "PromoCode", "OrderId",
)  # fmt: skip


class Impact(Source):
    """The source `impact`. `account` is the Account SID, `programs` the ids of programmes that are asked for."""

    name = "impact"
    platform = ""
    base_url = "https://api.impact.com"
    terms = "https://impact.com/terms-of-service/"
    keeps = "actions with their amounts and state, partner, order and code; no customer, city or IP address"
    term = "the data is your own programme's"
    would_change = OWN_CHOICE
    # 1,000 calls an hour.
    per_second = 0.25
    burst = 50.0
    needs_key = True
    needs_account = True
    asks_accounts = False
    account_is = r"[A-Za-z0-9]{4,64}"
    options = ("look_back_days", "programs", "expected_rows")
    needs = ("programs",)
    mappings = ("impact_actions",)

    def headers(self, login: Login | None) -> dict[str, str]:
        if login is None:
            return {}
        return {"Authorization": f"Basic {base64.b64encode(f'{login.login}:{login.key}'.encode()).decode()}"}

    def walk(self, asked: Wanted) -> Walk:
        for program, first, last in _spans(asked):
            page: int | None = 1
            while page is not None:
                page = (yield _actions(asked, program, first, last, page)) or None

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        """A call for each programme and span, and for each further page that so many rows fill."""
        for program, first, last in _spans(asked):
            yield _actions(asked, program, first, last, 1)
        for page in range(PAGE, int(asked.options.get("expected_rows") or 0), PAGE):
            yield _actions(asked, "", date.min, date.min, page)


def _spans(asked: Wanted) -> Iterator[tuple[str, date, date]]:
    last = date.fromisoformat(asked.day)
    begin = last - timedelta(days=asked.options.get("look_back_days") or LOOK_BACK_DAYS)
    for program in asked.options["programs"]:
        for first, end in windows(begin, last, WINDOW_DAYS):
            yield str(program), first, end


def _actions(asked: Wanted, program: str, first: date, last: date, page: int) -> Call:
    def read(body: Any) -> Brought:
        items = listed(body, "Actions")
        total, pages = int(body["@total"]), int(body["@numpages"])
        held = max(0, min(PAGE, total - (page - 1) * PAGE))
        if int(body["@page"]) != page or len(items) != held or not all("Id" in item for item in items):
            raise BadAnswer(f"{len(items):,} of {held:,} actions of page {page} came")
        if pages > MOST_PAGES or (page >= pages) != (page * PAGE >= total):
            raise BadAnswer(f"{pages:,} pages of {total:,} actions")
        return Brought(items, facts=page + 1 if page < pages else 0)

    params = (
        ("CampaignId", program), ("ActionDateStart", f"{first}T00:00:00Z"), ("ActionDateEnd", f"{last}T23:59:59Z"),
        ("PageSize", str(PAGE)), ("Page", str(page)),
    )  # fmt: skip
    url = ACTIONS.format(asked.options["account"])
    return Call("actions", url, read, params, ("impact",), TABLE, kept=KEPT)
