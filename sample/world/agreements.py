"""Who agreed to what with the brand of the sample world: campaigns of every objective, and who goes on without one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sample.simulate import draw, spread
from sample.world.accounts import LAST_DAY, Account
from sample.world.posts import Post

BRAND = "tidewell"


@dataclass(frozen=True)
class Campaign:
    """A campaign, whom it hires, and what it is made to return.

    Args:
        roi: net revenue less spend, over spend; null where it follows from what its affiliates sell.
        hires: platform, tier, how many, partner type.
        named: accounts that it hires beside those.
        costs: what it costs as a whole, by cost type, in USD.
    """

    campaign_id: str
    name: str
    objective: str
    start: date
    end: date
    roi: Decimal | None
    hires: tuple[tuple[str, str, int, str], ...]
    named: tuple[str, ...] = ()
    costs: dict[str, int] = field(default_factory=dict)
    posts: int = 2
    tag: str = ""


def _on(month: int, day: int) -> date:
    return date(2023, month, day)


CAMPAIGNS = (
    Campaign("sim-glow", "Summer glow", "sales", _on(7, 10), _on(8, 15), Decimal("0.64"),
             (("instagram", "micro", 6, "paid"), ("tiktok", "micro", 4, "paid"), ("instagram", "nano", 6, "gifted")),
             ("sim-ig-0206",), {"ads": 900}, 2, "tidewellglow"),
    Campaign("sim-splash", "One big splash", "awareness", _on(8, 14), _on(9, 10), Decimal("-0.57"),
             (("instagram", "mega", 1, "paid"),), (), {"ads": 4_000, "agency": 6_000}, 3, "tidewellsplash"),
    Campaign("sim-voices", "Many small voices", "engagement", _on(8, 1), _on(9, 5), Decimal("1.74"),
             (("instagram", "nano", 12, "gifted"), ("tiktok", "nano", 10, "gifted"), ("bluesky", "nano", 6, "gifted")),
             (), {"tools": 300}, 2, "tidewellvoices"),
    Campaign("sim-mixed", "Big name, many voices", "sales", _on(8, 21), _on(9, 24), Decimal("0.46"),
             (("youtube", "macro", 1, "paid"), ("tiktok", "macro", 1, "paid"), ("instagram", "micro", 4, "paid"),
              ("youtube", "micro", 2, "paid"), ("tiktok", "nano", 6, "gifted")),
             ("sim-ig-0214",), {"ads": 1_500, "agency": 1_200}, 2, "tidewelltogether"),
    Campaign("sim-school", "Back to school", "sales", _on(8, 28), _on(9, 30), Decimal("0.21"),
             (("youtube", "micro", 7, "paid"), ("tiktok", "micro", 3, "paid")),
             ("sim-yt-0212",), {"ads": 1_100}, 2, "tidewellschool"),
    Campaign("sim-faces", "Four big faces", "awareness", _on(9, 4), _on(10, 8), Decimal("-0.36"),
             (("instagram", "macro", 1, "paid"),), ("sim-yt-0204", "sim-ig-0207", "sim-tt-0209"),
             {"agency": 3_000, "ads": 2_000}, 2, "tidewellfaces"),
    Campaign("sim-photo", "Show your shelf", "contest", _on(8, 5), _on(8, 25), Decimal("-0.14"),
             (("instagram", "micro", 3, "paid"), ("instagram", "nano", 5, "gifted")),
             (), {"product": 900, "ads": 600}, 2, "showyourshelf"),
    Campaign("sim-recipe", "My evening in five steps", "contest", _on(9, 9), _on(10, 2), Decimal("0.09"),
             (("instagram", "micro", 3, "paid"), ("tiktok", "micro", 2, "paid"), ("bluesky", "nano", 4, "gifted")),
             ("sim-tt-0213",), {"product": 700, "ads": 400}, 2, "fivestepevening"),
    Campaign("sim-live", "Live from the studio", "live", _on(9, 5), _on(10, 31), Decimal("0.92"),
             (("tiktok", "macro", 2, "paid"),), (), {"production": 2_600, "ads": 500}, 1, "tidewelllive"),
    Campaign("sim-dance", "The tide dance", "engagement", _on(9, 11), _on(10, 6), Decimal("-0.22"),
             (("tiktok", "micro", 5, "paid"), ("tiktok", "macro", 1, "paid")), ("sim-tt-0210",),
             {"ads": 800, "production": 900}, 2, "tidedance"),
    Campaign("sim-circle", "The evening circle", "sales", _on(7, 4), _on(10, 31), None,
             (("instagram", "micro", 4, "affiliate"), ("youtube", "micro", 4, "affiliate"),
              ("tiktok", "nano", 3, "affiliate"), ("instagram", "nano", 3, "affiliate")),
             (), {"tools": 1_200}, 4, "eveningcircle"),
    Campaign("sim-autumn", "Autumn restock", "sales", _on(9, 29), _on(10, 31), Decimal("0.15"),
             (("instagram", "micro", 4, "paid"), ("youtube", "micro", 2, "paid"), ("tiktok", "nano", 6, "gifted"),
              ("bluesky", "micro", 2, "paid")),
             ("sim-yt-0201",), {"ads": 900}, 2, "tidewellautumn"),
)  # fmt: skip
# Lowest and highest fee of a post by tier, in USD.
FEES = {"nano": (0, 0), "micro": (180, 700), "macro": (1_900, 5_600), "mega": (15_000, 18_000)}
# Orders of an agreement beside those of others in its campaign.
PULL = {"nano": 1.0, "micro": 3.0, "macro": 8.0, "mega": 8.0}
# Trained hosts of live sessions: no account of theirs is watched.
HOSTS = 2
HOST_FEE = 950
ADVOCATES = 16
# An affiliate's terms change: another rule, and a longer cookie.
CHANGED_ON, CHANGED_RULE = _on(9, 1), "sim-r15"
# The code that leaks, its day, and how many strangers use it on it.
LEAKED_DAY, LEAKED_ORDERS = _on(7, 28), 26


@dataclass(frozen=True)
class Agreement:
    """An agreement. `pull` is its share of its campaign's orders, beside those of the others."""

    number: int
    campaign: Campaign | None
    account: Account | None
    partner_type: str
    rule_id: str
    fee: Decimal
    posts: tuple[Post, ...]
    start: date
    end: date | None
    pull: float

    @property
    def collaboration_id(self) -> str:
        return f"sim-col-{self.number:03d}"

    @property
    def code(self) -> str:
        return f"TIDE{self.number:03d}"

    @property
    def link_id(self) -> str:
        return f"sim-link-{self.number:03d}"

    @property
    def currency(self) -> str:
        """That of the creator's country, where it is one of two."""
        country = self.account.place[0] if self.account else "US"
        return {"DE": "EUR", "JP": "JPY"}.get(country, "USD")

    @property
    def is_plan(self) -> bool:
        """Whether it sells the monthly plan."""
        return self.rule_id == "sim-r40"


