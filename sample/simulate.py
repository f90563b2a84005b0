"""The maker of the simulated part of the sample: posts, accounts, brands, and Instagram and TikTok counts.

A pure function of its inputs: the counts of one real file of the sample and a seed. Every draw is a hash of the seed
and the name of what is drawn, so that one more account, or another order, changes no other row. Nothing here was
observed; the mappings `simulated_<feed>.yml` say so (`origin: simulated`), and so does every mart row made of it.

Engagement falls with size as published bands say it does, reach is known for some accounts alone, and a few rows are
wrong on purpose: `sample/README.md` lists them.

`python sample/simulate.py` writes the files anew (`make sample`).
"""

import csv
import gzip
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import NormalDist

LANDING = Path(__file__).parent / "landing"
CHANNELS_FILE = LANDING / "account_snapshots" / "vtuber" / "Data_2022-07-16_03-01-02.csv.gz"
SEED = "groundswell"
FIRST_DAY = datetime.fromisoformat("2022-07-15")
# Days with a capture, counted from the first: those of the real files, so that no day looks half delivered.
CAPTURED = (*range(12), 15, 17)
END = CAPTURED[-1]
LAST_DAY = FIRST_DAY + timedelta(days=END)
FIRST_POST = datetime.fromisoformat("2022-05-05")

Row = dict[str, object]

HEADERS = {
    "account_snapshots": (
        "platform,account_id,captured_at,followers,following,posts,likes_total,views_total,handle,display_name,country,"
        "language,niche"
    ),
    "post_snapshots": (
        "platform,post_id,account_id,captured_at,published_at,content_type,likes,comments,creator_replies,shares,saves,"
        "views,reach,impressions,is_sponsored,is_pinned,is_collab,hashtags,mentions"
    ),
    "accounts": "platform,account_id,creator_id,handle,display_name,niche,country,city,language,updated_at",
    "brands": "brand,name,aliases,hashtags,own_accounts,is_rival",
}

# Lowest and highest followers of a simulated account by tier of the default scheme.
BOUNDS = {"nano": (1_500, 8_500), "micro": (14_000, 80_000), "macro": (150_000, 800_000), "mega": (1.3e6, 9e6)}
# How many accounts: a benchmark cell needs 30, and Instagram's nanos have a niche with so many.
ACCOUNTS = {
    "instagram": {"nano": 64, "micro": 40, "macro": 34, "mega": 34},
    "tiktok": {"nano": 38, "micro": 36, "macro": 34, "mega": 34},
}
CHANNELS_A_TIER = 34
# Median engagement by followers, views and reach per follower, by tier: falling with size, in the published order of
# magnitude (Modash: 3.4-4.4 % of followers at 1-5K, about 1 % from 10K on; TikTok and YouTube higher).
ENGAGEMENT = {
    "instagram": {"nano": 0.034, "micro": 0.014, "macro": 0.011, "mega": 0.010},
    "tiktok": {"nano": 0.090, "micro": 0.070, "macro": 0.050, "mega": 0.040},
    "youtube": {"nano": 0.045, "micro": 0.032, "macro": 0.022, "mega": 0.016},
}
VIEWS = {
    "instagram": {"nano": 0.60, "micro": 0.42, "macro": 0.30, "mega": 0.22},
    "tiktok": {"nano": 1.30, "micro": 0.95, "macro": 0.65, "mega": 0.50},
    "youtube": {"nano": 0.55, "micro": 0.40, "macro": 0.28, "mega": 0.20},
}
REACH = {"nano": 0.38, "micro": 0.26, "macro": 0.17, "mega": 0.12}
GROWTH_A_DAY = {"nano": 0.0030, "micro": 0.0020, "macro": 0.0010, "mega": 0.0005}
CONTENT = {"instagram": ("image", "carousel", "reel"), "tiktok": ("video",), "youtube": ("video", "short")}
LETTERS = {"instagram": "ig", "tiktok": "tt", "youtube": "yt"}

