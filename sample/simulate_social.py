"""The maker of the simulated social feeds: customers who speak for a brand, and how they did.

A pure function of the simulated posts (`simulate.py`), of the collaborations that are already agreed
(`simulate_commerce.py`) and a seed; it adds files beside theirs and changes none of their rows. Every draw is a hash of
the seed and the name of what is drawn. Nothing here was observed; the mappings `simulated_<feed>.yml` say so
(`origin: simulated`), and so does every mart row made of it.

Put in on purpose: customers of the brand who become advocates and ambassadors, some of whom outgrow a tier meanwhile;
agreements that ended in June, after which small creators go on praising the brand and bigger ones mostly do not;
campaigns of one tier and of several, of which the mixed ones bring half as many orders again; famous creators and
trained hosts who sell live, the latter more per viewer; contests with referrers. `sample/README.md` lists what is wrong
on purpose.

`python -m sample.simulate_social` writes the files anew (`make sample`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sample.simulate import (
    BRANDS,
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
from sample.simulate import FIRST_DAY as FIRST_CAPTURE
from sample.simulate import LAST_DAY as LAST_CAPTURE
from sample.simulate_commerce import (
    BRAND,
    CURRENCIES,
    FEES,
    LAST_DAY,
    amounts,
    cents,
    cost_row,
    iso,
    make_collaborations,
    refund_rows,
)
from sample.simulate_commerce import HEADERS as COMMERCE_HEADERS

# The day after the commerce's files: a later delivery of the same feeds.
DELIVERED = LAST_DAY + timedelta(days=1)

HEADERS = {
    "customer_accounts": "customer_id,brand,platform,account_id,relationship,valid_from,valid_to,consented_at",
    "mentions": "mention_id,brand,platform,account_id,post_id,mentioned_at,hashtags,likes,comments,reach",
    "live_sessions": (
        "live_session_id,platform,host_id,account_id,campaign_id,started_at,ended_at,peak_viewers,unique_viewers,"
        "host_type"
    ),
    "contest_entries": (
        "entry_id,campaign_id,platform,account_id,post_id,entered_at,referrer_account_id,customer_id,reach"
    ),
    **{
        feed: COMMERCE_HEADERS[feed]
        for feed in ("campaigns", "collaborations", "collaboration_posts", "costs", "touches", "orders", "refunds")
    },
}

# Agreements that ended between these days: far enough before the last capture to see what came after.
ENDED_FROM, ENDED_TO = date(2022, 6, 1), date(2022, 6, 10)
SPRING = ("sim-spring-small", "sim-spring-big")
# How many of a tier are known to praise the brand after the end, and how many are known not to.
OUTLIVED = {"nano": (22, 12), "micro": (4, 10), "macro": (3, 13), "mega": (2, 14)}
# Tiers of the agreements of a campaign: three campaigns of each single tier, twelve of several tiers.
SINGLE = {tier: (tier,) * 3 for tier in ("nano", "micro", "macro", "mega")}
MIXED = (("mega", "micro", "nano", "nano"), ("macro", "micro", "nano", "nano"))
MIXED_CAMPAIGNS = 12
# Median orders that an agreement of a campaign brings, and how much more it brings beside other tiers.
ORDERS = {"nano": 4, "micro": 6, "macro": 9, "mega": 14}
MIXED_FACTOR = 1.5
CAMPAIGNS_END = date(2022, 8, 31)
CONTESTS = (("sim-contest-1", "2022-07-16", "2022-07-30", 90), ("sim-contest-2", "2022-08-10", "2022-08-31", 60))
LIVE_CAMPAIGN = "sim-live"
SESSIONS = 14
FIRST_SESSION = datetime.fromisoformat("2022-07-20T11:00:00")
# Lowest and highest viewers of a session, and orders a viewer: hosts who learned to sell, and those who are famous.
VIEWERS = {"creator": (900, 6_000), "trained_host": (150, 900)}
SALES = {"creator": 0.003, "trained_host": 0.022}
UNTRACKED_BRAND = "brinefold"


@dataclass(frozen=True)
class Post:
    """A post as its last capture shows it, and the brands that its hashtags name."""

    row: Row
    published: datetime
    brands: tuple[str, ...]

    @property
    def post_id(self) -> str:
        return str(self.row["post_id"])


@dataclass(frozen=True)
class Agreement:
    """An agreement with an account; `orders` is how many it brings."""

    number: int
    campaign_id: str
    account: Account
    partner_type: str
    rule_id: str
    fee: Decimal
    posts: tuple[Post, ...]
    start: date
    end: date | None
    orders: int

    @property
    def collaboration_id(self) -> str:
        return f"sim-col-{self.number:03d}"

    @property
    def code(self) -> str:
        return f"TIDE{self.number:03d}"

    @property
    def link_id(self) -> str:
        return f"sim-link-{self.number:03d}"


@dataclass(frozen=True)
class World:
    """What the other makers made: accounts, their posts in order, and until when each is free of an agreement."""

    accounts: list[Account]
    posts: dict[str, list[Post]]
    hired_from: dict[str, date]
    linked: frozenset[str]

    def praise(self, account: Account, after: date) -> list[Post]:
        """Posts about the brand after a day, before an agreement of the commerce begins."""
        until = self.hired_from.get(account.account_id, DELIVERED)
        return [post for post in self.posts[account.account_id] if BRAND in post.brands
                and after < post.published.date() < until]  # fmt: skip

    def between(self, account: Account, first: date, last: date) -> tuple[Post, ...]:
        """Posts of these days that belong to no agreement yet, at most two."""
        free = [post for post in self.posts[account.account_id] if post.post_id not in self.linked
                and first <= post.published.date() <= last]  # fmt: skip
        return tuple(free[:2])


def look_around(accounts: list[Account]) -> World:
    """What is there before anything of this file is added."""
    last: dict[str, Row] = {}
    for row in post_snapshots(accounts):
        last[str(row["post_id"])] = row
    tags = {brand[3].split("|")[0]: brand[0] for brand in BRANDS}
    posts: dict[str, list[Post]] = {}
    for row in last.values():
        named = tuple(tags[tag] for tag in str(row["hashtags"]).lower().split("|") if tag in tags)
        published = datetime.fromisoformat(str(row["published_at"]).removesuffix("Z"))
        posts.setdefault(str(row["account_id"]), []).append(Post(row, published, named))
    hired = make_collaborations(accounts)
    return World(
        sorted(accounts, key=lambda one: draw(one.account_id, "voice")),
        {account: sorted(each, key=lambda post: post.published) for account, each in posts.items()},
        {one.account.account_id: one.start for one in hired},
        frozenset(post for one in hired for post, _ in one.posts),
    )


def outlived(world: World) -> Iterator[tuple[Account, date, date]]:
    """Account, first and last day of each agreement that ended in June: those who go on, then those who do not."""
    for tier, wanted in OUTLIVED.items():
        plain = [one for one in world.accounts if one.tier == tier and not one.story]
        goes_on = [one for one in plain if world.praise(one, ENDED_TO)]
        silent = [
            one
            for one in plain
            if not any(BRAND in post.brands for post in world.posts[one.account_id] if post.published.date() > ENDED_TO)
        ]
        for accounts, many in zip((goes_on, silent), wanted, strict=True):
            for account in accounts[:many]:
                days = int(((ENDED_TO - ENDED_FROM).days + 1) * draw(account.account_id, "ends"))
                yield account, ENDED_FROM - timedelta(days=25), ENDED_FROM + timedelta(days=days)


def customers(world: World) -> list[Account]:
    """Accounts of customers: small simulated ones that praised the brand, all that climb, and a few silent ones."""
    small = [one for one in world.accounts if one.tier in ("nano", "micro") and not one.is_observed and one.followers]
    praising = [one for one in small if any(BRAND in post.brands for post in world.posts[one.account_id])]
    climbing = [one for one in small if one.tier == "nano" and one.story and one.story[0][2] == 1.06]
    silent = [one for one in small if one.platform == "instagram" and one not in praising and not one.story]
    return list(dict.fromkeys([*praising, *climbing, *silent[:10]]))


def make_agreements(world: World) -> list[Agreement]:
    """All agreements: those that ended, those of advocates that go on, and those of campaigns."""
    made: list[Agreement] = []

    def agree(campaign: str, account: Account, kind: str, days: tuple[date, date | None], factor: float = 1) -> None:
        number = 101 + len(made)
        name = f"sim-col-{number:03d}"
        low, high = FEES[account.tier]
        posts = world.between(account, days[0], min(days[1] or LAST_CAPTURE.date(), LAST_CAPTURE.date()))
        fee = round(low + (high - low) * draw(name, "fee") ** 2) * len(posts) if kind == "paid" else 0
        orders = round(factor * ORDERS[account.tier] * spread(0.5, name, "orders"))
        rule = "sim-r10" if kind == "affiliate" else ""
        made.append(Agreement(number, campaign, account, kind, rule, Decimal(fee), posts, *days, orders))

    taken = set(world.hired_from)
    for account, start, end in list(outlived(world)):
        campaign = SPRING[0] if account.tier in ("nano", "micro") else SPRING[1]
        agree(campaign, account, "gifted" if account.tier == "nano" else "paid", (start, end), 0)
        taken.add(account.account_id)
    for account in customers(world):
        is_needed = account.story or not any(BRAND in post.brands for post in world.posts[account.account_id])
        if account.account_id not in taken and (is_needed or draw(account.account_id, "has code") < 0.5):
            kind = "affiliate" if draw(account.account_id, "ambassador") < 0.3 else "advocate"
            agree("", account, kind, (date(2022, 6, 20), None))
            taken.add(account.account_id)
    for campaign, tiers in campaign_tiers():
        for tier in tiers:
            account = next(one for one in world.accounts if one.tier == tier and not one.story
                           and one.account_id not in taken
                           and world.between(one, FIRST_CAPTURE.date(), LAST_CAPTURE.date()))  # fmt: skip
            post = world.between(account, FIRST_CAPTURE.date(), LAST_CAPTURE.date())[0].published.date()
            days = (post - timedelta(days=2), CAMPAIGNS_END)
            agree(campaign, account, "gifted" if tier == "nano" else "paid", days,
                  MIXED_FACTOR if len(set(tiers)) > 1 else 1)  # fmt: skip
            taken.add(account.account_id)
    return made


def campaign_tiers() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Campaign and the tiers of its agreements."""
    for tier, tiers in SINGLE.items():
        for nth in range(1, 4):
            yield f"sim-{tier}-{nth}", tiers
    for nth in range(MIXED_CAMPAIGNS):
        yield f"sim-mixed-{nth + 1:02d}", MIXED[nth % len(MIXED)]


