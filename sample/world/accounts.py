"""Accounts of the sample world: real YouTube curves, and simulated creators whose followers come from views.

A simulated account wins followers from views at a rate of its own, and a few leave every day. What is bought adds
followers and no views; what is honest and looks like it has views, or a post, behind it. Every draw is a hash of its
name, as in `sample.simulate`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

from sample.simulate import FIRST_NAMES, NICHES, TOPICS, Row, draw, pick, spread

CURVES = Path(__file__).parents[2] / "bench" / "trust" / "curves" / "youtube_daily_2023.parquet"
DAYS = 120
LAST_DAY = date(2023, 10, 31)
FIRST_DAY = LAST_DAY - timedelta(days=DAYS - 1)
# A curve may miss so many of the days, and has 1,000 subscribers and more on its first one.
MOST_DAYS_MISSING, FEWEST_FOLLOWERS = 2, 1_000
# So many of the curves that are left, the first ones in the order of a hash of their ids.
MOST_CURVES = 200
# Curves that move further within 3 days are left out: nobody knows why they did, and it would be real channels on whom
# a sample passes a verdict. 25 of 277.
WIDEST_MOVE = 0.04

# Lowest and highest followers on the first day, by tier of the default scheme.
BOUNDS = {"nano": (1_400, 7_800), "micro": (11_500, 70_000), "macro": (120_000, 620_000), "mega": (1.4e6, 4e6)}
# How many simulated accounts: a benchmark cell needs 30.
ACCOUNTS = {
    "instagram": {"nano": 44, "micro": 38, "macro": 31, "mega": 3},
    "tiktok": {"nano": 40, "micro": 36, "macro": 14, "mega": 2},
    "youtube": {"nano": 33, "micro": 32, "macro": 8, "mega": 1},
    "bluesky": {"nano": 34, "micro": 12, "macro": 1, "mega": 0},
}
LETTERS = {"instagram": "ig", "tiktok": "tt", "youtube": "yt", "bluesky": "bs"}
HOURS = {"youtube": 17, "instagram": 18, "tiktok": 19, "bluesky": 20}
# Niche, and the places of the people: country, city, language.
PLACES = (
    ("US", "Austin", "en"), ("US", "Chicago", "en"), ("GB", "Leeds", "en"), ("DE", "Hamburg", "de"),
    ("JP", "Osaka", "ja"),
)  # fmt: skip

# One day on which the TikTok counts of nearly half of the accounts are not captured.
OUTAGE_DAY, OUTAGE_SHARE = date(2023, 8, 29), 0.45
# The counts of a day on Bluesky that come a week late, in a file of their own.
LATE_DAY, DELIVERED_LATE = date(2023, 9, 18), date(2023, 9, 25)


def near(width: float, *name: object) -> float:
    """A factor around 1 that is never far from it: what nobody planted stands out by nothing."""
    return math.exp(2 * width * (draw("world", *name) - 0.5))


@dataclass(frozen=True)
class Event:
    """What happens to an account from a day on, 0 being the first. `size` is a share of its followers."""

    kind: str
    day: int
    size: float
    days: int = 1
    lost: float = 0.0

    @property
    def last_day(self) -> int:
        return {"burst and loss": self.day + self.days + 9, "giveaway": self.day + self.days + 9}.get(
            self.kind, self.day + self.days - 1
        )


# Platform, tier, followers on the first day, what happens, whether it is bought, and in words.
PLANTED: tuple[tuple[str, str, int, Event, bool, str], ...] = (
    ("youtube", "micro", 46_000, Event("burst", 52, 0.45, 2), True, "followers bought, 45 % within 2 days"),
    ("youtube", "nano", 7_200, Event("burst and loss", 70, 1.0, 2, 0.6), True,
     "followers bought, 100 % within 2 days; 60 % of them leave again"),
    ("youtube", "micro", 23_000, Event("drip", 64, 0.02, 40), True, "followers bought, 2 % a day for 40 days"),
    ("youtube", "macro", 240_000, Event("burst", 94, 0.35, 3), True, "followers bought, 35 % within 3 days"),
    ("instagram", "nano", 6_400, Event("sawtooth", 60, 0.12, 42), True, "follow and unfollow, 12 % up and down"),
    ("instagram", "micro", 31_000, Event("burst and loss", 81, 0.4, 2, 0.5), True,
     "followers bought, 40 % within 2 days; half of them leave again"),
    ("instagram", "macro", 160_000, Event("burst", 57, 0.3, 2), True, "followers bought, 30 % within 2 days"),
    ("instagram", "micro", 19_000, Event("bought comments", 40, 14, 80), True, "comments bought, 14 times as many"),
    ("tiktok", "macro", 210_000, Event("burst", 76, 50_000 / 210_000, 1), True, "an order of about 50,000 followers"),
    ("tiktok", "micro", 38_000, Event("bought likes", 66, 5, 54), True, "likes bought, 5 times as many"),
    ("bluesky", "nano", 2_900, Event("burst", 88, 1.5, 3), True, "followers bought, 150 % within 3 days"),
    ("youtube", "micro", 28_000, Event("viral post", 58, 0.8, 7), False,
     "a video goes viral: 80 % more followers, with the views that bring them"),
    ("tiktok", "micro", 44_000, Event("giveaway", 63, 0.3, 5, 0.06), False,
     "a giveaway: 30 % more followers with a post behind them, few leave again"),
    ("instagram", "micro", 52_000, Event("shout-out", 48, 0.16, 4), False,
     "a famous account names it: 16 % more followers with a post behind them"),
    ("youtube", "nano", 4_500, Event("steady growth", 20, 0.012, 100), False,
     "a steady fast grower: 1.2 % a day with the views that bring it"),
    ("instagram", "macro", 420_000, Event("misread", 84, 0.4, 1), False,
     "a count captured wrong: 40 % more for one day"),
)  # fmt: skip
# Followers per view of the honest ones: real days with a rise lie between 0.007 and 0.19.
FOLLOWERS_PER_VIEW = 0.08
# How many accounts whom a seesaw follows, per follower that it wins.
FOLLOWED_PER_FOLLOWER = 3


@dataclass(frozen=True)
class Account:
    """An account with a count for each day. `organic` followers are those who look at what it posts."""

    platform: str
    account_id: str
    number: int
    tier: str
    followers: tuple[int, ...]
    organic: tuple[float, ...]
    views: tuple[int, ...]
    following: tuple[int, ...]
    event: Event | None = None
    is_bought: bool = False
    planted: str = ""

    @cached_property
    def niche(self) -> str:
        """That of the person: half of the small ones are of beauty, so that one cell is large enough."""
        return "beauty" if draw("world", self.number, "half") < 0.35 else pick(NICHES, "world", self.number, "niche")

    @cached_property
    def name(self) -> str:
        return pick(FIRST_NAMES, "world", self.number, "name")

    @cached_property
    def topic(self) -> str:
        return pick(TOPICS[self.niche], "world", self.number, "topic")

    @property
    def handle(self) -> str:
        return f"{self.name.lower()}.{self.topic}{self.number}"

    @property
    def display_name(self) -> str:
        return f"{self.name} {self.topic}"

    @property
    def creator_id(self) -> str:
        """The person: accounts of one number on several platforms are one person's."""
        return f"sim-creator-{self.number:04d}"

    @property
    def place(self) -> tuple[str, str, str]:
        return PLACES[int(draw("world", self.number, "place") * len(PLACES))]

    def on(self, day: date) -> float:
        """Followers who look, on a day; before the first day as on it."""
        return self.organic[min(max((day - FIRST_DAY).days, 0), DAYS - 1)]


