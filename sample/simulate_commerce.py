"""The maker of the simulated commerce around the sample's accounts: what a brand paid creators, and what came back.

A pure function of the simulated posts (`simulate.py`) and a seed: a collaboration is an account that has praised the
brand, so that its posts, its tier on their days and its spend belong together. Every draw is a hash of the seed and the
name of what is drawn. Nothing here was observed; the mappings `simulated_<feed>.yml` say so (`origin: simulated`), and
so does every mart row made of it.

Put in on purpose: small creators are gifted and mega ones cost most and return least; a code that leaks on one day; a
monthly plan of 99.95 USD under a rule of 40 %, 39.98 a paid month; a rule whose rate changes; prices in three
currencies; refunds in part and whole; commissions that are paid out after they had accrued.

`python -m sample.simulate_commerce` writes the files anew (`make sample`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sample.simulate import FIRST_DAY as FIRST_CAPTURE
from sample.simulate import (
    Account,
    Row,
    draw,
    files_of,
    make_accounts,
    pick,
    post_snapshots,
    read_channels,
    spread,
    write,
)

BRAND = "tidewell"
FIRST_DAY = date(2022, 7, 1)
LAST_DAY = date(2022, 10, 31)
CENT = Decimal("0.01")

HEADERS = {
    "campaigns": (
        "campaign_id,brand,name,objective,start_date,end_date,budget,currency,hashtags,attribution_window_days,"
        "target_kpi,target_value"
    ),
    "collaborations": (
        "collaboration_id,campaign_id,brand,creator_id,platform,account_id,partner_type,promo_code,link_id,"
        "cookie_window_days,rule_id,agreed_fee,posts_agreed,currency,start_date,end_date"
    ),
    "collaboration_posts": "collaboration_id,platform,post_id",
    "commission_rules": "rule_id,valid_from,valid_to,kind,rate,currency,applies_to,first_x",
    "rate_cards": "platform,account_id,content_type,price,currency,valid_from,valid_to",
    "costs": "cost_id,campaign_id,collaboration_id,cost_date,cost_type,amount,currency",
    "link_clicks": "click_id,clicked_at,link_id,visitor_id",
    "touches": (
        "touch_id,customer_id,touched_at,touch_type,channel,link_id,promo_code,collaboration_id,campaign_id,"
        "live_session_id"
    ),
    "orders": (
        "order_id,customer_id,ordered_at,order_count,gross_amount,discount_amount,tax_amount,shipping_amount,"
        "product_cost,currency,promo_code,subscription_id,renewal_number,country,city,live_session_id"
    ),
    "refunds": "refund_id,order_id,refunded_at,amount,currency",
    "fx_rates": "rate_date,currency,rate_to_base",
}

# id, name, objective, first and last day, budget, attribution window, tiers of the default scheme.
CAMPAIGNS = (
    ("sim-summer", "Summer with the small ones", "sales", "2022-07-10", "2022-08-31", 30_000, "", ("nano", "micro")),
    ("sim-splash", "One big splash", "awareness", "2022-07-10", "2022-08-31", 900_000, 14, ("mega",)),
    ("sim-mixed", "Big name, many voices", "sales", "2022-07-10", "2022-08-31", 90_000, 30, ("macro", "micro", "nano")),
)
# Lowest and highest fee of a post by tier, in USD: the trade press names 200-1,000 for micro and 2,000-500,000 above.
FEES = {"nano": (0, 0), "micro": (200, 1_000), "macro": (2_000, 20_000), "mega": (50_000, 300_000)}
# Median orders that a collaboration brings.
ORDERS = {"nano": 3, "micro": 9, "macro": 26, "mega": 70}
CURRENCIES = ("USD", "USD", "USD", "EUR", "JPY")
BASE_RATES = {"EUR": Decimal("1.05"), "JPY": Decimal("0.0075")}
RULES = (
    ("sim-r40", "2022-01-01", "", "percent", "40", "", "all_renewals", ""),
    ("sim-r10", "2022-01-01", "2022-07-25", "percent", "10", "", "first_order", ""),
    ("sim-r10", "2022-07-25", "", "percent", "12", "", "first_order", ""),
    ("sim-r25", "2022-01-01", "", "percent", "25", "", "first_x", "2"),
    ("sim-f5", "2022-01-01", "", "fixed", "5", "EUR", "first_order", ""),
    ("sim-life", "2022-01-01", "", "percent", "5", "", "lifetime", ""),
)
PLAN_PRICE = Decimal("99.95")
OTHER_CHANNELS = ("direct", "email", "search", "ads")
COLLABORATIONS_A_TIER = {"nano": 22, "micro": 20, "macro": 12, "mega": 6}
LEAKED_DAY = datetime.fromisoformat("2022-08-08T09:00:00")
LEAKED_ORDERS = 24


@dataclass(frozen=True)
class Collaboration:
    """An agreement with an account that has posted about the brand. `posts` are (post id, time of publication)."""

    collaboration_id: str
    campaign_id: str
    account: Account
    partner_type: str
    rule_id: str
    fee: Decimal
    currency: str
    posts: tuple[tuple[str, datetime], ...]

    @property
    def code(self) -> str:
        return f"TIDE{self.collaboration_id[-3:]}"

    @property
    def link_id(self) -> str:
        return f"sim-link-{self.collaboration_id[-3:]}"

    @property
    def start(self) -> date:
        return self.posts[0][1].date() - timedelta(days=3)

    @property
    def end(self) -> date | None:
        """Affiliates and advocates stay on."""
        return None if self.rule_id else self.posts[-1][1].date() + timedelta(days=30)

    @property
    def is_plan(self) -> bool:
        """Whether it sells the monthly plan."""
        return self.rule_id in ("sim-r40", "sim-r25")


def cents(amount: float | Decimal) -> Decimal:
    return Decimal(amount).quantize(CENT)


def in_currency(usd: Decimal, currency: str) -> Decimal:
    """A price as it would be set in a currency: round numbers of yen."""
    if currency == "USD":
        return cents(usd)
    amount = usd / BASE_RATES[currency]
    return amount.quantize(Decimal(1)) if currency == "JPY" else cents(amount)


def make_collaborations(accounts: list[Account]) -> list[Collaboration]:
    """The accounts that have praised the brand, at most so many of each tier."""
    posts: dict[str, dict[str, datetime]] = {}
    for row in post_snapshots(accounts):
        published = datetime.fromisoformat(str(row["published_at"]).removesuffix("Z"))
        # From the first capture on, so that the tier on the day of the post is known.
        if published >= FIRST_CAPTURE and BRAND in str(row["hashtags"]).lower().split("|"):
            posts.setdefault(str(row["account_id"]), {})[str(row["post_id"])] = published
    chosen: dict[str, list[Account]] = {}
    for account in sorted(accounts, key=lambda one: draw(one.account_id, "collaborates")):
        of_tier = chosen.setdefault(account.tier, [])
        if account.account_id in posts and len(of_tier) < COLLABORATIONS_A_TIER[account.tier]:
            of_tier.append(account)
    found = [account for tier in COLLABORATIONS_A_TIER for account in chosen[tier]]
    return [
        _agree(
            f"sim-col-{nth:03d}", account, tuple(sorted(posts[account.account_id].items(), key=lambda post: post[1]))
        )
        for nth, account in enumerate(found, start=1)
    ]


def _agree(name: str, account: Account, posts: tuple[tuple[str, datetime], ...]) -> Collaboration:
    kinds = {"nano": ("gifted", "advocate", "affiliate"), "micro": ("paid", "affiliate"), "macro": ("paid",)}
    partner_type = pick(kinds.get(account.tier, ("paid",)), name, "partner")
    rule_id = pick(("sim-r40", "sim-r10", "sim-r25", "sim-f5", "sim-life"), name, "rule")
    low, high = FEES[account.tier]
    fee = (
        Decimal(round(low + (high - low) * draw(name, "fee") ** 2)) * len(posts)
        if partner_type == "paid"
        else Decimal(0)
    )
    campaigns = tuple(c[0] for c in CAMPAIGNS if account.tier in c[7])
    is_always_on = partner_type in ("affiliate", "advocate")
    return Collaboration(
        name,
        "" if is_always_on else pick(campaigns, name, "campaign"),
        account,
        partner_type,
        rule_id if partner_type == "affiliate" else "",
        fee,
        pick(CURRENCIES, name, "currency"),
        posts,
    )


def order_rows(collaborations: list[Collaboration]) -> list[Row]:
    """Orders that collaborations brought, in the order of their days, with some that nobody brought."""
    rows = []
    for collaboration in collaborations:
        name = collaboration.collaboration_id
        many = round(ORDERS[collaboration.account.tier] * spread(0.6, name, "orders"))
        for nth in range(many):
            _, published = collaboration.posts[nth % len(collaboration.posts)]
            moment = published + timedelta(hours=2 + 500 * draw(name, nth, "when") ** 2)
            rows += _order(collaboration, f"{name}-{nth:03d}", moment)
    leaked = next(one for one in collaborations if one.account.tier == "micro" and one.end is None and not one.is_plan)
    for nth in range(LEAKED_ORDERS):
        moment = LEAKED_DAY + timedelta(minutes=23 * nth)
        rows += _order(leaked, f"{leaked.collaboration_id}-leak-{nth:02d}", moment)
    for nth in range(90):
        moment = datetime.fromisoformat("2022-07-10") + timedelta(hours=24 * 60 * draw("nobody", nth))
        rows.append(amounts(f"sim-nobody-{nth:02d}", moment, Decimal(60), pick(CURRENCIES, "nobody", nth)))
    return sorted(rows, key=lambda row: (str(row["ordered_at"]), str(row["order_id"])))


def _order(collaboration: Collaboration, name: str, moment: datetime) -> list[Row]:
    """An order, or a subscription with its renewals so far."""
    has_code = "leak" in name or draw(name, "code") < 0.55
    code = {"promo_code": collaboration.code if has_code else ""}
    if not collaboration.is_plan:
        usd = Decimal(round(35 + 60 * draw(name, "basket")))
        currency = pick(CURRENCIES, name, "currency")
        return [amounts(f"sim-{name}", moment, usd, currency) | code]
    months = int(6 * draw(name, "stays"))
    dates = [moment + timedelta(days=30 * month) for month in range(months + 1)]
    return [
        {
            **amounts(f"sim-{name}" + (f"-m{month}" if month else ""), at, PLAN_PRICE, "USD", is_plan=True),
            "customer_id": f"sim-cust-{name}",
            "subscription_id": f"sim-sub-{name}",
            "renewal_number": month,
            **code,
        }
        for month, at in enumerate(dates)
        if at.date() <= LAST_DAY
    ]


def amounts(order_id: str, moment: datetime, usd: Decimal, currency: str, is_plan: bool = False) -> Row:
    """An order's amounts; the plan is sold without discount, tax or shipping, so that its net is its price."""
    gross = in_currency(usd, currency)
    discounted = not is_plan and draw(order_id, "discount") < 0.4
    tax = cents(gross * Decimal("0.08")) if not is_plan else ""
    return {
        "order_id": order_id,
        "customer_id": f"sim-cust-{order_id.removeprefix('sim-')}",
        "ordered_at": f"{moment.replace(microsecond=0).isoformat()}Z",
        "order_count": "",
        "gross_amount": gross,
        "discount_amount": cents(gross * Decimal("0.10")) if discounted else "",
        "tax_amount": tax,
        "shipping_amount": in_currency(Decimal(5), currency) if not is_plan else "",
        "product_cost": cents(gross * Decimal("0.30")) if draw(order_id, "cost known") < 0.997 or is_plan else "",
        "currency": currency,
        "country": pick(("US", "DE", "JP"), order_id, "country"),
    }