def campaign_rows() -> Iterator[Row]:
    """One row per campaign: sales of one tier or several, two of spring, two contests, one that sells live."""
    listed = [(name, "sales", "2022-07-12", str(CAMPAIGNS_END), 5_000) for name, _ in campaign_tiers()]
    listed += [
        (name, "awareness", "2022-05-01", "2022-06-30", 8_000) for name in ("sim-spring-small", "sim-spring-big")
    ]
    listed += [(name, "contest", first, last, 2_400) for name, first, last, _ in CONTESTS]
    listed += [(LIVE_CAMPAIGN, "live", "2022-07-20", "2022-09-30", 12_000)]
    for name, objective, first, last, budget in listed:
        yield {
            "campaign_id": name, "brand": BRAND, "name": name.removeprefix("sim-").replace("-", " ").capitalize(),
            "objective": objective, "start_date": first, "end_date": last, "budget": budget, "currency": "USD",
            "hashtags": BRAND if objective != "contest" else f"{BRAND}|{name.replace('-', '')}",
        }  # fmt: skip


def collaboration_rows(agreements: list[Agreement]) -> Iterator[Row]:
    for one in agreements:
        yield {
            "collaboration_id": one.collaboration_id, "campaign_id": one.campaign_id, "brand": BRAND,
            "creator_id": f"sim-creator-{one.account.account_id[-4:]}" if not one.campaign_id else "",
            "platform": one.account.platform, "account_id": one.account.account_id, "partner_type": one.partner_type,
            "promo_code": one.code, "link_id": one.link_id, "cookie_window_days": 14 if one.rule_id else "",
            "rule_id": one.rule_id, "agreed_fee": one.fee or "", "posts_agreed": len(one.posts), "currency": "USD",
            "start_date": one.start, "end_date": one.end or "",
        }  # fmt: skip


