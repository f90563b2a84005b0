"""Worlds to evaluate trust on: real and simulated curves, purchases put into copies of them, and honest events.

A curve is one account: arrays over days of followers, views_total, following, NaN where nothing was captured. A copy
keeps its original's days; what is bought adds followers and no views. Everything is drawn from a seeded generator, so
the same set gives the same worlds.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

CURVES = Path(__file__).parent / "curves" / "youtube_daily_2023.parquet"
# Accounts that the sample world shows, as everybody sees: they neither choose nor evaluate.
SHOWN = CURVES.parents[3] / "sample" / "world" / "landing" / "account_snapshots" / "youtube_curves_2023-10-31.csv.gz"
FIRST_DAY = date(2023, 4, 1)
# Days before it choose thresholds, days from it on are what the table is made of.
SPLIT_DAY = date(2023, 7, 16)
LAST_DAY = date(2023, 10, 31)
# Under the floor of the smallest tier there is no verdict, so nothing to measure.
MIN_FOLLOWERS = 1000
# An account must have been watched so many days before a purchase, and is watched so many after it.
DAYS_BEFORE, DAYS_AFTER = 42, 45
# Longest history of a verdict that a curve needs: 30 days of growth before a window of 31.
HISTORY_DAYS = 61
# Copies of each change and kind of curve.
COPIES = 40

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One account.

    Args:
        start: first day of what was done to it, as an index of its arrays; -1 for nothing.
        gain: the most followers that it was given at once, NaN for nothing.
    """

    account_id: str
    followers: Array
    views: Array
    following: Array
    scenario: str = "untouched"
    size: str = ""
    start: int = -1
    end: int = -1
    gain: float = float("nan")


@dataclass(frozen=True)
class World:
    """Accounts that are each other's peers, on days of their own.

    Args:
        posts: one row per post and capture: account_id, post_id, at (day), published (day), likes, comments, views.
    """

    name: str
    platform: str
    first_day: date
    curves: list[Curve] = field(default_factory=list)
    posts: pd.DataFrame | None = None


