"""Checks of feeds that hold money: what was refused, with its amount, and amounts or rates in another unit."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from math import log
from statistics import median
from typing import Any

import duckdb

from expectations.suites import NAMED, Check, Suite
from expectations.suites.landing import bounds, files
from expectations.suites.landing.files import RAW
from ingestion import inventory, ledger
from ingestion.config import Settings
from ingestion.contracts import Feed
from ingestion.mapping.grammar import Mapping
from ingestion.mapping.in_use import load_mappings
from ingestion.sql import quote

TRAILING_DAYS = 28
UNIT_DAYS = 56
# Fewer rows than this are named, and block nothing.
MIN_REFUSED = 3
MIN_AMOUNTS = 10

# The column of each feed whose rows are missing from net revenue or spend when they are refused.
AMOUNT = {"orders": "gross_amount", "refunds": "amount", "costs": "amount"}
# What is compared with earlier deliveries, and of how many rows: costs of one file may be fees, of another samples.
UNIT = {
    "orders": ("amount_against_usual", "gross_amount / greatest(coalesce(order_count, 1), 1)", MIN_AMOUNTS),
    "refunds": ("amount_against_usual", "amount", MIN_AMOUNTS),
    "fx_rates": ("rate_against_the_one_before", "rate_to_base", 1),
}

# The feed whose rows, delivered again under new ids, are counted twice; and the one whose values have an inverse.
ONCE, INVERTIBLE = "orders", "fx_rates"
# Nearer to its inverse than by this much of a logarithm, and so far from what is usual, is no honest move.
INVERSE_BY = 0.04

MEND = (
    "`make quarantine` writes the rows; mend their mapping, or deliver a corrected file in place of the one with them,"
    " and run again"
)
AGAIN = (
    "reject the file with the other ids with `make reject BATCH=`; where both are meant, as of two shops, give each its"
    " `shop`"
)
UNITS = "reject a file in another unit with `make reject BATCH=`, deliver a corrected one, and run again"


def checks(name: str) -> list[Check]:
    """Checks of a feed's money; none of a feed without any."""
    found = []
    if name in AMOUNT:
        found += [
            Check("money_rows_quarantined", "warning", bounds.MONEY_QUARANTINED, MEND),
            Check("money_quarantined_against_usual", "critical", bounds.MONEY_AT_STAKE, MEND),
        ]
    if name in UNIT:
        limit = bounds.RATES if name == "fx_rates" else bounds.AMOUNTS
        found.append(Check(UNIT[name][0], "critical", limit, UNITS))
    if name == ONCE:
        found.append(Check("share_of_orders_known_under_other_ids", "critical", bounds.OTHER_IDS, AGAIN))
    if name == INVERTIBLE:
        found.append(Check("rate_nearer_to_its_inverse", "critical", bounds.INVERSE, UNITS))
    return found


@dataclass(frozen=True)
class _Usual:
    """Of the days before: rows and, by currency, the amount of the median day, and the median of single amounts."""

    rows: float
    amounts: dict[str, float]
    single: dict[str, float]

    @property
    def currency(self) -> str:
        """The one of most rows: what has none is reckoned in it."""
        return next(iter(self.amounts), "")