# Days of a story, as (first day, last day, factor on the counts of those days): tiers are crossed and held, crossed
# for too short a time, or crossed downwards. A tier is held from the 7th day in a row.
STORIES: list[tuple[str, str, float, list[tuple[int, int, float]], int]] = [
    ("rises to micro", "nano", 9_700, [(4, END, 1.06)], 6),
    ("visits micro for six days", "nano", 9_400, [(4, 9, 1.10)], 2),
    ("falls to nano", "micro", 10_300, [(3, END, 0.94)], 2),
    ("rises to macro", "micro", 97_000, [(5, END, 1.05)], 2),
    ("rises to mega", "macro", 980_000, [(2, END, 1.04)], 1),
    ("starts under the lowest tier", "nano", 940, [(3, END, 1.12)], 2),
]

NICHES = ("beauty", "food", "fitness", "gaming", "travel")
PLACES = (("US", "Austin", "en"), ("JP", "Osaka", "ja"), ("TW", "Taipei", "zh"), ("GB", "Leeds", "en"))
FIRST_NAMES = (
    "Nora", "Milo", "Ines", "Theo", "Yuna", "Kofi", "Lena", "Ravi", "Mara", "Otis", "Suki", "Dario", "Pia", "Emil",
    "Zola", "Remy", "Anya", "Hugo", "Tess", "Iker",
)  # fmt: skip
TOPICS = {
    "beauty": ("glow", "lashes", "skincare", "balm"),
    "food": ("bakes", "noodles", "supper", "pantry"),
    "fitness": ("lifts", "runs", "stretch", "reps"),
    "gaming": ("plays", "pixels", "speedruns", "loot"),
    "travel": ("abroad", "trails", "islands", "layover"),
}

# brand, name, aliases, hashtags, whether it is a rival of one's own.
BRANDS = (
    ("tidewell", "Tidewell", "tidewell.official|Tide Well", "tidewell|mytidewell", "false"),
    ("saltmarsh", "Saltmarsh", "saltmarsh.co|Salt Marsh", "saltmarsh|saltmarshdays", "true"),
    ("northfoam", "Northfoam", "northfoam|North Foam", "northfoam", "true"),
    ("driftwick", "Driftwick", "driftwick.home", "driftwick|driftwicklight", "true"),
)


def draw(*name: object) -> float:
    """A number in (0, 1) that depends on the name alone."""
    digest = hashlib.sha256("\0".join(str(part) for part in (SEED, *name)).encode()).digest()
    return (int.from_bytes(digest[:6], "big") + 0.5) / 2**48


def pick(choices: tuple[str, ...], *name: object) -> str:
    """One of the choices."""
    return choices[int(draw(*name) * len(choices))]


def spread(sigma: float, *name: object) -> float:
    """A factor around 1 whose logarithm is normal; its median is 1."""
    return math.exp(sigma * NormalDist().inv_cdf(draw(*name)))


@dataclass(frozen=True)
class Account:
    """An account of the simulation. `followers` is its count on the first day, before its story sets in."""

    platform: str
    account_id: str
    tier: str
    followers: int
    handle: str
    display_name: str
    niche: str
    story: tuple[tuple[int, int, float], ...] = ()

    @property
    def is_observed(self) -> bool:
        """Whether its counts are real ones of the sample: only its posts are simulated."""
        return self.platform == "youtube"

    @property
    def shows_reach(self) -> bool:
        """Reach is known to owners alone; some share it."""
        return draw(self.account_id, "shows reach") < (0.4 if self.platform == "instagram" else 0.25)

    @property
    def hides_likes(self) -> bool:
        return self.platform == "instagram" and draw(self.account_id, "hides likes") < 0.06

    @property
    def is_sponsored_at_times(self) -> bool:
        return draw(self.account_id, "sponsored") < 0.55

    @property
    def place(self) -> tuple[str, str, str]:
        return PLACES[int(draw(self.account_id, "place") * len(PLACES))]

    def on(self, day: int) -> int:
        """Followers on a day, 0 being the first."""
        rate = 0 if self.story else GROWTH_A_DAY[self.tier] * spread(0.5, self.account_id, "growth")
        factor = math.prod(by for first, last, by in self.story if first <= day <= last)
        noise = 1 + 0.0004 * (draw(self.account_id, "followers", day) - 0.5)
        return round(self.followers * (1 + rate * day) * factor * noise)