def cost_rows(agreements: list[Agreement]) -> Iterator[Row]:
    """A fee or a gift for each agreement; prizes, and what selling live takes, for whole campaigns."""
    for one in agreements:
        name = one.collaboration_id
        gift = Decimal(round(40 + 80 * draw(name, "gift")))
        kinds = [("fee", one.fee)] if one.fee else [("product", gift), ("shipping", Decimal(8))]
        for kind, amount in kinds if one.partner_type != "affiliate" else []:
            yield cost_row(f"{name}-{kind}", one.campaign_id, name, one.start, kind, cents(amount), "USD")
    for name, first, _, _ in CONTESTS:
        day = date.fromisoformat(first)
        yield cost_row(f"{name}-prizes", name, "", day, "product", Decimal("640.00"), "USD")
        yield cost_row(f"{name}-ads", name, "", day, "ads", Decimal("350.00"), "USD")
    yield cost_row(f"{LIVE_CAMPAIGN}-studio", LIVE_CAMPAIGN, "", date(2022, 7, 20), "production", Decimal(2400), "USD")


def order_rows(agreements: list[Agreement]) -> Iterator[Row]:
    """Orders that agreements brought: six in ten with their code, the others by their link."""
    for one in agreements:
        for nth in range(one.orders):
            name = f"sim-{one.collaboration_id}-{nth:03d}"
            published = one.posts[nth % len(one.posts)].published if one.posts else FIRST_CAPTURE
            # A code is valid from the first to the last day of its agreement.
            hours = 24 * (((one.end or LAST_DAY) - published.date()).days - 0.99)
            moment = published + timedelta(hours=1 + max(hours - 1, 0) * draw(name, "when") ** 2)
            currency = pick(CURRENCIES, name, "currency") if moment >= FIRST_CAPTURE else "USD"
            has_code = draw(name, "code") < 0.6
            yield amounts(name, moment, Decimal(round(35 + 60 * draw(name, "basket"))), currency) | {
                "promo_code": one.code if has_code else ""
            }


