"""Orders, touches, clicks, refunds and costs of the sample world, and what its campaigns come to by the maker's books.

An order is caused by an agreement or by nobody, and says so by a code or by the last click before it. Orders of a
campaign are added until it has returned what it is made to return; the books of the maker are what the marts are held
against.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sample.simulate import Row, draw, pick
from sample.world.accounts import FIRST_DAY, LAST_DAY
from sample.world.agreements import (
    BRAND,
    CAMPAIGNS,
    CHANGED_ON,
    LEAKED_DAY,
    LEAKED_ORDERS,
    Agreement,
    Campaign,
    changed,
    leaked,
)

CENT = Decimal("0.01")
BASE_RATES = {"EUR": Decimal("1.08"), "JPY": Decimal("0.0069")}
CURRENCIES = ("USD", "USD", "USD", "USD", "EUR", "JPY")
COUNTRIES = {"USD": ("US", "US", "US", "GB"), "EUR": ("DE",), "JPY": ("JP",)}
PLAN_PRICE = Decimal("99.95")
SHIPPING = Decimal(5)
REFUNDED = 0.06
ORGANIC_A_DAY = 14
# Subscriptions or orders that an affiliate brings.
AFFILIATE_ORDERS = 14
OTHER_CHANNELS = ("direct", "email", "search", "ads")
# From then on first orders pay 12 % where they paid 10.
RAISED_ON = date(2023, 8, 15)
# rule, valid from and to, kind, rate, currency, applies to, first x.
RULES = (
    ("sim-r40", "2023-01-01", "", "percent", "40", "", "all_renewals", ""),
    ("sim-r10", "2023-01-01", str(RAISED_ON), "percent", "10", "", "first_order", ""),
    ("sim-r10", str(RAISED_ON), "", "percent", "12", "", "first_order", ""),
    ("sim-r15", "2023-01-01", "", "percent", "15", "", "first_order", ""),
)


@dataclass(frozen=True)
class Order:
    """An order with its amounts in its currency; `goods` is after the discount, so it is the net revenue."""

    order_id: str
    customer_id: str
    moment: datetime
    currency: str
    goods: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)
    shipping: Decimal = Decimal(0)
    agreement: Agreement | None = None
    code: str = ""
    subscription_id: str = ""
    renewal_number: int = 0
    session_id: str = ""

    @property
    def charged(self) -> Decimal:
        return self.goods + self.tax + self.shipping

    @property
    def refunded_at(self) -> datetime | None:
        at = self.moment + timedelta(days=2 + 16 * draw("world", self.order_id, "back"))
        is_back = draw("world", self.order_id, "refunded") < REFUNDED and at.date() <= LAST_DAY
        return at.replace(microsecond=0) if is_back else None

    @property
    def refund(self) -> Decimal:
        """What is given back of the charge: all of it, or half."""
        if self.refunded_at is None:
            return Decimal(0)
        return self.charged if draw("world", self.order_id, "whole") < 0.6 else (self.charged / 2).quantize(CENT)

    @property
    def kept(self) -> Decimal:
        """Net revenue less what was given back of it, in its currency."""
        return self.goods - self.refund * self.goods / self.charged

    @property
    def kept_usd(self) -> Decimal:
        return self.kept * rate_on(self.currency, self.moment.date())


@dataclass
class Books:
    """What a campaign has cost and brought, in USD, by the maker's own count."""

    spend: Decimal = Decimal(0)
    net_revenue: Decimal = Decimal(0)
    orders: int = 0

    @property
    def roi(self) -> Decimal:
        return (self.net_revenue - self.spend) / self.spend


@dataclass
class Money:
    """All rows of money, and the books by campaign."""

    orders: list[Order] = field(default_factory=list)
    costs: list[Row] = field(default_factory=list)
    books: dict[str, Books] = field(default_factory=lambda: defaultdict(Books))


def rate_on(currency: str, day: date) -> Decimal:
    """Units of USD for one unit: a weekend takes Friday's."""
    if currency == "USD":
        return Decimal(1)
    day -= timedelta(days=max(day.isoweekday() - 5, 0))
    wave = Decimal(str(round(1 + 0.03 * (draw("world", currency, day) - 0.5), 4)))
    return (BASE_RATES[currency] * wave).quantize(Decimal("0.000001"))


def rate_rows() -> Iterator[Row]:
    """A rate for each weekday."""
    for currency in BASE_RATES:
        for back in range(-5, (LAST_DAY - FIRST_DAY).days + 1):
            day = FIRST_DAY + timedelta(days=back)
            if day.isoweekday() < 6:
                yield {"rate_date": day, "currency": currency, "rate_to_base": rate_on(currency, day)}