@dataclass(frozen=True)
class Sample:
    """Which accounts and days: `choosing` or `evaluating`. Nothing of the one is in the other."""

    name: str
    seed: int

    def holds(self, account_id: str) -> bool:
        """Half of the accounts, by the first digit of the md5 of their id."""
        low = hashlib.md5(account_id.encode(), usedforsecurity=False).hexdigest()[0] < "8"
        return low == (self.name == "choosing")

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of the curves that are shown; before the days that are evaluated lies history alone."""
        if self.name == "choosing":
            return FIRST_DAY, SPLIT_DAY - timedelta(days=1)
        return SPLIT_DAY - timedelta(days=HISTORY_DAYS), LAST_DAY

    @property
    def evaluated_from(self) -> date:
        """First day on which a verdict counts."""
        return FIRST_DAY if self.name == "choosing" else SPLIT_DAY


CHOOSING = Sample("choosing", 1)
EVALUATING = Sample("evaluating", 2)


def rounded(followers: Array) -> Array:
    """Floored to three significant digits, as YouTube shows subscribers: 1,234,567 is 1,230,000."""
    known = np.where(np.isnan(followers), 0, np.maximum(followers, 0))
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(known, 1))) - 2, 0)
    return np.where(np.isnan(followers), np.nan, np.floor(known / step) * step)


def real_curves(sample: Sample) -> list[Curve]:
    """The bundled curves of a sample without those of the sample world; a count of 0 is a capture that failed."""
    first, last = sample.days
    rows = duckdb.execute(
        "select account_id, day - $first as at, nullif(subscribers, 0), nullif(views, 0)"
        " from read_parquet($file) where day between $first and $last"
        " and account_id not in (select account_id from read_csv($shown)) order by all",
        {"file": str(CURVES), "shown": str(SHOWN), "first": first, "last": last},
    ).fetchall()
    length = (last - first).days + 1
    curves: dict[str, Curve] = {}
    for account_id, at, followers, views in rows:
        if not sample.holds(account_id):
            continue
        if account_id not in curves:
            unknown = np.full(length, np.nan)
            curves[account_id] = Curve(account_id, unknown, unknown.copy(), unknown.copy())
        curves[account_id].followers[at] = np.nan if followers is None else followers
        curves[account_id].views[at] = np.nan if views is None else views
    return list(curves.values())


def simulated_curves(random: np.random.Generator, days: int, accounts: int = 300) -> list[Curve]:
    """Followers are won from views at a rate of the account's own, and a few leave every day.

    Sizes 1,000 to 3M; views a day around a tenth of the followers; one view in fifty wins a follower, as in the middle
    of the real curves (0.029 per view, 2023-04..07), scaled so that most accounts grow by under 1 % a day. What has no
    cause is a walk of 0.06 times the root of the followers a day, each day like the one before by a half.
    """
    curves = []
    for number in range(accounts):
        size = 10 ** random.uniform(3.1, 6.5)
        interest = 0.1 * np.exp(random.normal(0, 0.8))
        won = 0.02 * np.exp(random.normal(0, 0.7)) * min(1.0, 0.1 / interest)
        leave = random.uniform(0.0001, 0.0008)
        daily = interest * np.exp(random.normal(0, 0.35, days)) * np.where(random.random(days) < 0.15, 2.5, 1.0)
        followers, views = np.empty(days), np.empty(days)
        have, seen, drift = size, size * interest * 300, 0.0
        for day in range(days):
            new_views = have * daily[day]
            drift = 0.5 * drift + random.normal(0, 0.06 * np.sqrt(have))
            have += random.poisson(new_views * won) - random.poisson(have * leave) + drift
            seen += new_views
            followers[day], views[day] = round(have), round(seen)
        following = np.round(random.uniform(50, 1500) + np.cumsum(random.poisson(0.5, days)))
        curves.append(Curve(f"s{number:04d}", followers, views, following))
    return curves


# --- what is done to a copy -----------------------------------------------------------------------------------------

Change = Callable[[Curve, int, np.random.Generator], Curve]


def _bought(curve: Curve, start: int, end: int, extra: Array) -> Curve:
    """Followers more, from `start`; views stay as they are."""
    followers = curve.followers.copy()
    extra = extra[: len(followers) - start]
    followers[start:] += extra
    followers = np.where(followers < 0, 0, np.round(followers))
    return replace(curve, followers=followers, start=start, end=end, gain=float(extra.max()))


def burst(share: float, days: int | None = None) -> Change:
    """A share of the followers bought, delivered evenly in so many days; in 1 to 3 where none are named."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        takes = days or int(random.integers(1, 4))
        extra = share * curve.followers[start - 1] * np.minimum((np.arange(len(curve.followers)) + 1) / takes, 1)
        return _bought(curve, start, start + takes - 1, extra)

    return change


def real_order(curve: Curve, start: int, random: np.random.Generator) -> Curve:
    """A purchase of a size that is really bought (ICSE 2026, bought stars): a third under 10 %, a quarter over 80 %."""
    share = float(np.interp(random.random(), [0, 0.35, 0.52, 0.73, 1], [0.02, 0.1, 0.3, 0.8, 2]))
    return burst(share, int(random.integers(1, 29)))(curve, start, random)


def repeats(share: float, times: int, every: int) -> Change:
    """The same order again and again, each delivered in a day."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        orders = np.minimum(np.arange(len(curve.followers)) // every + 1, times)
        return _bought(curve, start, start + every * times, share * curve.followers[start - 1] * orders)

    return change


def with_views(bought: Change, per_follower: float) -> Change:
    """A purchase with so many bought views for each follower."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        copy = bought(curve, start, random)
        extra = np.nan_to_num(copy.followers - curve.followers)
        return replace(copy, views=curve.views + np.round(per_follower * np.maximum.accumulate(extra)))

    return change