def touch_rows(collaborations: list[Collaboration], orders: list[Row]) -> Iterator[Row]:
    """One to four touches before an order that a collaboration brought; other channels take part."""
    by_id = {one.collaboration_id: one for one in collaborations}
    for order in orders:
        name = str(order["order_id"])
        owner = by_id.get(name.removeprefix("sim-")[:11])
        is_spoken = order.get("promo_code") and draw(name, "spoken") < 0.35
        if owner is None or order.get("renewal_number") or is_spoken or "leak" in name:
            continue
        moment = datetime.fromisoformat(str(order["ordered_at"]).removesuffix("Z"))
        steps = 1 + int(4 * draw(name, "steps"))
        own = int(steps * draw(name, "own"))
        for nth in range(steps):
            at = moment - timedelta(hours=0.2 + 24 * 18 * draw(name, nth, "before") ** 2)
            row: Row = {"touch_id": f"{name}-t{nth}", "customer_id": order["customer_id"], "touched_at": iso(at)}
            if nth == own:
                clicks = draw(name, nth, "clicks") < 0.8
                yield {
                    **row,
                    "touch_type": "click" if clicks else "view",
                    "channel": "creator",
                    "link_id": owner.link_id,
                }
            elif draw(name, nth, "another") < 0.3:
                other = pick(tuple(by_id), name, nth, "other")
                yield {**row, "touch_type": "view", "channel": "creator", "collaboration_id": other}
            else:
                yield {**row, "touch_type": "click", "channel": pick(OTHER_CHANNELS, name, nth, "channel")}