def link_touches(agreements: list[Agreement], orders: list[Row]) -> Iterator[Row]:
    """The click that an order without a code came by, and most of the others too."""
    links = {one.collaboration_id: one.link_id for one in agreements}
    for order in orders:
        name = str(order["order_id"])
        if not order.get("promo_code") or draw(name, "clicked") < 0.7:
            moment = datetime.fromisoformat(str(order["ordered_at"]).removesuffix("Z"))
            yield {
                "touch_id": f"{name}-t0", "customer_id": order["customer_id"],
                "touched_at": iso(moment - timedelta(hours=0.1 + 0.8 * draw(name, "before"))),
                "touch_type": "click", "channel": "creator", "link_id": links[name[4:15]],
            }  # fmt: skip


def customer_rows(world: World) -> Iterator[Row]:
    """One row per customer, account and relationship, in order; some never become more, some have ended."""
    for nth, account in enumerate(customers(world), start=1):
        name = account.account_id
        begun = date(2021, 11, 1) + timedelta(days=int(100 * draw(name, "customer since")))
        tier_changes = [("customer", begun)]
        if draw(name, "advocates") < 0.92:
            tier_changes.append(("advocate", date(2022, 3, 1) + timedelta(days=int(60 * draw(name, "advocate since")))))
            if draw(name, "ambassador") < 0.3:
                later = date(2022, 6, 20) + timedelta(days=int(30 * draw(name, "ambassador since")))
                tier_changes.append(("ambassador", later))
        for step, (relationship, since) in enumerate(tier_changes):
            is_last = step == len(tier_changes) - 1
            until = "" if is_last else tier_changes[step + 1][1]
            if is_last and draw(name, "leaves") < 0.06:
                until = date(2022, 9, 1)
            consents = relationship != "customer" and draw(name, "consents") < 0.8
            yield {
                "customer_id": f"sim-cust-voice-{nth:03d}", "brand": BRAND, "platform": account.platform,
                "account_id": name, "relationship": relationship, "valid_from": since, "valid_to": until,
                "consented_at": f"{since}T10:00:00Z" if consents else "",
            }  # fmt: skip


def with_defects(rows: list[Row]) -> list[Row]:
    """The customers' rows, and a handful that are wrong: overlap, reversed days, never captured, two claims."""
    first = rows[0]
    wrong: list[Row] = [
        {**first, "relationship": "advocate", "valid_from": "2021-12-15", "valid_to": "2022-04-30", "consented_at": ""},
        {**first, "customer_id": "sim-cust-voice-901", "account_id": "sim-ig-0120", "relationship": "advocate",
         "valid_from": "2022-05-01", "valid_to": "2022-04-01", "consented_at": ""},
        {**first, "customer_id": "sim-cust-voice-902", "account_id": "sim-ig-9997", "relationship": "advocate",
         "valid_from": "2022-05-01", "valid_to": "", "consented_at": "2022-05-01T10:00:00Z"},
        {**rows[-1], "customer_id": "sim-cust-voice-903", "relationship": "advocate", "valid_from": "2022-04-01",
         "valid_to": "", "consented_at": ""},
    ]  # fmt: skip
    return [*rows, *wrong]