def after_attention(bought: Change, days: int) -> Change:
    """A purchase so many days after a post that went viral."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        viral = attention(0.2, (0.01, 0.03), 7)(curve, start - days, random)
        return bought(viral, start, random)

    return change


def burst_and_loss(share: float, lost: float) -> Change:
    """A burst of which a part is gone within 14 days, a little each day."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        days, takes = int(random.integers(1, 4)), int(random.integers(4, 11))
        at = np.arange(len(curve.followers))
        gone = lost * np.clip((at - days - 2) / takes, 0, 1)
        extra = share * curve.followers[start - 1] * np.minimum((at + 1) / days, 1) * (1 - gone)
        return _bought(curve, start, start + 14, extra)

    return change


def drip(rate: float, days: int | None = None, noise: float = 0.0, weekdays: bool = False) -> Change:
    """So much of the followers a day, for 30 to 60 days where none are named, each within a tenth of the order.

    Args:
        noise: standard deviation of the logarithm of a day's delivery, in place of the tenth.
        weekdays: nothing on two days of seven.
    """

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        takes = days or int(random.integers(30, 61))
        length = len(curve.followers)
        scatter = np.exp(random.normal(0, noise, length)) if noise else random.uniform(0.9, 1.1, length)
        daily = rate * curve.followers[start - 1] * scatter
        if weekdays:
            daily[np.arange(length) % 7 >= 5] = 0
        daily[takes:] = 0
        return _bought(curve, start, start + takes - 1, np.cumsum(daily))

    return change


def sawtooth(height: float) -> Change:
    """Follow and unfollow for 42 days: up by a share within days, most of it lost again, and so on."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        period = int(random.integers(6, 13))
        at = np.arange(len(curve.followers))
        phase = (at % period) / period
        teeth = np.where(phase < 0.5, phase * 2, 2 - phase * 2) * height
        extra = curve.followers[start - 1] * np.where(at < 42, teeth, 0)
        copy = _bought(curve, start, start + 41, extra)
        following = copy.following.copy()
        following[start:] += np.round(extra[: len(following) - start] * 3)
        return replace(copy, following=following)

    return change


def attention(share: float, conversions: tuple[float, float], days: int) -> Change:
    """Honest: views come, and so many followers per view with them, dying away over days."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        low, high = np.log(conversions)
        per_view = np.exp(random.uniform(low, high))
        arrived = 1 - 0.5 ** (np.arange(len(curve.followers)) + 1)
        copy = _bought(curve, start, start + days, share * curve.followers[start - 1] * arrived)
        views = copy.views.copy()
        views[start:] += np.round(share * curve.followers[start - 1] / per_view * arrived[: len(views) - start])
        return replace(copy, views=views)

    return change


def ratios_of_weeks(sample: Sample = CHOOSING) -> Array:
    """Followers per view of a week over those of the 28 days before, in weeks with a gain of a sample's real curves."""
    found = []
    for curve in real_curves(sample):
        for end in range(35, len(curve.followers), 7):
            counts = [curve.followers[at] for at in (end - 35, end - 7, end)]
            views = [curve.views[at] for at in (end - 35, end - 7, end)]
            before, week = np.diff(counts)
            if week > 0 and before > 0 and min(np.diff(views)) > 0:
                found.append((week / (views[2] - views[1])) / (before / (views[1] - views[0])))
    return np.sort(np.array(found))


def own_attention(share: float, days: int, quantiles: tuple[float, float] = (0.0, 1.0)) -> Change:
    """Honest: attention that converts as the account's own did in 28 days before, times what real weeks vary by.

    Args:
        quantiles: of the ratios of real weeks of the choosing half, between which this one's lies.
    """
    ratios = ratios_of_weeks()

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        followers, views = (counts[start - 29 : start] for counts in (curve.followers, curve.views))
        step = 10.0 ** max(np.floor(np.log10(curve.followers[start - 1])) - 2, 0)
        own = (np.nanmax(followers) - np.nanmin(followers) + step) / max(np.nanmax(views) - np.nanmin(views), 1)
        per_view = min(own * float(np.quantile(ratios, random.uniform(*quantiles))), 1.0)
        return attention(share, (per_view, per_view), days)(curve, start, random)

    return change