def fans_of(accounts: list[Account]) -> list[Account]:
    """Small accounts of customers who speak for the brand of their own accord."""
    small = [one for one in accounts if one.tier == "nano" and one.event is None and one.platform != "youtube"]
    return sorted(small, key=lambda one: draw("world", one.account_id, "fan"))[:44]


def make_agreements(accounts: list[Account]) -> list[Agreement]:
    """All agreements, those of campaigns in the order of their list, then those of advocates, which have no end."""
    by_id = {one.account_id: one for one in accounts}
    fans = fans_of(accounts)
    busy: dict[str, list[tuple[date, date]]] = {one.account_id: [(date.min, date.max)] for one in fans[:ADVOCATES]}
    made: list[Agreement] = []
    for campaign in CAMPAIGNS:
        hired = [(by_id[name], "paid") for name in campaign.named]
        days = campaign.start - timedelta(days=3), min(campaign.end + timedelta(days=30), LAST_DAY)
        for platform, tier, many, partner_type in campaign.hires:
            free = [
                one for one in accounts
                if (one.platform, one.tier, one.event) == (platform, tier, None)
                and not any(first <= days[1] and days[0] <= last for first, last in busy.get(one.account_id, []))
            ]  # fmt: skip
            free.sort(key=lambda one: draw("world", campaign.campaign_id, one.account_id, "hired"))
            hired += [(one, partner_type) for one in free[:many]]
        for account, partner_type in hired:
            busy.setdefault(account.account_id, []).append(days)
            made.append(_of_campaign(len(made) + 1, campaign, account, partner_type))
        if campaign.objective == "live":
            made += [
                Agreement(len(made) + nth, campaign, None, "paid", "", Decimal(HOST_FEE), (), campaign.start,
                          campaign.end, 6)
                for nth in range(1, HOSTS + 1)
            ]  # fmt: skip
    for account in fans[:ADVOCATES]:
        number = len(made) + 1
        start = _on(7, 6) + timedelta(days=int(20 * draw("world", account.account_id, "agreed")))
        made.append(Agreement(number, None, account, "advocate", "", Decimal(0), (), start, None, 1))
    return made