def make_accounts() -> list[Account]:
    """All simulated accounts, those in whom something is planted last."""
    accounts = []
    for platform, by_tier in ACCOUNTS.items():
        number = 0
        for tier, many in by_tier.items():
            low, high = BOUNDS[tier]
            for nth in range(many):
                number += 1
                size = low * (high / low) ** draw("world", platform, tier, nth, "followers")
                accounts.append(_account(platform, number, tier, size))
    for nth, (platform, tier, followers, event, is_bought, words) in enumerate(PLANTED, start=201):
        accounts.append(_account(platform, nth, tier, followers, event, is_bought, words))
    return accounts


def _account(
    platform: str, number: int, tier: str, size: float, event: Event | None = None, is_bought: bool = False,
    planted: str = "",
) -> Account:  # fmt: skip
    account_id = f"sim-{LETTERS[platform]}-{number:04d}"
    organic, views = _grown(account_id, size, event)
    following = [120 + 900 * draw("world", account_id, "following")] * DAYS
    for day in range(1, DAYS):
        following[day] = following[day - 1] + int(3 * draw("world", account_id, "follows", day))
    shown, following = _planted(organic, following, event)
    exact = [max(round(count), 0) for count in shown]
    return Account(
        platform, account_id, number, tier,
        tuple(_floored(count) if platform == "youtube" else count for count in exact),
        tuple(organic), tuple(views), tuple(round(count) for count in following), event, is_bought, planted,
    )  # fmt: skip