def click_rows(collaborations: list[Collaboration], touches: list[Row]) -> Iterator[Row]:
    """The clicks of the touches, and those of people who bought nothing."""
    for touch in touches:
        if touch["touch_type"] == "click" and touch.get("link_id"):
            yield {
                "click_id": f"click-{touch['touch_id']}",
                "clicked_at": touch["touched_at"],
                "link_id": touch["link_id"],
            }
    for one in collaborations:
        for nth in range(round(4 * ORDERS[one.account.tier] * spread(0.5, one.collaboration_id, "clicks"))):
            at = one.posts[0][1] + timedelta(hours=300 * draw(one.collaboration_id, nth, "click") ** 2)
            yield {
                "click_id": f"click-{one.collaboration_id}-{nth:03d}",
                "clicked_at": iso(at),
                "link_id": one.link_id,
            }


def refund_rows(orders: list[Row]) -> Iterator[Row]:
    """One order in fourteen is given back, in part or whole."""
    for order in orders:
        name = str(order["order_id"])
        at = datetime.fromisoformat(str(order["ordered_at"]).removesuffix("Z")) + timedelta(
            days=1 + 20 * draw(name, "r")
        )
        if draw(name, "refunded") > 0.07 or at.date() > LAST_DAY:
            continue
        charged = Decimal(str(order["gross_amount"])) - Decimal(str(order["discount_amount"] or 0))
        share = Decimal(1) if draw(name, "whole") < 0.6 else Decimal("0.5")
        amount = cents(charged * share)
        yield {
            "refund_id": f"refund-{name}", "order_id": name, "refunded_at": iso(at), "amount": amount,
            "currency": order["currency"],
        }  # fmt: skip