def purge(share: float) -> Change:
    """Honest: the platform takes a share of this account's followers away."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        lost = -share * curve.followers[start - 1] * np.ones(len(curve.followers))
        return _bought(curve, start, start, lost)

    return change


def steady_growth(rate: float) -> Change:
    """Honest: a creator who grows by so much every day, and whose views grow with the followers."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        days = np.maximum(np.arange(len(curve.followers)) - start + 1, 0)
        pace = rate * np.exp(random.normal(0, 0.6, len(days))) * (days > 0)
        grown = curve.followers * np.exp(np.cumsum(pace))
        gained = np.nan_to_num(np.diff(grown, prepend=grown[0]))
        extra = np.cumsum(np.maximum(gained, 0) * (days > 0)) / np.exp(random.uniform(np.log(0.01), np.log(0.1)))
        return replace(
            curve, followers=np.round(grown), views=np.round(curve.views + extra), start=start, end=start + 60
        )

    return change


def absence(days: int) -> Change:
    """Honest: nobody captured the account for a while, and it grew by a fifth meanwhile."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        followers, views = curve.followers.copy(), curve.views.copy()
        followers[start + days :] = np.round(followers[start + days :] * 1.2)
        followers[start : start + days], views[start : start + days] = np.nan, np.nan
        return replace(curve, followers=followers, views=views, start=start, end=start + days)

    return change


def debut(curve: Curve, start: int, random: np.random.Generator) -> Curve:
    """Honest: a new account, seen from its first day; followers come with views, fast and less so every day."""
    days = np.maximum(np.arange(len(curve.followers)) - start, 0)
    gone = np.arange(len(curve.followers)) < start
    share = 1 - np.exp(-days / 15.0)
    followers = np.round(curve.followers * (0.02 + 0.98 * share))
    views = np.round(followers / np.exp(random.uniform(np.log(0.01), np.log(0.1))) + 10)
    return replace(
        curve,
        followers=np.where(gone, np.nan, followers),
        views=np.where(gone, np.nan, views),
        start=start,
        end=start + 60,
    )


ATTACKS: dict[tuple[str, str], Change] = {
    ("burst", "5 %"): burst(0.05),
    ("burst", "10 %"): burst(0.1),
    ("burst", "20 %"): burst(0.2),
    ("burst", "30 %"): burst(0.3),
    ("burst", "50 %"): burst(0.5),
    ("burst", "100 %"): burst(1.0),
    ("order of a real size", "1 to 28 days"): real_order,
    ("slow burst", "30 % in 10 days"): burst(0.3, 10),
    ("slow burst", "30 % in 14 days"): burst(0.3, 14),
    ("repeats", "4 of 8 %"): repeats(0.08, 4, 14),
    ("repeats", "6 of 5 %"): repeats(0.05, 6, 9),
    ("bought views", "30 %, 8 each"): with_views(burst(0.3), 8),
    ("bought views", "80 %, 8 each"): with_views(burst(0.8), 8),
    ("burst after a viral post", "30 %"): after_attention(burst(0.3), 12),
    ("burst and loss", "20 %, 30 % lost"): burst_and_loss(0.2, 0.3),
    ("burst and loss", "20 %, 60 % lost"): burst_and_loss(0.2, 0.6),
    ("burst and loss", "20 %, 90 % lost"): burst_and_loss(0.2, 0.9),
    ("burst and loss", "100 %, 60 % lost"): burst_and_loss(1.0, 0.6),
    ("drip", "0.5 % a day, 90 days"): drip(0.005, 90),
    ("drip", "1 % a day"): drip(0.01),
    ("drip", "2 % a day"): drip(0.02),
    ("drip", "3 % a day"): drip(0.03),
    ("uneven drip", "1 % a day, weekdays"): drip(0.01, weekdays=True),
    ("uneven drip", "1 % a day, by a factor of 2"): drip(0.01, noise=0.8),
    ("sawtooth", "4 % high"): sawtooth(0.04),
    ("sawtooth", "10 % high"): sawtooth(0.1),
}
# What is tried where an account is seen more seldom, or without views.
SELDOM = [
    ("burst", "10 %"),
    ("burst", "30 %"),
    ("burst", "100 %"),
    ("drip", "1 % a day"),
    ("burst and loss", "100 %, 60 % lost"),
]
# Followers per view: real days with a rise lie between 0.007 (one in ten) and 0.19 (nine in ten), middle 0.029.
HONEST: dict[tuple[str, str], Change] = {
    ("viral post", "20 %"): attention(0.2, (0.007, 0.19), 7),
    ("viral post", "100 %"): attention(1.0, (0.007, 0.19), 7),
    ("viral post", "30 %, at its own rate"): own_attention(0.3, 7),
    ("viral post", "80 %, at its own rate"): own_attention(0.8, 7),
    ("giveaway", "30 %"): own_attention(0.3, 5, (0.5, 1.0)),
    ("purge", "15 %"): purge(0.15),
    ("collab shout-out", "15 %"): attention(0.15, (0.03, 0.25), 4),
    ("steady fast grower", "1 % a day"): steady_growth(0.01),
    ("steady fast grower", "2 % a day"): steady_growth(0.02),
    ("re-capture after a gap", "20 days, 20 %"): absence(20),
    ("new account", "from its first day"): debut,
}


def misread(*factors: float) -> Change:
    """Honest: for so many days in a row the count was captured wrong, by these factors; views are right."""

    def change(curve: Curve, start: int, random: np.random.Generator) -> Curve:
        followers = curve.followers.copy()
        # Whoever was not captured on a day is misread on the next.
        days = np.flatnonzero(~np.isnan(followers[start:]))[: len(factors)] + start
        followers[days] = np.floor(followers[days] * np.array(factors[: len(days)]))
        return replace(curve, followers=followers, start=start, end=int(days[-1]))

    return change


# What a capture gets wrong: a digit, a unit, everything, another account's count, or two sources that disagree.
MISREADS: dict[tuple[str, str], Change] = {
    ("misread", "a digit lost"): misread(0.1),
    ("misread", "a unit lost"): misread(0.001),
    ("misread", "0"): misread(0),
    ("misread", "a neighbour's count, 40 % more"): misread(1.4),
    ("misread", "a neighbour's count, 60 % less"): misread(0.4),
    ("misread", "30 % more for two days"): misread(1.3, 1.3),
    ("misread", "20 % more, by turns for 20 days"): misread(*[1.2, 1] * 10),
}


def with_gaps(curve: Curve, random: np.random.Generator) -> Curve:
    """One day in eight was not captured, and once a stretch of three days."""
    lost = random.random(len(curve.followers)) < 0.125
    stretch = int(random.integers(0, len(lost) - 3))
    lost[stretch : stretch + 3] = True
    followers, views, following = (
        np.where(lost, np.nan, counts) for counts in (curve.followers, curve.views, curve.following)
    )
    return replace(curve, followers=followers, views=views, following=following)


def seen_every(curve: Curve, days: int, first: int) -> Curve:
    """Captured on one of so many days alone."""
    lost = (np.arange(len(curve.followers)) - first) % days != 0
    followers, views, following = (
        np.where(lost, np.nan, counts) for counts in (curve.followers, curve.views, curve.following)
    )
    return replace(curve, followers=followers, views=views, following=following)


def copies(
    body: list[Curve], changes: dict[tuple[str, str], Change], sample: Sample, random: np.random.Generator, number: int
) -> list[Curve]:
    """Changed copies of accounts that were watched long enough before and after, so many of each change."""
    earliest = max((sample.evaluated_from - sample.days[0]).days, DAYS_BEFORE)
    latest = len(body[0].followers) - DAYS_AFTER
    fit = []
    for curve in body:
        known = ~np.isnan(curve.followers)
        starts = [
            at
            for at in range(earliest, latest + 1)
            if known[at - DAYS_BEFORE : at].sum() >= DAYS_BEFORE - 7
            and known[at : at + DAYS_AFTER].sum() >= DAYS_AFTER - 7
            and known[at - 1]
            and curve.followers[at - 1] >= MIN_FOLLOWERS * 1.05
        ]
        if starts:
            fit.append((curve, starts))
    made = []
    for (scenario, size), change in changes.items():
        for copy_number in range(number):
            curve, starts = fit[int(random.integers(len(fit)))]
            copy = change(curve, int(random.choice(starts)), random)
            name = f"{curve.account_id}/{scenario}/{size}/{copy_number}".replace(" ", "_")
            made.append(replace(copy, account_id=name, scenario=scenario, size=size))
    return made


def chosen(changes: dict[tuple[str, str], Change], scenarios: frozenset[str] | None) -> dict[tuple[str, str], Change]:
    """The changes of these scenarios; all where none are named."""
    return {key: change for key, change in changes.items() if scenarios is None or key[0] in scenarios}


# What is tried where posts are all that speaks. Bought followers like nothing; a cause is a post of its own.
BESIDE_POSTS: dict[tuple[str, str], Change] = {
    ("burst", "20 %"): burst(0.2),
    ("burst", "30 %"): burst(0.3),
    ("burst", "50 %"): burst(0.5),
    ("burst", "100 %"): burst(1.0),
    ("slow burst", "30 % in 14 days"): burst(0.3, 14),
    ("drip", "1 % a day"): drip(0.01),
    ("viral post", "30 %, a post of 3 to 10 times the usual"): attention(0.3, (0.007, 0.19), 7),
    ("viral post", "80 %, a post of 3 to 10 times the usual"): attention(0.8, (0.007, 0.19), 7),
    ("giveaway", "30 %, a post of 1.5 to 4 times the usual"): attention(0.3, (0.03, 0.25), 5),
    ("steady fast grower", "1 % a day"): steady_growth(0.01),
    ("steady fast grower", "2 % a day"): steady_growth(0.02),
}
FOUND_BY_CAUSE = {"viral post": (3.0, 10.0), "giveaway": (1.5, 4.0)}


def beside_posts(
    sample: Sample, first_day: date, scenarios: frozenset[str] | None = None, number: int = COPIES
) -> World:
    """Simulated accounts without views, with posts every third day; who is attended to has one more that found people.

    A post is seen and liked by a share of who followed before anything was bought.
    """
    random = np.random.default_rng(sample.seed + 300)
    body = simulated_curves(random, (sample.days[1] - sample.days[0]).days + 1, accounts=120)
    own = {curve.account_id: curve for curve in body}
    curves = [*body, *copies(body, chosen(BESIDE_POSTS, scenarios), sample, random, (number + 1) // 2)]
    frames = []
    for curve in curves:
        is_bought = (curve.scenario, curve.size) in ATTACKS
        followers = own[curve.account_id.split("/")[0]].followers if is_bought else curve.followers
        low, high = np.log(FOUND_BY_CAUSE.get(curve.scenario, (1.0, 1.0)))
        times = float(np.exp(random.uniform(low, high)))
        # A cause is published the day before its followers come.
        cause = (curve.start - 1, times) if curve.scenario in FOUND_BY_CAUSE else None
        frames.append(posts_beside(curve.account_id, followers, random, cause=cause))
    unseen = [replace(curve, views=np.full(len(curve.views), np.nan)) for curve in curves]
    return World("simulated, posts without views", "instagram", first_day, unseen, pd.concat(frames))


def posts_beside(
    account_id: str,
    followers: Array,
    random: np.random.Generator,
    last: int | None = None,
    cause: tuple[int, float] | None = None,
    spread: float = 0.45,
) -> pd.DataFrame:
    """Posts of an account without views, one every third day, each captured every third day for 40 days.

    Args:
        last: day on which the last one is published; the last day of the followers where it is None.
        cause: day and size, beside the usual, of one post more.
        spread: standard deviation of the logarithm of what a post finds.
    """
    rate = 0.012 * np.exp(random.normal(0, 0.6))
    said = 0.02 * np.exp(random.normal(0, 0.5))
    posts = [(day, 1.0, "") for day in range(0, len(followers) if last is None else last + 1, 3)]
    posts += [(*cause, "-cause")] if cause else []
    rows = []
    for published, times, ends in posts:
        likes = followers[published] * rate * times * np.exp(random.normal(0, spread if times == 1 else 0))
        comments = likes * said * np.exp(random.normal(0, spread))
        for at in range(published, min(published + 40, len(followers)), 3):
            grown = 1 - np.exp(-(at - published + 0.5) / 2)
            name = f"{account_id}-{published}{ends}"
            rows.append((account_id, name, at, published, round(likes * grown), round(comments * grown), np.nan))
    return pd.DataFrame(rows, columns=["account_id", "post_id", "at", "published", "likes", "comments", "views"])


def worlds(sample: Sample, scenarios: frozenset[str] | None = None, number: int = COPIES) -> list[World]:
    """Every kind of curve, with and without rounding and gaps, and one world in which everybody is hit at once.

    A world has days of its own, so that no world's accounts are another's peers.

    Args:
        scenarios: names of those that copies are made of; all where it is None.
        number: copies of each change and kind of curve; half as many of misreads, and of accounts seen otherwise.
    """
    random, of_misreads = np.random.default_rng(sample.seed), np.random.default_rng(sample.seed + 200)
    length = (sample.days[1] - sample.days[0]).days + 1
    real, simulated = real_curves(sample), simulated_curves(random, length)
    made: list[World] = []

    def add(name: str, platform: str, curves: list[Curve]) -> None:
        made.append(World(name, platform, FIRST_DAY + timedelta(days=400 * len(made)), curves))

    for gaps in ("", ", gaps"):
        for name, platform, body in (
            ("real, rounded", "youtube", real),
            ("simulated, exact", "tiktok", simulated),
            ("simulated, rounded", "youtube", simulated),
        ):
            curves = [*body, *copies(body, chosen(ATTACKS | HONEST, scenarios), sample, random, number)]
            misread_copies = copies(body, chosen(MISREADS, scenarios), sample, of_misreads, (number + 1) // 2)
            if gaps:
                curves = [with_gaps(curve, random) for curve in curves]
                misread_copies = [with_gaps(curve, of_misreads) for curve in misread_copies]
            curves += misread_copies
            if platform == "youtube":
                curves = [replace(curve, followers=rounded(curve.followers)) for curve in curves]
            if name == "real, rounded":
                curves = [replace(curve, following=np.full(length, np.nan)) for curve in curves]
            add(name + gaps, platform, curves)
    seldom = {key: ATTACKS[key] for key in SELDOM} | HONEST
    bought = [*real, *copies(real, chosen(seldom, scenarios), sample, random, (number + 1) // 2)]
    shown = [replace(curve, followers=rounded(curve.followers)) for curve in bought]
    for name, every in (("weekly", 7), ("every third day", 3)):
        add(
            f"real, rounded, {name}",
            "youtube",
            [seen_every(curve, every, place % every) for place, curve in enumerate(shown)],
        )
    add("real, rounded, no views", "youtube", [replace(curve, views=np.full(length, np.nan)) for curve in shown])
    add("real, purge and outage", "youtube", [_hit(curve, sample, random) for curve in real])
    return [*made, beside_posts(sample, FIRST_DAY + timedelta(days=400 * len(made)), scenarios, number)]


def _hit(curve: Curve, sample: Sample, random: np.random.Generator) -> Curve:
    """A purge takes 1 to 5 % of everybody on one day; on another nearly nobody's counts could be read."""
    first = max((sample.evaluated_from - sample.days[0]).days, DAYS_BEFORE)
    followers, views = curve.followers.copy(), curve.views.copy()
    followers[first + 10 :] *= 1 - random.uniform(0.01, 0.05)
    if random.random() < 0.9:
        followers[first + 30 : first + 33], views[first + 30 : first + 33] = np.nan, np.nan
    return replace(
        curve, followers=rounded(followers), views=views, scenario="purge and outage", start=first, end=first
    )