def read_channels(file: Path = CHANNELS_FILE) -> list[tuple[str, int]]:
    """Channel id and subscribers of each channel of a file of the sample that shows them."""
    with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as source:
        rows = [(row["ChannelUrl"].rpartition("/")[2], int(row["SubscriberCount"])) for row in csv.DictReader(source)]
    return [(channel, count) for channel, count in rows if count]


def tier_of(followers: int) -> str | None:
    """Tier of the default scheme, null under its lowest."""
    cuts = ((1_000_000, "mega"), (100_000, "macro"), (10_000, "micro"), (1_000, "nano"))
    return next((tier for lowest, tier in cuts if followers >= lowest), None)


def make_accounts(channels: list[tuple[str, int]]) -> list[Account]:
    """All accounts that post: a few channels of the sample in each tier, and the simulated ones."""
    accounts = []
    for tier in BOUNDS:
        ours = sorted(
            (draw(channel, "chosen"), channel, count) for channel, count in channels if tier_of(count) == tier
        )
        for _, channel, count in ours[:CHANNELS_A_TIER]:
            niche = pick(("gaming", "music"), channel, "niche")
            accounts.append(Account("youtube", channel, tier, count, "", "", niche))
    for platform in ACCOUNTS:
        accounts += _simulated_accounts(platform)
    return accounts


def _simulated_accounts(platform: str) -> list[Account]:
    stories = [
        (tier, float(followers), tuple(story)) for _, tier, followers, story, copies in STORIES for _ in range(copies)
    ]
    plain = [
        (tier, low * (high / low) ** draw(platform, tier, nth, "followers"), ())
        for tier, (low, high) in BOUNDS.items()
        for nth in range(ACCOUNTS[platform][tier])
    ]
    accounts = []
    for nth, (tier, followers, story) in enumerate([*plain, *stories], start=1):
        account_id = f"sim-{LETTERS[platform]}-{nth:04d}"
        # Half of the small accounts share one niche, so that one cell is large enough to stand alone.
        niche = "beauty" if tier == "nano" and draw(account_id, "half") < 0.5 else pick(NICHES, account_id, "niche")
        name, topic = pick(FIRST_NAMES, account_id, "name"), pick(TOPICS[niche], account_id, "topic")
        accounts.append(
            Account(
                platform,
                account_id,
                tier,
                round(followers),
                f"{name.lower()}.{topic}{nth}",
                f"{name} {topic}",
                niche,
                story,
            )
        )
    # Two accounts with one handle; one without any follower.
    namesake = replace(accounts[1], handle=accounts[0].handle)
    empty = replace(accounts[2], followers=0, story=())
    return [accounts[0], namesake, empty, *accounts[3:]]


def account_snapshots(accounts: list[Account]) -> Iterator[Row]:
    """One row per simulated account and day: captured at 18:00, the profile's own counts."""
    for account in accounts:
        if account.is_observed:
            continue
        following = round(120 + 900 * draw(account.account_id, "following"))
        base_posts = round(40 + 400 * draw(account.account_id, "posts"))
        published = [moment for moment, _ in _publications(account)]
        country, _, language = account.place
        for day in CAPTURED:
            moment = FIRST_DAY + timedelta(days=day, hours=18)
            yield {
                "platform": account.platform,
                "account_id": account.account_id,
                "captured_at": f"{moment.isoformat()}Z",
                "followers": account.on(day),
                "following": following + round(3 * draw(account.account_id, "following", day)),
                "posts": base_posts + sum(at <= moment for at in published),
                "likes_total": "",
                "views_total": "",
                "handle": account.handle,
                "display_name": account.display_name,
                "country": country,
                "language": language,
                "niche": account.niche,
            }


def _publications(account: Account) -> list[tuple[datetime, int]]:
    """When an account posts, and the number of the post."""
    moment = FIRST_POST + timedelta(days=8 * draw(account.account_id, "begin"))
    found: list[tuple[datetime, int]] = []
    while moment < LAST_DAY + timedelta(hours=18):
        found.append((moment.replace(microsecond=0), len(found) + 1))
        moment += timedelta(days=5 + 6 * draw(account.account_id, "pause", len(found)))
    return found