def cost_rows(collaborations: list[Collaboration]) -> Iterator[Row]:
    """Fees and gifts of collaborations, and what whole campaigns cost."""
    for one in collaborations:
        name = one.collaboration_id
        kinds = []
        if one.fee:
            kinds.append(("fee", one.fee))
        if one.partner_type in ("gifted", "advocate"):
            kinds += [("product", Decimal(round(40 + 80 * draw(name, "gift")))), ("shipping", Decimal(8))]
        if one.account.tier == "mega":
            kinds += [("production", one.fee / 10), ("usage_rights", one.fee / 20)]
        for kind, usd in kinds:
            yield cost_row(
                f"{name}-{kind}", one.campaign_id, name, one.start, kind, in_currency(usd, one.currency), one.currency
            )
        if one.rule_id == "sim-r40":
            # Paid out after it had accrued: settles, and is not spent again.
            paid_on = one.posts[0][1].date() + timedelta(days=45)
            yield cost_row(f"{name}-paid", "", name, paid_on, "commission", Decimal("39.98"), "USD")
    for campaign_id, _, _, start, _, budget, _, _ in CAMPAIGNS:
        day = date.fromisoformat(start)
        for kind, share in (("ads", 20), ("agency", 40), ("tools", 100)):
            yield cost_row(f"{campaign_id}-{kind}", campaign_id, "", day, kind, cents(Decimal(budget) / share), "USD")