# --- posts ----------------------------------------------------------------------------------------------------------

POST_DAYS = 110
POST_ACCOUNTS = 240
# Likes of each post times so much; views and comments stay.
LIKE_ATTACKS: dict[tuple[str, str], dict[str, float]] = {
    ("bought likes", "3 times the likes"): {"likes": 3.0},
    ("bought likes", "6 times the likes"): {"likes": 6.0},
}
LIKE_HONEST: dict[tuple[str, str], dict[str, float]] = {
    ("viral posts", "10 times the views"): {"views": 10.0, "likes": 8.0, "comments": 6.0},
    ("giveaway posts", "5 times the comments"): {"likes": 1.5, "comments": 5.0},
}
# An honest event lasts for so many days of posts, bought likes go on.
EVENT_DAYS = 10


def post_worlds(sample: Sample) -> list[World]:
    """Simulated accounts with posts, with and without gaps: no open series of posts with daily counts was found.

    A tenth to a whole of the followers see a post, one view in 25 likes, one like in 50 comments; accounts differ from
    each other by a factor of 1.5 (likes) and 1.65 (comments), posts of one account by 1.3 to 1.5.
    """
    random = np.random.default_rng(sample.seed + 100)
    made = []
    for number, gaps in enumerate((False, True)):
        curves, frames = [], []
        changes: list[tuple[tuple[str, str], dict[str, float]]] = [(("untouched", ""), {})] * POST_ACCOUNTS
        changes += [item for item in (LIKE_ATTACKS | LIKE_HONEST).items() for _ in range(COPIES)]
        for position, ((scenario, size), factors) in enumerate(changes):
            start = int(random.integers(45, 61)) if factors else -1
            end = -1 if start < 0 else start + (40 if scenario == "bought likes" else EVENT_DAYS)
            curve = Curve(
                f"p{position:04d}",
                np.round(10 ** random.uniform(3.1, 5.9) * np.exp(np.cumsum(random.normal(0.0005, 0.001, POST_DAYS)))),
                np.full(POST_DAYS, np.nan),
                np.full(POST_DAYS, np.nan),
                scenario, size, start, end,
            )  # fmt: skip
            curves.append(curve)
            frames.append(_posts_of(curve, factors, gaps, random))
        first_day = date(2035, 1, 1) + timedelta(days=400 * number)
        made.append(World("posts" + (", gaps" if gaps else ""), "instagram", first_day, curves, pd.concat(frames)))
    return made