def _of_campaign(number: int, campaign: Campaign, account: Account, partner_type: str) -> Agreement:
    name = f"sim-col-{number:03d}"
    low, high = FEES[account.tier]
    fee = (
        round(low + (high - low) * draw("world", name, "fee") ** 1.5) * campaign.posts if partner_type == "paid" else 0
    )
    posts = tuple(_posts(number, campaign, account))
    rule_id = ""
    if partner_type == "affiliate":
        rule_id = "sim-r40" if account.tier == "micro" else "sim-r10"
    pull = PULL[account.tier] * spread(0.5, "world", name, "pull")
    if account.event:
        pull *= 0.2 if account.is_bought else 1.5
    start = campaign.start if campaign.objective == "live" else posts[0].published.date() - timedelta(days=2)
    end = None if rule_id else max(campaign.end, posts[-1].published.date()) + timedelta(days=20)
    return Agreement(number, campaign, account, partner_type, rule_id, Decimal(fee), posts, start, end, pull)


def _posts(number: int, campaign: Campaign, account: Account) -> Iterator[Post]:
    """The agreed posts, spread over the campaign's days; nine creators in ten disclose that they are paid."""
    last = min(campaign.end, LAST_DAY - timedelta(days=4))
    length = (last - campaign.start).days / campaign.posts
    for nth in range(campaign.posts):
        name = f"sim-col-{number:03d}-{nth}"
        # Who sells live announces it at once, so that a code is in use from its first days on.
        after = 0.05 if campaign.objective == "live" else 0.15 + 0.6 * draw("world", name, "when")
        days = length * (nth + after)
        moment = datetime.combine(campaign.start, time(10)) + timedelta(days=days)
        tags = ("tidewell", campaign.tag) if draw("world", name, "tags") < 0.9 else ("mytidewell", campaign.tag)
        is_sponsored = draw("world", account.account_id, "discloses") < 0.9
        yield Post(
            f"{account.account_id}-c{number:03d}{nth + 1}", account, moment.replace(microsecond=0), tags, is_sponsored
        )


def changed(agreements: list[Agreement]) -> Agreement:
    """The affiliate whose terms of pay change."""
    return next(one for one in agreements if one.rule_id == "sim-r10")


def leaked(agreements: list[Agreement]) -> Agreement:
    """The agreement whose code leaks."""
    return next(one for one in agreements if one.campaign and one.campaign.campaign_id == "sim-glow"
                and one.account and one.account.tier == "micro" and not one.account.event)  # fmt: skip