def in_currency(usd: Decimal, currency: str) -> Decimal:
    """A price as it would be set in a currency: whole yen."""
    if currency == "USD":
        return usd.quantize(CENT)
    return (usd / BASE_RATES[currency]).quantize(Decimal(1) if currency == "JPY" else CENT)


def basket(
    name: str, moment: datetime, agreement: Agreement | None, code: str, customer: str = "", session: str = ""
) -> Order:
    """A single order: goods, a tenth off with a code, shipping, 8 % tax."""
    currency = pick(CURRENCIES, "world", name, "currency")
    cent = Decimal(1) if currency == "JPY" else CENT
    goods = in_currency(Decimal(round(38 + 66 * draw("world", name, "goods"))), currency)
    discount = (goods / 10).quantize(cent) if code else Decimal(0)
    tax = ((goods - discount) * 8 / 100).quantize(cent)
    return Order(
        f"sim-o-{name}", customer or f"sim-cust-{name}", moment.replace(microsecond=0), currency, goods - discount,
        discount, tax, in_currency(SHIPPING, currency), agreement, code, session_id=session,
    )  # fmt: skip


def make_money(agreements: list[Agreement], live: list[Order]) -> Money:
    """All orders and costs.

    Args:
        live: orders of live sessions, which belong to the campaign of their host.
    """
    money = Money()
    money.costs = list(cost_rows(agreements))
    for row in money.costs:
        if row["campaign_id"]:
            book = money.books[str(row["campaign_id"])]
            book.spend += Decimal(str(row["amount"])) * rate_on(str(row["currency"]), _day(row["cost_date"]))
    for campaign in CAMPAIGNS:
        hired = [one for one in agreements if one.campaign is campaign]
        book = money.books[campaign.campaign_id]
        if campaign.roi is None:
            _sell_plans(money, hired)
        else:
            theirs = [order for order in live if order.agreement in hired]
            theirs += _leaked(leaked(agreements)) if leaked(agreements) in hired else []
            book.net_revenue += sum((order.kept_usd for order in theirs), Decimal(0))
            book.orders += len(theirs)
            money.orders += theirs
            _sell(money, campaign, [one for one in hired if one.posts], book)
    for one in agreements:
        if one.campaign is None:
            for nth in range(round(2 + 5 * draw("world", one.collaboration_id, "orders"))):
                money.orders.append(_caused(one, f"{one.number:03d}-{nth:03d}"))
    money.orders += _organic(money.orders)
    money.orders.sort(key=lambda order: (order.moment, order.order_id))
    money.costs += list(_paid_out(money.orders))
    return money