def mention_rows(world: World) -> Iterator[Row]:
    """What a listening tool finds: posts that name a brand; some without an account, some of a brand not tracked."""
    posts = [post for account in world.accounts for post in world.posts[account.account_id] if post.brands]
    for post in sorted(posts, key=lambda one: (one.published, one.post_id)):
        row, name = post.row, post.post_id
        for brand in post.brands:
            yield {
                "mention_id": f"mention-{name}-{brand}", "brand": brand, "platform": row["platform"],
                "account_id": row["account_id"], "post_id": name, "mentioned_at": row["published_at"],
                "hashtags": row["hashtags"], "likes": row["likes"] if row["likes"] != "hidden" else "",
                "comments": row["comments"], "reach": row["reach"],
            }  # fmt: skip
    brands = tuple(brand[0] for brand in BRANDS)
    for nth in range(45):
        name = f"mention-found-{nth:02d}"
        moment = FIRST_CAPTURE + timedelta(hours=24 * 17 * draw(name, "when"))
        is_known = draw(name, "counts") < 0.6
        yield {
            "mention_id": name, "brand": UNTRACKED_BRAND if nth < 5 else pick(brands, name, "brand"),
            "platform": pick(("instagram", "tiktok"), name, "platform"), "mentioned_at": iso(moment),
            "likes": round(20 + 900 * draw(name, "likes") ** 3) if is_known else "",
            "comments": round(1 + 40 * draw(name, "comments") ** 3) if is_known else "",
        }  # fmt: skip


def contest_rows(world: World) -> Iterator[Row]:
    """Entries of two contests: fans whom nobody watches and accounts of the sample, some twice, some referred."""
    ours = [one for one in world.accounts if one.platform == "instagram" and one.tier in ("nano", "micro")][:60]
    for campaign, first, last, many in CONTESTS:
        begin, days = datetime.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        entered: list[tuple[datetime, str, str]] = []
        for nth in range(many):
            name = f"{campaign}-e{nth:03d}"
            fan = f"sim-fan-{int(75 * draw(name, 'fan')):03d}"
            account = ours[int(len(ours) * draw(name, "who"))].account_id if draw(name, "ours") < 0.4 else fan
            entered.append((begin + timedelta(days=days * draw(name, "when") ** 1.5), name, account))
        # A few are early, and a few late.
        strays = [(begin - timedelta(hours=30), f"{campaign}-early-{nth}", f"sim-fan-{80 + nth}") for nth in range(2)]
        strays += [(begin + timedelta(days=days, hours=5), f"{campaign}-late-{nth}", f"sim-fan-{82 + nth}")
                   for nth in range(3)]  # fmt: skip
        before: list[str] = []
        for moment, name, account in sorted(entered + strays):
            others = [each for each in before if each != account]
            on_day = [post.post_id for post in world.posts.get(account, ()) if post.published.date() == moment.date()]
            yield {
                "entry_id": name, "campaign_id": campaign, "platform": "instagram", "account_id": account,
                "post_id": on_day[0] if on_day else "", "entered_at": iso(moment),
                "referrer_account_id": pick(tuple(others), name, "referrer")
                if others and draw(name, "referred") < 0.45 else "",
                "customer_id": f"sim-cust-{account}" if draw(account, "customer") < 0.5 else "",
                "reach": round(200 + 3_000 * draw(name, "reach") ** 2) if draw(name, "shows reach") < 0.6 else "",
            }  # fmt: skip
            before.append(account)