def post_snapshots(accounts: list[Account]) -> Iterator[Row]:
    """One row per post and capture: daily while it is young, every fourth capture later, at 18:30."""
    for account in accounts:
        for published, nth in _publications(account):
            post_id = f"{account.account_id}-p{nth:02d}"
            fixed = _fixed(account, post_id, nth, published)
            sizes = _sizes(account, post_id, fixed)
            for nth_capture, day in enumerate(CAPTURED):
                moment = FIRST_DAY + timedelta(days=day, hours=18, minutes=30)
                age = (moment - published).total_seconds() / 86_400
                is_due = age <= 3 or day == END or (nth_capture + int(4 * draw(post_id, "turn"))) % 4 == 0
                if 0 <= age <= 96 and is_due:
                    yield {
                        "captured_at": f"{moment.isoformat()}Z",
                        **fixed,
                        **_counts(account, fixed, sizes, age),
                    }


def _fixed(account: Account, post_id: str, nth: int, published: datetime) -> Row:
    """What a post keeps over all captures."""
    discloses = draw(account.account_id, "discloses") < 0.9
    is_sponsored = account.is_sponsored_at_times and draw(post_id, "sponsored") < 0.28
    hashtags, mentions = [account.niche], []
    if is_sponsored or draw(post_id, "praises") < 0.05:
        # An account has a brand that it works with most; some praise a rival the next month.
        loyal = pick(tuple(brand[0] for brand in BRANDS), account.account_id, "brand")
        other = pick(tuple(brand[0] for brand in BRANDS), post_id, "brand")
        brand = next(b for b in BRANDS if b[0] == (loyal if draw(post_id, "loyal") < 0.7 else other))
        tag = brand[3].split("|")[0]
        hashtags += [tag.capitalize() if draw(post_id, "case") < 0.2 else tag]
        mentions += [brand[2].split("|")[0]] if draw(post_id, "mentions") < 0.7 else []
    if is_sponsored:
        hashtags.append("ad")
    return {
        "platform": account.platform,
        "post_id": post_id,
        "account_id": account.account_id,
        "published_at": f"{published.isoformat()}Z",
        "content_type": pick(CONTENT[account.platform], post_id, "content"),
        "is_sponsored": str(is_sponsored).lower() if discloses else "",
        "is_pinned": str(nth == 2 and draw(account.account_id, "pins") < 0.3).lower(),
        "is_collab": str(draw(post_id, "collab") < 0.08).lower(),
        "hashtags": "|".join(hashtags),
        "mentions": "|".join(mentions),
    }


def _sizes(account: Account, post_id: str, fixed: Row) -> dict[str, float]:
    """The counts that a post comes to in the end."""
    liked = ENGAGEMENT[account.platform][account.tier] * spread(0.35, account.account_id, "er") * spread(0.3, post_id)
    liked *= (0.78 if fixed["is_sponsored"] == "true" else 1) * (1.6 if fixed["is_pinned"] == "true" else 1)
    comments = 0.03 + 0.05 * draw(account.account_id, "comments")
    views = VIEWS[account.platform][account.tier] * spread(0.4, account.account_id, "views") * spread(0.4, post_id, "v")
    reach = REACH[account.tier] * spread(0.3, account.account_id, "reach") * spread(0.25, post_id, "reach")
    followers = account.followers
    return {
        "likes": followers * liked * (1 - comments),
        "comments": followers * liked * comments,
        "shares": followers * liked * 0.06,
        "saves": followers * liked * 0.09,
        # Nobody likes what nobody saw.
        "views": followers * max(views, 1.5 * liked),
        "reach": followers * max(reach, 1.2 * liked),
    }


def _counts(account: Account, fixed: Row, sizes: dict[str, float], age: float) -> Row:
    """The counts at an age in days; empty where nobody can see them."""
    has_views = account.platform != "instagram" or fixed["content_type"] == "reel"
    grown = 1 - math.exp(-age / 1.3)
    now = {name: int(size * grown) for name, size in sizes.items()}
    hidden = account.hides_likes or (draw(fixed["post_id"], "hides likes at times") < 0.02 and int(age) % 2 == 0)
    replies = draw(account.account_id, "replies")
    return {
        "likes": "hidden" if hidden else now["likes"],
        "comments": now["comments"],
        "creator_replies": int(now["comments"] * replies * 0.5) if draw(account.account_id, "answers") < 0.6 else "",
        "shares": now["shares"] if account.platform == "tiktok" else "",
        "saves": now["saves"] if account.platform == "tiktok" or account.shows_reach else "",
        "views": now["views"] if has_views else "",
        "reach": now["reach"] if account.shows_reach else "",
        "impressions": int(now["reach"] * 1.25) if account.shows_reach and account.platform == "instagram" else "",
    }