def _day(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _sell(money: Money, campaign: Campaign, hired: list[Agreement], book: Books) -> None:
    """Add orders until the campaign has returned what it is made to."""
    goal = book.spend * (1 + (campaign.roi or 0))
    nth = 0
    while book.net_revenue < goal:
        one = _by_pull(hired, campaign.campaign_id, nth, "whose")
        order = _caused(one, f"{one.number:03d}-{nth:03d}")
        money.orders.append(order)
        book.net_revenue += order.kept_usd
        book.orders += 1
        nth += 1


def _by_pull(agreements: list[Agreement], *name: object) -> Agreement:
    """One of the agreements, those with a large pull more often."""
    at = draw("world", *name) * sum(one.pull for one in agreements)
    for one in agreements:
        at -= one.pull
        if at <= 0:
            return one
    return agreements[-1]


def _caused(one: Agreement, name: str) -> Order:
    """An order that an agreement brought, within three weeks of one of its posts; half say so by its code."""
    if one.posts:
        nth = int(draw("world", name, "post") * len(one.posts))
        moment = one.posts[nth].published + timedelta(hours=2 + 24 * 19 * draw("world", name, "when") ** 1.1)
    else:
        days = (LAST_DAY - one.start).days
        moment = datetime.combine(one.start, time(9)) + timedelta(days=1 + (days - 1) * draw("world", name, "when"))
    latest = datetime.combine(min(one.end or LAST_DAY, LAST_DAY), time(20))
    if moment > latest:
        moment = latest - timedelta(hours=24 * 5 * draw("world", name, "late"))
    has_code = not one.posts or draw("world", name, "code") < 0.5
    return basket(name, moment, one, one.code if has_code else "")


def _sell_plans(money: Money, hired: list[Agreement]) -> None:
    """What affiliates sell: the plan with its renewals, or single orders; commission is spend as it accrues."""
    for one in hired:
        many = round(AFFILIATE_ORDERS * one.pull)
        for nth in range(many):
            name = f"{one.number:03d}-{nth:03d}"
            first = _caused(one, name)
            orders = [first]
            if one.is_plan:
                months = int(7 * draw("world", name, "stays"))
                orders = [
                    Order(
                        f"{first.order_id}-m{month}", first.customer_id, first.moment + timedelta(days=30 * month),
                        "USD", PLAN_PRICE, agreement=one, code=first.code, subscription_id=f"sim-sub-{name}",
                        renewal_number=month,
                    )
                    for month in range(months + 1)
                    if (first.moment + timedelta(days=30 * month)).date() <= LAST_DAY
                ]  # fmt: skip
            money.orders += orders
            book = money.books["sim-circle"]
            book.orders += len(orders)
            for order in orders:
                book.net_revenue += order.kept_usd
                book.spend += order.kept_usd * _commission_rate(one, order, one is changed(hired)) / 100


def _commission_rate(one: Agreement, order: Order, is_changed: bool) -> Decimal:
    """Per cent of net that an order pays, by the terms and the rule of its day."""
    if one.is_plan:
        return Decimal(40)
    if is_changed and order.moment.date() >= CHANGED_ON:
        return Decimal(15)
    return Decimal(10 if order.moment.date() < RAISED_ON else 12)


def _leaked(one: Agreement) -> list[Order]:
    """Orders of strangers by a code that a coupon page has found: its owner earns them."""
    begin = datetime.combine(LEAKED_DAY, time(8))
    return [
        basket(f"{one.number:03d}-leak-{nth:02d}", begin + timedelta(minutes=31 * nth), one, one.code)
        for nth in range(LEAKED_ORDERS)
    ]


def _organic(caused: list[Order]) -> list[Order]:
    """Orders that nobody brought; a third are of customers who came long before."""
    known = sorted((order for order in caused if not order.renewal_number), key=lambda order: order.moment)
    found = []
    for day in range((LAST_DAY - FIRST_DAY).days + 1):
        for nth in range(ORGANIC_A_DAY + int(5 * draw("world", "organic", day))):
            name = f"org-{day:03d}-{nth:02d}"
            moment = datetime.combine(FIRST_DAY, time()) + timedelta(days=day + draw("world", name, "when"))
            # A click of theirs, however late, is out of every window by then.
            old = bisect_left(known, moment - timedelta(days=62), key=lambda order: order.moment)
            is_back = old and draw("world", name, "again") < 0.33
            customer = known[int(draw("world", name, "who") * old)].customer_id if is_back else ""
            found.append(basket(name, moment, None, "", customer))
    return found


def cost_rows(agreements: list[Agreement]) -> Iterator[Row]:
    """Fees and gifts of agreements, and what campaigns cost as a whole."""
    for one in agreements:
        name, campaign = one.collaboration_id, one.campaign.campaign_id if one.campaign else ""
        kinds: list[tuple[str, Decimal]] = [("fee", one.fee)] if one.fee else []
        if one.partner_type in ("gifted", "advocate"):
            kinds = [("product", Decimal(round(28 + 34 * draw("world", name, "gift")))), ("shipping", Decimal(7))]
        if one.account and one.account.tier == "mega":
            kinds += [("production", Decimal(3_500)), ("usage_rights", Decimal(2_000))]
        for kind, usd in kinds:
            amount = in_currency(usd, one.currency)
            yield cost_row(f"{name}-{kind}", campaign, name, one.start, kind, amount, one.currency)
    for campaign_ in CAMPAIGNS:
        for kind, usd_ in campaign_.costs.items():
            name = campaign_.campaign_id
            yield cost_row(f"{name}-{kind}", name, "", campaign_.start, kind, Decimal(usd_).quantize(CENT), "USD")
    for month in (7, 8, 9, 10):
        yield cost_row(f"sim-team-{month:02d}", "", "", date(2023, month, 28), "tools", Decimal("240.00"), "USD")


def cost_row(
    cost_id: str, campaign: str, collaboration: str, day: date, kind: str, amount: Decimal, currency: str
) -> Row:
    return {
        "cost_id": cost_id, "brand": BRAND, "campaign_id": campaign, "collaboration_id": collaboration,
        "cost_date": day, "cost_type": kind, "amount": amount, "currency": currency,
    }  # fmt: skip


def _paid_out(orders: list[Order]) -> Iterator[Row]:
    """Commissions of the plan's first orders, paid 45 days later: they settle what accrued, and are not spent again."""
    owed: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for order in orders:
        paid_on = order.moment.date().replace(day=1) + timedelta(days=45)
        if order.agreement and order.agreement.is_plan and paid_on <= LAST_DAY and order.refunded_at is None:
            owed[order.agreement.collaboration_id, paid_on] += order.goods * 40 / 100
    for (one, day), amount in owed.items():
        name = f"{one}-paid-{day:%m%d}"
        yield cost_row(name, "", one, day, "commission", amount.quantize(CENT), "USD")


def order_row(order: Order) -> Row:
    """The order as the shop exports it."""
    return {
        "order_id": order.order_id, "customer_id": order.customer_id, "ordered_at": iso(order.moment),
        "gross_amount": order.charged + order.discount, "discount_amount": order.discount or "",
        "tax_amount": order.tax or "", "shipping_amount": order.shipping or "",
        "product_cost": (order.goods * 3 / 10).quantize(CENT), "currency": order.currency, "promo_code": order.code,
        "subscription_id": order.subscription_id,
        "renewal_number": order.renewal_number if order.subscription_id else "",
        "country": pick(COUNTRIES[order.currency], "world", order.customer_id, "country"),
        "live_session_id": order.session_id,
    }  # fmt: skip


def refund_rows(orders: list[Order]) -> Iterator[Row]:
    for order in orders:
        if order.refunded_at:
            yield {
                "refund_id": f"sim-r-{order.order_id.removeprefix('sim-o-')}", "order_id": order.order_id,
                "refunded_at": iso(order.refunded_at), "amount": order.refund, "currency": order.currency,
            }  # fmt: skip


def touch_rows(orders: list[Order], agreements: list[Agreement]) -> Iterator[Row]:
    """What customers saw and clicked before an order; without a code the last click is that of who brought it."""
    links = [one for one in agreements if one.posts]
    for order in orders:
        if order.renewal_number or "leak" in order.order_id:
            continue
        name, one = order.order_id, order.agreement
        own = timedelta(hours=0.1 + 40 * draw("world", name, "own") ** 3)
        if one is None:
            if draw("world", name, "touched") < 0.5:
                yield _touch(f"{name}-t1", order, own, "click", pick(OTHER_CHANNELS, "world", name, "channel"))
            continue
        if order.session_id:
            # The link that the host has pinned.
            yield _touch(f"{name}-t1", order, timedelta(seconds=40), "click", "live") | {"link_id": one.link_id}
            continue
        for nth in range(int(3 * draw("world", name, "earlier") ** 2)):
            before = own + timedelta(hours=3 + 24 * 12 * draw("world", name, nth, "before"))
            kind, channel = "click", pick(OTHER_CHANNELS, "world", name, nth, "channel")
            other = _by_pull(links, name, nth, "other")
            if draw("world", name, nth, "creator") < 0.3 and other.start <= (order.moment - before).date():
                row = _touch(f"{name}-t{nth + 2}", order, before, "view", "creator")
                yield row | {"collaboration_id": other.collaboration_id}
            else:
                yield _touch(f"{name}-t{nth + 2}", order, before, kind, channel)
        if not order.code or draw("world", name, "clicked too") < 0.85:
            yield _touch(f"{name}-t1", order, own, "click", "creator") | {"link_id": one.link_id}


def _touch(touch_id: str, order: Order, before: timedelta, kind: str, channel: str) -> Row:
    return {
        "touch_id": touch_id, "customer_id": order.customer_id, "touched_at": iso(order.moment - before),
        "touch_type": kind, "channel": channel,
    }  # fmt: skip


def click_rows(agreements: list[Agreement], touches: list[Row]) -> Iterator[Row]:
    """The clicks of the touches, and those of people who bought nothing."""
    for touch in touches:
        if touch.get("link_id"):
            yield {
                "click_id": f"c-{touch['touch_id']}", "clicked_at": touch["touched_at"], "link_id": touch["link_id"],
                "visitor_id": touch["customer_id"],
            }  # fmt: skip
    for one in agreements:
        for nth, post in enumerate(one.posts):
            for click in range(round(8 * one.pull)):
                name = f"{one.collaboration_id}-{nth}-{click:03d}"
                at = post.published + timedelta(hours=0.5 + 480 * draw("world", name, "click") ** 1.4)
                if at.date() <= LAST_DAY:
                    yield {"click_id": f"c-{name}", "clicked_at": iso(at), "link_id": one.link_id}


def iso(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0).isoformat()}Z"