def session_rows(world: World) -> list[Row]:
    """Live sessions: of famous creators, and of trained hosts; one never ends, two of one host overlap."""
    famous = [one for one in world.accounts if one.platform == "tiktok" and one.tier in ("macro", "mega")]
    rows: list[Row] = []
    for kind in SALES:
        for nth in range(SESSIONS):
            name = f"sim-live-{'c' if kind == 'creator' else 'h'}{nth + 1:02d}"
            account = famous[nth % 9].account_id if kind == "creator" else ""
            begin = FIRST_SESSION + timedelta(days=5 * nth, hours=round(8 * draw(name, "hour")))
            end = begin + timedelta(minutes=45 + round(90 * draw(name, "long")))
            low, high = VIEWERS[kind]
            viewers = round(low * (high / low) ** draw(name, "viewers"))
            rows.append({
                "live_session_id": name, "platform": "tiktok", "host_id": account or f"sim-host-{nth % 4 + 1}",
                "account_id": account, "campaign_id": LIVE_CAMPAIGN if nth % 2 == 0 else "",
                "started_at": iso(begin), "ended_at": iso(end),
                "peak_viewers": round(viewers * (0.3 + 0.3 * draw(name, "peak"))),
                "unique_viewers": viewers if nth != 5 else "", "host_type": kind,
            })  # fmt: skip
    hosted = rows[SESSIONS:]
    hosted[3]["ended_at"] = ""
    # The first host's second session begins half an hour into her first.
    begin = datetime.fromisoformat(str(hosted[0]["started_at"]).removesuffix("Z")) + timedelta(minutes=30)
    hosted[4] |= {"started_at": iso(begin), "ended_at": iso(begin + timedelta(minutes=70))}
    return rows


def live_orders(sessions: list[Row]) -> Iterator[Row]:
    """Orders that name a session: two in three are placed in it, the others in the days after."""
    for session in sessions:
        name = str(session["live_session_id"])
        begin = datetime.fromisoformat(str(session["started_at"]).removesuffix("Z"))
        # Where the end is unknown they are placed in the first 45 minutes.
        end = datetime.fromisoformat(str(session["ended_at"] or "").removesuffix("Z") or str(begin))
        minutes = max((end - begin).total_seconds() / 60, 45)
        viewers = int(str(session["peak_viewers"])) * 2
        for nth in range(max(round(viewers * SALES[str(session["host_type"])] * spread(0.3, name, "sales")), 3)):
            order = f"sim-order-{name}-{nth:02d}"
            after = minutes + 60 * 60 * draw(order, "later") ** 2 if draw(order, "is later") < 0.33 else 0
            moment = begin + timedelta(minutes=after or minutes * draw(order, "when"))
            yield amounts(order, moment, Decimal(round(20 + 50 * draw(order, "basket"))), "USD") | {
                "live_session_id": name
            }


def live_touches(sessions: list[Row], orders: list[Row]) -> Iterator[Row]:
    """Seven in ten of those orders have the customer's visit of the session before them."""
    by_id = {str(session["live_session_id"]): session for session in sessions}
    for order in orders:
        name, session = str(order["order_id"]), by_id[str(order["live_session_id"])]
        if draw(name, "watched") < 0.7:
            begin = datetime.fromisoformat(str(session["started_at"]).removesuffix("Z"))
            moment = datetime.fromisoformat(str(order["ordered_at"]).removesuffix("Z"))
            minutes = min((moment - begin).total_seconds() / 60, 40) * draw(name, "joins")
            yield {
                "touch_id": f"{name}-t0", "customer_id": order["customer_id"],
                "touched_at": iso(begin + timedelta(minutes=minutes)), "touch_type": "live", "channel": "live",
                "campaign_id": session["campaign_id"], "live_session_id": session["live_session_id"],
            }  # fmt: skip


def make(accounts: list[Account]) -> dict[str, str]:
    """Path under landing and text of each file."""
    world = look_around(accounts)
    agreements = make_agreements(world)
    sessions = session_rows(world)
    by_code, live = list(order_rows(agreements)), list(live_orders(sessions))
    orders = sorted([*by_code, *live], key=lambda row: (str(row["ordered_at"]), str(row["order_id"])))
    rows: dict[str, list[Row]] = {
        "customer_accounts": with_defects(list(customer_rows(world))),
        "mentions": list(mention_rows(world)),
        "live_sessions": sessions,
        "contest_entries": list(contest_rows(world)),
        "campaigns": list(campaign_rows()),
        "collaborations": list(collaboration_rows(agreements)),
        "collaboration_posts": [
            {"collaboration_id": one.collaboration_id, "platform": one.account.platform, "post_id": post.post_id}
            for one in agreements
            for post in one.posts
        ],
        "costs": list(cost_rows(agreements)),
        "touches": [*link_touches(agreements, by_code), *live_touches(sessions, live)],
        "orders": orders,
        "refunds": list(refund_rows(orders)),
    }
    return files_of(HEADERS, rows, DELIVERED)


if __name__ == "__main__":
    write(make(make_accounts(read_channels())))