def _grown(account_id: str, size: float, event: Event | None) -> tuple[list[float], list[int]]:
    """Followers and views in all, of each day: views a day are about a tenth of the followers; some win a follower."""
    interest = 0.1 * spread(0.6, "world", account_id, "interest")
    won = 0.016 * spread(0.5, "world", account_id, "won") * min(1, 0.1 / interest)
    leave = 0.0001 + 0.0006 * draw("world", account_id, "leave")
    have, seen = size, size * interest * 300
    organic: list[float] = []
    views: list[int] = []
    for day in range(DAYS):
        busy = 2.2 if draw("world", account_id, day, "busy") < 0.12 else 1
        new_views = have * interest * busy * spread(0.3, "world", account_id, day, "views")
        extra = _honest(event, day, organic) if event and day >= event.day else 0
        have += new_views * won - have * leave + extra
        seen += new_views + max(extra, 0) / FOLLOWERS_PER_VIEW
        organic.append(have)
        views.append(round(seen))
    return organic, views


def _honest(event: Event, day: int, organic: list[float]) -> float:
    """Followers whom attention brings on a day: most of them at first, dying away; some of a giveaway leave again."""
    age = day - event.day
    if event.kind == "steady growth":
        return organic[-1] * event.size * (0.7 + 0.6 * draw("world", "steady", day))
    if event.kind in ("viral post", "giveaway", "shout-out"):
        base = organic[event.day - 1]
        leaves = event.size * event.lost * base / 10 if event.days <= age < event.days + 10 else 0
        return event.size * base * 0.5 ** (age + 1) - leaves
    return 0


def _planted(organic: list[float], following: list[float], event: Event | None) -> tuple[list[float], list[float]]:
    """What is shown: bought followers beside those who came, or a count captured wrong."""
    if event is None:
        return organic, following
    shown, followed = list(organic), list(following)
    base = organic[event.day - 1]
    for day in range(event.day, DAYS):
        age = day - event.day
        arrived = min((age + 1) / event.days, 1)
        if event.kind == "burst":
            shown[day] += event.size * base * arrived
        elif event.kind == "burst and loss":
            gone = event.lost * min(max((age - event.days - 1) / 8, 0), 1)
            shown[day] += event.size * base * arrived * (1 - gone)
        elif event.kind == "drip":
            even = 0.95 + 0.1 * draw("world", "drip", round(base), day)
            shown[day] += event.size * base * min(age + even, event.days)
        elif event.kind == "sawtooth" and age < event.days:
            phase = (age % 8) / 8
            tooth = event.size * base * (phase * 2 if phase < 0.5 else 2 - phase * 2)
            shown[day] += tooth
            followed[day] += tooth * FOLLOWED_PER_FOLLOWER
        elif event.kind == "misread" and age == 0:
            shown[day] *= 1 + event.size
    return shown, followed


def _floored(count: int) -> int:
    """Three significant digits, as YouTube shows subscribers."""
    step = int(10 ** max(len(str(count)) - 3, 0))
    return count // step * step