@dataclass(frozen=True)
class Money:
    """Checks of one feed's money, whose results go into its suite. A run hashes each raw file once."""

    result: Suite
    settings: Settings
    reader: duckdb.DuckDBPyConnection
    feed: Feed
    run_id: str

    def measure(self, batches: list[ledger.Row], day: date) -> None:
        """Add what these new batches hold, as far as they are of the feed."""
        mine = [row for row in batches if row["feed"] == self.feed.feed]
        if self.feed.feed in AMOUNT:
            self._measure_refused(mine, day)
        if self.feed.feed in UNIT:
            self._measure_units(mine)
        if self.feed.feed == ONCE:
            self._measure_other_ids(mine)

    def _verified(self, by_day: dict[date, list[files.File]]) -> dict[str, Any]:
        of_days = [file for of_day in by_day.values() for file in of_day]
        return files.verified(self.settings, self.feed, of_days, self.run_id)

    # --- what was refused

    def _measure_refused(self, batches: list[ledger.Row], day: date) -> None:
        with_refused = [row for row in batches if row["rows_quarantined"] > row["rows_left_out"]]
        refused = sum(row["rows_quarantined"] - row["rows_left_out"] for row in with_refused)
        if not refused:
            self.result.measure("money_rows_quarantined", f"the run of {day}", 0)
            return
        usual = self._usual(day)
        amounts: defaultdict[str, float] = defaultdict(float)
        readable = 0
        for currency, amount in self._amounts(with_refused):
            amounts[currency or usual.currency] += abs(float(amount))
            readable += 1
        left = refused - readable
        if left:
            amounts[usual.currency] += left * usual.single.get(usual.currency, 0.0)
        subject = f"rows landed since {min(row['landed_at'] for row in with_refused)[:10]}"
        named = " ".join(row["batch_id"][:12] for row in with_refused[:NAMED])
        sums = ", ".join(f"{amount:,.2f} {currency}".strip() for currency, amount in sorted(amounts.items()))
        reckoned = f", of which {left:,} cannot be read and are reckoned as the median" if left else ""
        note = f"{refused:,} rows of {sums}{reckoned}; a usual day has {usual.rows:,.0f} rows"
        self.result.measure("money_rows_quarantined", subject, refused, named, note)
        shares = [refused / usual.rows if usual.rows else 1.0]
        shares += [amount / usual.amounts[name] for name, amount in amounts.items() if usual.amounts.get(name)]
        value = max(shares) if refused >= MIN_REFUSED else 0.0
        self.result.measure("money_quarantined_against_usual", subject, value, named, note)

    def _usual(self, day: date) -> _Usual:
        first = day - timedelta(days=TRAILING_DAYS)
        with ledger.read(self.settings) as connection:
            by_day = files.files_of(connection, self.feed.feed, first, day)
        if not by_day:
            return _Usual(0.0, {}, {})
        key = ", ".join(self.feed.key)
        rows = self.reader.execute(
            f"select snapshot_date, currency, count(*), sum(amount), median(amount) from (select snapshot_date, {key},"
            f" currency, arg_max(abs({AMOUNT[self.feed.feed]}), as_of)::double as amount from {RAW} group by all)"
            " group by all order by all",
            self._verified(by_day),
        ).fetchall()
        counts: Counter[str] = Counter()
        of_days: Counter[date] = Counter()
        for at, currency, count, _, _ in rows:
            counts[currency] += count
            of_days[at] += count
        names = [name for name, _ in counts.most_common()]
        return _Usual(
            median(of_days.values()),
            {name: median(total for _, currency, _, total, _ in rows if currency == name) for name in names},
            {name: median(middle for _, currency, _, _, middle in rows if currency == name) for name in names},
        )

    def _amounts(self, batches: list[ledger.Row]) -> Iterator[tuple[str | None, Decimal]]:
        """Currency and amount of each refused row in which the amount can be read."""
        mappings = load_mappings(self.settings)
        for batch in batches:
            path = inventory.quarantined_rows_file(self.settings, batch["feed"], batch["batch_id"])
            if not path.exists():
                continue
            mapping = mappings.in_use.get(batch["mapping"]) or mappings.library.get(batch["mapping"])
            header = json.loads(batch["header"] or "[]")
            amount = _cell(mapping, self.feed, AMOUNT[self.feed.feed], header)
            currency = _cell(mapping, self.feed, "currency", header)
            rows = self.reader.execute(
                f"select {currency}, {amount} from read_parquet($path) where reason not like 'left out%'",
                {"path": str(path)},
            ).fetchall()
            for code, text in rows:
                found = _number(text, mapping)
                if found is not None:
                    yield code.strip().upper() if code else None, found

    def _new_among(
        self, batches: list[ledger.Row], before: int = 0, after: int = 0
    ) -> tuple[dict[str, str], dict[date, list[files.File]]]:
        """Day of landing of each new batch that was accepted, and by day the files of its days and of some around them.

        Both are empty where nothing new was accepted.
        """
        new = {row["batch_id"][:12]: row["landed_at"][:10] for row in batches if row["state"] == "accepted"}
        with ledger.read(self.settings) as connection:
            stored = [file for row in batches for file in ledger.raw_files_of_batch(connection, row["batch_id"])]
            if not new or not stored:
                return {}, {}
            first, last = (date.fromisoformat(of(file.snapshot_date for file in stored)) for of in (min, max))
            around = first - timedelta(days=before), last + timedelta(days=after)
            return new, files.files_of(connection, self.feed.feed, *around)

    # --- another unit

    def _measure_units(self, batches: list[ledger.Row]) -> None:
        """Per new file and currency the middle amount against that of earlier files, else of all that are new."""
        check, amount, least = UNIT[self.feed.feed]
        new, by_day = self._new_among(batches, before=UNIT_DAYS)
        if not by_day:
            return
        shop = "coalesce(shop, '')" if "shop" in self.feed.columns else "''"
        rows = self.reader.execute(
            "with amounts as (select currency, " + shop + " as shop, batch_id[:12] as batch,"
            f" ({amount})::double as amount from {RAW} where {amount} is not null),"
            " new as (select currency, shop, batch, count(*) as rows, median(amount) as middle from amounts"
            " where batch in (select unnest($new)) group by all),"
            " before as (select currency, shop, count(*) as rows, median(amount) as middle from amounts"
            " where batch not in (select unnest($new)) group by all),"
            " whole as (select currency, shop, count(*) as rows, median(amount) as middle from amounts group by all)"
            " select new.batch, new.currency, shop, new.middle,"
            " case when before.rows >= $least then before.middle else whole.middle end"
            " from new join whole using (currency, shop) left join before using (currency, shop)"
            " where new.rows >= $least order by all",
            {**self._verified(by_day), "new": list(new), "least": least},
        ).fetchall()
        for batch, currency, at_shop, middle, usual in rows:
            subject = f"{currency}{f' of {at_shop}' if at_shop else ''} of batch {batch}, landed {new[batch]}"
            note = f"the middle of them is {middle:,.4g}, {usual:,.4g} is usual: another unit or currency"
            self.result.measure(check, subject, middle / usual if usual else None, batch, note)
            if self.feed.feed == INVERTIBLE and middle > 0 and usual > 0:
                far, near = abs(log(middle / usual)), abs(log(middle * usual))
                value = float(far > INVERSE_BY and far - near > INVERSE_BY)
                note = f"the middle of them is {middle:,.4g}, {usual:,.4g} is usual and 1 / {usual:,.4g} is near"
                self.result.measure("rate_nearer_to_its_inverse", subject, value, batch, note)

    # --- the same again

    def _measure_other_ids(self, batches: list[ledger.Row]) -> None:
        """Per new file and shop its new ids of days that were held, with day, amount and currency of an order of them.

        The last day that a shop was held may have been under way, so it is left out. Their number is given as a share
        of the orders that those days held.
        """
        new, by_day = self._new_among(batches, after=1)
        if not by_day:
            return
        rows = self.reader.execute(
            "with orders as (select batch_id[:12] as batch, coalesce(shop, '') as shop, order_id, snapshot_date as day,"
            f" currency, gross_amount from {RAW}),"
            " before as (select distinct * exclude (batch) from orders where batch not in (select unnest($new))),"
            " held as (select * from before qualify day < max(day) over (partition by shop)),"
            " days as (select shop, day, count(*) as orders from held group by all),"
            " fresh as (select * from orders anti join before using (shop, order_id)"
            " where batch in (select unnest($new))),"
            " again as (select batch, shop, day, count(distinct order_id) as orders from fresh"
            " semi join held using (shop, day, currency, gross_amount) group by all)"
            " select batch, shop, sum(again.orders), sum(days.orders) from again join days using (shop, day)"
            " group by all having sum(again.orders) >= $least order by all",
            {**self._verified(by_day), "new": list(new), "least": MIN_AMOUNTS},
        ).fetchall()
        for batch, shop, again, held in rows:
            subject = f"orders{f' of {shop}' if shop else ''} of batch {batch}, landed {new[batch]}"
            note = f"{again:,} new ids, {held:,} orders of the same days are held, with such amounts: the same again"
            self.result.measure("share_of_orders_known_under_other_ids", subject, again / held, batch, note)