def cost_row(
    cost_id: str, campaign: str, collaboration: str, day: date, kind: str, amount: Decimal, currency: str
) -> Row:
    return {
        "cost_id": cost_id, "campaign_id": campaign, "collaboration_id": collaboration, "cost_date": day,
        "cost_type": kind, "amount": amount, "currency": currency,
    }  # fmt: skip


def rate_rows() -> Iterator[Row]:
    """A rate for each weekday: a weekend takes Friday's."""
    for currency, base in BASE_RATES.items():
        for nth in range((LAST_DAY - FIRST_DAY).days + 1):
            day = FIRST_DAY + timedelta(days=nth)
            if day.isoweekday() < 6:
                rate = base * Decimal(str(round(1 + 0.04 * (draw(currency, day) - 0.5), 4)))
                yield {"rate_date": day, "currency": currency, "rate_to_base": rate.quantize(Decimal("0.000001"))}


def iso(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0).isoformat()}Z"


def _agreements(collaborations: list[Collaboration]) -> dict[str, list[Row]]:
    """Rows of the feeds that say who agreed to what."""
    people = {one.account.account_id: f"sim-creator-{one.account.account_id[-4:]}" for one in collaborations}
    return {
        "campaigns": [
            dict(zip(HEADERS["campaigns"].split(","),
                     (name, BRAND, title, objective, start, end, budget, "USD", BRAND, window, "", ""), strict=True))
            for name, title, objective, start, end, budget, window, _ in CAMPAIGNS
        ],
        "collaborations": [
            {
                "collaboration_id": one.collaboration_id, "campaign_id": one.campaign_id, "brand": BRAND,
                "creator_id": "" if one.account.is_observed else people[one.account.account_id],
                "platform": one.account.platform, "account_id": one.account.account_id,
                "partner_type": one.partner_type, "promo_code": one.code, "link_id": one.link_id,
                "cookie_window_days": 14 if one.rule_id else "", "rule_id": one.rule_id,
                "agreed_fee": in_currency(one.fee, one.currency) if one.fee else "", "posts_agreed": len(one.posts),
                "currency": one.currency, "start_date": one.start, "end_date": one.end or "",
            }
            for one in collaborations
        ],
        "collaboration_posts": [
            {"collaboration_id": one.collaboration_id, "platform": one.account.platform, "post_id": post}
            for one in collaborations for post, _ in one.posts
        ],
        "commission_rules": [dict(zip(HEADERS["commission_rules"].split(","), rule, strict=True)) for rule in RULES],
        "rate_cards": [
            {
                "platform": one.account.platform, "account_id": one.account.account_id, "content_type": kind,
                "price": cents(Decimal(price)), "currency": "USD", "valid_from": "2022-07-01", "valid_to": "",
            }
            for one in collaborations
            for kind, price in _prices(one)
        ],
    }  # fmt: skip


def _prices(one: Collaboration) -> list[tuple[str, int]]:
    kinds = {"instagram": ("image", "carousel", "reel"), "tiktok": ("video",), "youtube": ("video", "short")}
    low, high = FEES[one.account.tier]
    asked = low + (high - low) * draw(one.account.account_id, "asks") ** 2 if high else 40 + 60 * draw(one.code, "asks")
    return [(kind, round(asked * (1 + nth / 4))) for nth, kind in enumerate(kinds[one.account.platform])]


def make(accounts: list[Account]) -> dict[str, str]:
    """Path under landing and text of each file."""
    collaborations = make_collaborations(accounts)
    orders = order_rows(collaborations)
    touches = list(touch_rows(collaborations, orders))
    rows: dict[str, list[Row]] = {
        **_agreements(collaborations),
        "costs": list(cost_rows(collaborations)),
        "link_clicks": list(click_rows(collaborations, touches)),
        "touches": touches,
        "orders": orders,
        "refunds": list(refund_rows(orders)),
        "fx_rates": list(rate_rows()),
    }
    return files_of(HEADERS, rows, LAST_DAY)


if __name__ == "__main__":
    write(make(make_accounts(read_channels())))