def is_out(account: Account, day: date) -> bool:
    """Whether an outage took the count of an account on a day."""
    of_outage = account.platform == "tiktok" and day == OUTAGE_DAY
    return of_outage and draw("world", account.account_id, "outage") < OUTAGE_SHARE


def snapshot_rows(accounts: list[Account], posts_of: dict[str, list[datetime]]) -> Iterator[Row]:
    """One row per simulated account and day.

    Args:
        posts_of: when each account's posts were published, in order.
    """
    for account in accounts:
        base_posts = round(40 + 400 * draw("world", account.account_id, "posts"))
        country, _, language = account.place
        published = posts_of.get(account.account_id, [])
        liked = 0.05 + 0.05 * draw("world", account.account_id, "liked")
        for nth in range(DAYS):
            day = FIRST_DAY + timedelta(days=nth)
            moment = datetime.combine(day, time(HOURS[account.platform], int(50 * draw("world", day, "minute"))))
            yield {
                "platform": account.platform,
                "account_id": account.account_id,
                "captured_at": f"{moment.isoformat()}Z",
                "followers": "" if is_out(account, day) else account.followers[nth],
                "following": account.following[nth] if account.platform != "youtube" else "",
                "posts": base_posts + sum(at <= moment for at in published),
                "likes_total": round(account.views[nth] * liked) if account.platform == "tiktok" else "",
                "views_total": account.views[nth] if account.platform == "youtube" else "",
                "handle": account.handle,
                "display_name": account.display_name,
                "country": country,
                "language": language,
                "niche": account.niche,
            }


def account_rows(accounts: list[Account]) -> Iterator[Row]:
    """One row per simulated account: who it is."""
    for account in accounts:
        country, city, language = account.place
        yield {
            "platform": account.platform, "account_id": account.account_id, "creator_id": account.creator_id,
            "handle": account.handle, "display_name": account.display_name, "niche": account.niche,
            "country": country, "city": city, "language": language, "updated_at": "2023-07-01T00:00:00Z",
        }  # fmt: skip


def curve_rows() -> list[Row]:
    """Real subscribers and views of channels that were captured on nearly all of the last 120 days, and never jumped.

    The publisher missed two days in between: what lies before them is moved a day later, so that no day is without a
    count. Ids and names are made up, the hour is not known and is noon; a count of 0 is one that was not captured.
    """
    import duckdb

    found = duckdb.execute(
        """
        with days as (
            select day, $days - row_number() over (order by day desc) as nth
            from (select distinct day from read_parquet($file) where day <= $last) qualify nth >= 0
        ),
        counts as (
            select
                account_id, nth, subscribers, views,
                abs(ln(nullif(subscribers, 0) / lag(nullif(subscribers, 0), 3) over account)) as move
            from read_parquet($file) inner join days using (day)
            window account as (partition by account_id order by nth)
        )
        select account_id, nth, subscribers, views from counts
        where account_id in (
            select account_id from counts group by account_id
            having count(*) filter (subscribers > 0 and views > 0) >= $days - $missing
                and arg_min(subscribers, nth) >= $fewest and max(move) <= $widest
            order by md5(account_id) limit $most
        )
        order by account_id, nth
        """,
        {
            "days": DAYS, "file": str(CURVES), "last": LAST_DAY, "missing": MOST_DAYS_MISSING,
            "fewest": FEWEST_FOLLOWERS, "widest": WIDEST_MOVE, "most": MOST_CURVES,
        },
    ).fetchall()  # fmt: skip
    return [
        {
            "account_id": account_id,
            "captured_at": f"{FIRST_DAY + timedelta(days=nth)}T12:00:00Z",
            "display_name": _name_of_channel(account_id),
            "subscribers": subscribers,
            "views": views,
        }
        for account_id, nth, subscribers, views in found
    ]


def _name_of_channel(account_id: str) -> str:
    """A made-up name, no two alike: the end of the made-up id is in it."""
    first, word = (
        pick(FIRST_NAMES, account_id, "channel"),
        pick(TOPICS["gaming"] + ("sings", "draws"), account_id, "does"),
    )
    return f"{first} {word} {account_id[-4:]}"