def _cell(mapping: Mapping | None, feed: Feed, column: str, header: list[str]) -> str:
    """The text of a feed column in a refused row, in SQL: the row is a JSON list as its header is, or an object."""
    part = next((part for part in mapping.parts if part.feed == feed.feed), None) if mapping else None
    source = part.columns.get(column) if part else None
    if source is not None and source.constant is not None:
        return quote(str(source.constant))
    name = source.from_ if source is not None and source.from_ else column
    if source is not None and source.at is not None:
        position = source.at - 1
    else:
        position = header.index(name) if name in header else -1
    if position < 0:
        return "null"
    of_list, of_object = quote(f"$[{position}]"), quote(f"$.{json.dumps(name)}")
    return (
        f'case when not json_valid("row") then null when json_type("row") = \'ARRAY\''
        f' then json_extract_string("row", {of_list}) else json_extract_string("row", {of_object}) end'
    )


def _number(text: str | None, mapping: Mapping | None) -> Decimal | None:
    """An amount as its mapping writes numbers; null where it is none."""
    decimal = mapping.decimal_mark if mapping and mapping.decimal_mark else "."
    kept = "".join(mark for mark in text or "" if mark.isdigit() or mark in f"-{decimal}")
    try:
        found = Decimal(kept.replace(decimal, "."))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