def with_defects(rows: list[Row]) -> list[Row]:
    """Posts with what real deliveries get wrong; which rows they are depends on the posts' own names alone."""
    by_post: dict[object, list[Row]] = {}
    for row in rows:
        by_post.setdefault(row["post_id"], []).append(row)
    for post_id, captures in by_post.items():
        chance, last = draw(post_id, "defect"), captures[-1]
        if len(captures) > 2 and chance < 0.004 and last["comments"]:
            last["comments"] = int(int(str(last["comments"])) * 0.9)
        elif len(captures) > 2 and 0.004 <= chance < 0.005:
            last["account_id"] = f"{last['account_id']}x"
        elif 0.005 <= chance < 0.006:
            for row in captures:
                row["published_at"] = f"{(LAST_DAY + timedelta(days=9)).isoformat()}Z"
    ghosts = [{**row, "account_id": "sim-ig-9999", "post_id": f"ghost-{row['post_id']}"} for row in rows[-6:]]
    return [*rows, *ghosts]


def account_rows(accounts: list[Account]) -> Iterator[Row]:
    """One row per simulated account, some with a later change; a person may have accounts on both platforms.

    What was observed gets no attribute that was not.
    """
    simulated = [account for account in accounts if not account.is_observed]
    unseen = replace(simulated[-1], account_id="sim-tt-9998", handle="never.seen", display_name="Never Seen")
    for account in [*simulated, unseen]:
        country, city, language = account.place
        nth = account.account_id[-4:]
        row: Row = {
            "platform": account.platform,
            "account_id": account.account_id,
            "creator_id": f"sim-creator-{nth}" if draw(nth, "person") < 0.6 else "",
            "handle": account.handle,
            "display_name": account.display_name,
            "niche": account.niche,
            "country": country,
            "city": city,
            "language": language,
            "updated_at": "2022-07-01T00:00:00Z",
        }
        yield row
        if draw(account.account_id, "changes") < 0.03:
            yield {**row, "niche": pick(NICHES, account.account_id, "later"), "updated_at": "2022-07-25T12:00:00Z"}


def brand_rows() -> Iterator[Row]:
    """One row per brand: one's own, and three rivals."""
    for nth, (brand, name, aliases, hashtags, is_rival) in enumerate(BRANDS, start=1):
        yield {
            "brand": brand,
            "name": name,
            "aliases": aliases,
            "hashtags": hashtags,
            "own_accounts": f"instagram:sim-ig-brand-{nth}|tiktok:sim-tt-brand-{nth}",
            "is_rival": is_rival,
        }


def make(channels: list[tuple[str, int]]) -> dict[str, str]:
    """Path under landing and text of each file."""
    accounts = make_accounts(channels)
    rows: dict[str, list[Row]] = {
        "account_snapshots": list(account_snapshots(accounts)),
        "post_snapshots": with_defects(list(post_snapshots(accounts))),
        "accounts": list(account_rows(accounts)),
        "brands": list(brand_rows()),
    }
    return files_of(HEADERS, rows, LAST_DAY)


def files_of(headers: dict[str, str], rows: dict[str, list[Row]], last_day: datetime | date) -> dict[str, str]:
    """Path below landing and text of the CSV of each feed."""
    files = {}
    for feed, header in headers.items():
        target = io.StringIO(newline="")
        writer = csv.DictWriter(target, header.split(","), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[feed])
        files[f"{feed}/simulated_{feed}_{last_day:%Y-%m-%d}.csv.gz"] = target.getvalue()
    return files


def write(files: dict[str, str], folder: Path = LANDING) -> None:
    """Write each file whose text changed. The zip holds no time and no name, so equal text gives equal bytes."""
    for path, text in files.items():
        target = folder / path
        if target.is_file() and gzip.decompress(target.read_bytes()).decode() == text:
            print(f"unchanged  {path}")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        print(f"written    {path}")


if __name__ == "__main__":
    write(make(read_channels()))
