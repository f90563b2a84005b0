"""Euro reference rates of the European Central Bank, from its data portal, as CSV. No key, no limit that is named.

A rate is units of a currency for one euro, on working days from about 15:00 UTC.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from ingestion.sources.errors import BadAnswer
from ingestion.sources.platform import TABLE, Brought, Call, Source, Walk, Wanted

RATES = "/service/data/EXR/D..EUR.SP00.A"
COLUMNS = {"CURRENCY", "CURRENCY_DENOM", "TIME_PERIOD", "OBS_VALUE"}
# Before the first capture: rates hold for 5 days, and an amount of some weeks ago may wait for one.
FIRST_DAYS, MOST_DAYS = 35, 90


class Ecb(Source):
    """The source `ecb`: rates since the last capture, so that days whose rates are known stay as they are."""

    name = "ecb"
    platform = ""
    base_url = "https://data-api.ecb.europa.eu"
    terms = "https://www.ecb.europa.eu/services/using-our-site/disclaimer/html/index.en.html"
    keeps = "rates as they came"
    term = "free use with the source named"
    would_change = "nothing: rates are nobody's"
    latest_posts = 0
    mappings = ("ecb_rates",)
    asks_accounts = False

    def walk(self, asked: Wanted) -> Walk:
        yield _rates(asked)

    def forecast(self, asked: Wanted) -> Iterator[Call]:
        yield _rates(asked)


def _rates(asked: Wanted) -> Call:
    day = date.fromisoformat(asked.day)
    last = asked.options.get("last_day")
    first = date.fromisoformat(last) + timedelta(days=1) if last else day - timedelta(days=FIRST_DAYS)
    first = max(min(first, day), day - timedelta(days=MOST_DAYS))

    def read(body: Any) -> Brought:
        rows = list(csv.DictReader(io.StringIO(str(body))))
        if rows and not set(rows[0]) >= COLUMNS:
            raise BadAnswer("a table without currencies and rates")
        if any(None in row or None in row.values() for row in rows):
            raise BadAnswer("a table that is cut")
        return Brought(list(rows))

    params = (("format", "csvdata"), ("detail", "dataonly"), ("startPeriod", str(first)), ("endPeriod", asked.day))
    # Days without a rate, such as weekends, are answered with 404.
    return Call("rates", RATES, read, params, ("ecb",), TABLE, is_text=True, is_cached=True, absent_is_empty=True)