def _posts_of(curve: Curve, factors: dict[str, float], gaps: bool, random: np.random.Generator) -> pd.DataFrame:
    seen = 0.3 * np.exp(random.normal(0, 0.5))
    liked, said = 0.04 * np.exp(random.normal(0, 0.4)), 0.02 * np.exp(random.normal(0, 0.5))
    rows = []
    for published in range(0, POST_DAYS, 3):
        views = curve.followers[published] * seen * np.exp(random.normal(0, 0.4))
        likes = views * liked * np.exp(random.normal(0, 0.25))
        comments = likes * said * np.exp(random.normal(0, 0.4))
        # Likes are ordered for the latest posts as well; attention comes to what is published while it lasts.
        reaches_back = 12 if curve.scenario == "bought likes" else 0
        is_changed = curve.start >= 0 and curve.start - reaches_back <= published <= curve.end
        for at in range(published, min(published + 40, POST_DAYS), 3):
            if gaps and random.random() < 0.125:
                continue
            grown = 1 - np.exp(-(at - published + 0.5) / 2)
            now = {"views": views * grown, "likes": likes * grown, "comments": comments * grown}
            if is_changed and at >= curve.start:
                now = {name: value * factors.get(name, 1.0) for name, value in now.items()}
            rows.append((curve.account_id, f"{curve.account_id}-{published}", at, published,
                         *(round(now[name]) for name in ("likes", "comments", "views"))))  # fmt: skip
    return pd.DataFrame(rows, columns=["account_id", "post_id", "at", "published", "likes", "comments", "views"])
