"""Posts of the sample world: what simulated creators publish, agreed or not, and the counts that a crawler saw."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sample.simulate import BRANDS, Row, draw, pick, spread
from sample.world.accounts import DAYS, FIRST_DAY, HOURS, LAST_DAY, Account, near

# Posts are older than the first day, so that rates are known early on.
FIRST_POST = datetime.combine(FIRST_DAY - timedelta(days=40), time())
# A post is captured daily while it is young, then weekly until it is so old.
YOUNG_DAYS, OLDEST_DAYS = 2, 63

# Engagements per follower, views and reach, by tier: falling with size, in the published order of magnitude
# (Modash: 3.4-4.4 % of followers at 1-5K, about 1 % from 10K on; TikTok and YouTube higher).
ENGAGEMENT = {
    "instagram": {"nano": 0.036, "micro": 0.016, "macro": 0.011, "mega": 0.008},
    "tiktok": {"nano": 0.090, "micro": 0.065, "macro": 0.045, "mega": 0.030},
    "youtube": {"nano": 0.045, "micro": 0.032, "macro": 0.022, "mega": 0.014},
    "bluesky": {"nano": 0.020, "micro": 0.011, "macro": 0.007, "mega": 0.005},
}
VIEWS = {"nano": 0.85, "micro": 0.60, "macro": 0.42, "mega": 0.30}
REACH = {"nano": 0.38, "micro": 0.26, "macro": 0.17, "mega": 0.12}
CONTENT = {
    "instagram": ("image", "carousel", "reel"), "tiktok": ("video",), "youtube": ("video", "short"),
    "bluesky": ("text", "image"),
}  # fmt: skip
# What is written under posts that no brand asked for.
TOPIC_TAGS = {
    "beauty": ("skincareroutine", "glowup"), "food": ("homecooking", "mealprep"), "fitness": ("legday", "runclub"),
    "gaming": ("letsplay", "speedrun"), "travel": ("slowtravel", "weekendaway"),
}  # fmt: skip
# By how much the post behind an honest rise exceeds the account's usual.
NOTED = {"viral post": 9.0, "giveaway": 8.0, "shout-out": 7.0}


@dataclass(frozen=True)
class Post:
    """A post; `tags` are the hashtags that a brand asked for, or that a customer uses of her own accord."""

    post_id: str
    account: Account
    published: datetime
    tags: tuple[str, ...] = ()
    is_sponsored: bool = False

    @property
    def day(self) -> int:
        return (self.published.date() - FIRST_DAY).days

    @property
    def content_type(self) -> str:
        return pick(CONTENT[self.account.platform], self.post_id, "content")

    @property
    def brands(self) -> tuple[str, ...]:
        """Brands that its hashtags name."""
        return tuple(brand[0] for brand in BRANDS if {*brand[3].split("|")} & {*self.tags})


def own_posts(account: Account, fans: frozenset[str]) -> Iterator[Post]:
    """What an account publishes that nobody asked for; some name a brand, those of fans often the brand.

    Args:
        fans: accounts that speak for the brand without being paid for it.
    """
    moment = FIRST_POST + timedelta(days=7 * draw("world", account.account_id, "begin"))
    nth = 0
    end = datetime.combine(LAST_DAY, time(HOURS[account.platform]))
    while moment < end:
        nth += 1
        post_id = f"{account.account_id}-p{nth:02d}"
        tags: tuple[str, ...] = ()
        if account.account_id in fans and draw(post_id, "praises") < 0.4:
            tags = ("tidewell",)
        elif draw(post_id, "names") < 0.05:
            tags = (pick(tuple(brand[3].split("|")[0] for brand in BRANDS), post_id, "brand"),)
        yield Post(post_id, account, moment.replace(microsecond=0), tags)
        moment += timedelta(days=5.5 + 6 * draw("world", account.account_id, "pause", nth))
    if account.event and account.event.kind in NOTED:
        yield Post(f"{account.account_id}-n01", account, datetime.combine(FIRST_DAY, time(9, 30))
                   + timedelta(days=account.event.day))  # fmt: skip


def _sizes(post: Post) -> dict[str, float]:
    """The counts that a post comes to in the end: of those who look, so that bought followers add none."""
    account, name = post.account, post.account.account_id
    followers = account.on(post.published.date())
    loved = near(0.35, name, "er")
    liked = ENGAGEMENT[account.platform][account.tier] * loved * spread(0.28, post.post_id)
    # Who is liked more is also seen more.
    views = VIEWS[account.tier] * loved**0.8 * near(0.15, name, "views") * spread(0.2, post.post_id, "v")
    reach = REACH[account.tier] * near(0.4, name, "reach") * spread(0.2, post.post_id, "reach")
    factor = 0.8 if post.is_sponsored else 1.0
    if post.post_id.endswith("-n01") and account.event:
        factor = NOTED[account.event.kind]
    chatty = 0.05 * near(0.3, name, "comments") * (0.8 + 0.4 * draw(post.post_id, "comments"))
    likes, comments = liked * (1 - chatty) * factor, liked * chatty * factor
    event = account.event
    if event and event.kind == "bought likes" and post.day >= event.day:
        likes *= event.size
    if event and event.kind == "bought comments" and post.day >= event.day:
        comments *= event.size
    return {
        "likes": followers * likes,
        "comments": followers * comments,
        "shares": followers * liked * factor * 0.06,
        "saves": followers * liked * factor * 0.09,
        # Nobody likes what nobody saw, but who is paid to.
        "views": followers * max(views, 1.5 * liked) * factor,
        "reach": followers * min(max(reach, 1.2 * liked) * factor, 3),
        "impressions": followers * min(max(reach, 1.2 * liked) * factor, 3) * 1.25,
        "creator_replies": followers * comments * 0.4 * draw("world", name, "replies"),
    }


def _shown(post: Post) -> frozenset[str]:
    """Which counts anybody but its creator can see."""
    platform, name = post.account.platform, post.account.account_id
    shown = {"comments"}
    if not (platform == "instagram" and post.account.event is None and draw("world", name, "hides") < 0.05):
        shown.add("likes")
    if platform in ("tiktok", "bluesky"):
        shown.add("shares")
    if platform in ("tiktok", "youtube") or post.content_type == "reel":
        shown.add("views")
    if platform == "instagram" and draw("world", name, "shows reach") < 0.5:
        shown |= {"reach", "impressions", "saves"}
    if platform == "tiktok":
        shown.add("saves")
    if draw("world", name, "answers") < 0.6:
        shown.add("creator_replies")
    return frozenset(shown)


def snapshot_rows(posts: list[Post]) -> Iterator[Row]:
    """One row per post and capture, half an hour after that of its account."""
    for post in posts:
        account = post.account
        turn = int(7 * draw(post.post_id, "turn"))
        tags = [account.niche, pick(TOPIC_TAGS[account.niche], post.post_id, "topic"), *post.tags]
        if post.is_sponsored:
            tags.append("ad")
        names = [brand[2].split("|")[0] for brand in BRANDS if brand[0] in post.brands]
        fixed: Row = {
            "platform": account.platform, "post_id": post.post_id, "account_id": account.account_id,
            "published_at": f"{post.published.isoformat()}Z", "content_type": post.content_type,
            "is_sponsored": str(post.is_sponsored).lower(),
            "is_pinned": "false", "is_collab": "false", "hashtags": "|".join(tags), "mentions": "|".join(names),
        }  # fmt: skip
        sizes, shown = _sizes(post), _shown(post)
        for nth in range(max(post.day, 0), DAYS):
            moment = datetime.combine(FIRST_DAY + timedelta(days=nth), time(HOURS[account.platform], 50))
            age = (moment - post.published).total_seconds() / 86_400
            if 0 <= age <= YOUNG_DAYS + 1 or (0 <= age <= OLDEST_DAYS and nth % 7 == turn):
                grown = 1 - math.exp(-age / 1.3)
                now: Row = {key: int(size * grown) for key, size in sizes.items() if key in shown}
                yield {"captured_at": f"{moment.isoformat()}Z", "likes": "hidden", **fixed, **now}
