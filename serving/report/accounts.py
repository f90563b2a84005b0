"""Accounts as their pages show them, read in bulk: one query per part over all accounts that are chosen.

A night makes the pages of accounts that look bought or are worth a look, that have evidence against them, or that are
paid; any other is made on demand. Which accounts are read stands in the temporary table `chosen`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

from serving.report import curve, ranges
from serving.report.formatting import environment, style
from serving.report.phone import fit_tables
from serving.report.returns import MODEL
from serving.report.sections.money import gaps
from serving.report.source import Row, Source
from serving.report.tiers import dress, label

Key = tuple[str, str]

# What the page needs; a release of older code may lack the rest, and the page then says so.
MARTS = ("dim_account", "dim_tier_scheme", "fct_account_daily")
# A page takes about 4 ms and 50 kB: a night's pages stay within two seconds and 15 MB.
MAX_PAGES = 300
FOLDER = "accounts"
# Almost three years of daily captures: more points than a page is wide.
CURVE_DAYS = 1000
POSTS = 30
COLLABORATIONS = 40
FLAGS_SHOWN = 20
# So long a flag weighs after its window (macro `evidence_weighs`).
EVIDENCE_DAYS = 90
# A file name may have 255 bytes on the usual file systems.
LONGEST_NAME = 180
EXCUSED = ("misread", "explained")

# The most urgent first: who looks bought, is worth a look, has a flag of old, is paid most.
CHOOSE = """
create or replace temp table chosen as
with flags as (select platform, account_id, true as is_flagged from marts.fct_follower_flag group by all),

found as (
    select
        latest.platform, latest.account_id, latest.spend_base,
        case
            when latest.verdict = 'suspicious' or latest.engagement_verdict = 'suspicious' then 1
            when latest.verdict = 'watch' or latest.engagement_verdict = 'watch' then 2
            when flags.is_flagged then 3
            when latest.collaborations > 0 then 4
        end as urgency
    from marts.fct_account_latest as latest
    left join flags on latest.platform = flags.platform and latest.account_id = flags.account_id
)

select platform, account_id, urgency, spend_base, count(*) over () as found
from found where urgency is not null
order by urgency, spend_base desc nulls last, platform, account_id
limit $many
"""

CHOSEN = "select * from chosen order by urgency, spend_base desc nulls last, platform, account_id"

CHOOSE_ONE = "create or replace temp table chosen as select $platform as platform, $account_id as account_id"

# A page is of an account that was captured or is paid; the mart holds those as well that only a post names.
PROFILES = """
select * from marts.dim_account semi join chosen using (platform, account_id)
where last_seen_date is not null {or_paid}
"""
OR_PAID = "or (platform, account_id) in (select (platform, account_id) from marts.dim_collaboration)"

DAYS = f"""
select platform, account_id, snapshot_date as day, followers, followers_null_reason, count_resolution, tier, data_origin
from marts.fct_account_daily semi join chosen using (platform, account_id)
qualify row_number() over (partition by platform, account_id order by snapshot_date desc) <= {CURVE_DAYS}
order by platform, account_id, day
"""

SPELLS = """
select platform, account_id, valid_from, valid_to, tier, previous_tier, direction, days_in_tier, data_origin
from marts.dim_account_tier_history semi join chosen using (platform, account_id)
where scheme = $scheme
order by platform, account_id, valid_from
"""

SCHEME_TIERS = """
select tier from marts.dim_tier_scheme where scheme = $scheme group by tier order by min(tier_rank), tier
"""

SCHEMES = """
with known as (
    select platform, account_id, max(snapshot_date) as snapshot_date
    from marts.fct_account_daily semi join chosen using (platform, account_id)
    where followers is not null group by platform, account_id
)

select platform, account_id, scheme, tier
from marts.fct_account_tier_daily semi join known using (platform, account_id, snapshot_date)
order by platform, account_id, scheme <> $scheme, scheme
"""

# The latest day that stands on posts, else the latest day.
RATED = """
create or replace temp table rated as
select rated.*, place.* exclude (platform, account_id, snapshot_date, tier, data_origin)
from marts.fct_account_engagement_daily as rated
semi join chosen using (platform, account_id)
left join marts.fct_account_benchmark_daily as place using (platform, account_id, snapshot_date)
qualify
    row_number() over (partition by platform, account_id order by posts_in_window > 0 desc, snapshot_date desc) = 1
"""

CELLS = """
select rated.platform, rated.account_id, cells.* exclude (platform)
from rated
inner join marts.fct_tier_benchmark_daily as cells
    on rated.platform = cells.platform and rated.tier = cells.tier and rated.snapshot_date = cells.snapshot_date
    and rated.benchmark_niche = cells.niche and rated.benchmark_country = cells.country
where cells.scheme = $scheme
"""

# The latest day that could be evaluated, of the followers or of likes and comments, else the latest day.
VERDICTS = """
select trust.* from marts.fct_follower_trust_daily as trust semi join chosen using (platform, account_id)
qualify row_number() over (
    partition by platform, account_id
    order by
        coalesce(verdict, '') <> 'insufficient_data' or engagement_verdict in ('watch', 'suspicious') desc,
        snapshot_date desc
) = 1
"""

FLAGS = """
select * from marts.fct_follower_flag semi join chosen using (platform, account_id)
order by platform, account_id, window_end desc, points desc, signal
"""

PRICES = "select * from marts.dim_account_price semi join chosen using (platform, account_id)"

# A total is unknown where one of its parts is.
COLLABORATIONS_OF = f"""
select
    agreed.platform, agreed.account_id, agreed.collaboration_id, agreed.campaign_id, campaigns.campaign_name,
    agreed.brand, agreed.partner_type, agreed.start_date, agreed.end_date, agreed.is_open, agreed.posts_agreed,
    agreed.posts_delivered, agreed.data_origin,
    roi.* exclude (
        platform, account_id, collaboration_id, campaign_id, brand, creator_id, partner_type, start_date, end_date,
        data_origin
    ),
    count(*) over whole as agreements,
    case when count(roi.spend_base) over whole = count(*) over whole then sum(roi.spend_base) over whole end
        as spend_of_all,
    case when count(roi.net_revenue_base) over whole = count(*) over whole then sum(roi.net_revenue_base) over whole end
        as revenue_of_all,
    sum(roi.orders) over whole as orders_of_all
from marts.dim_collaboration as agreed
semi join chosen using (platform, account_id)
left join marts.fct_collaboration_roi as roi
    on agreed.collaboration_id = roi.collaboration_id and roi.attribution_model = $model
left join marts.dim_campaign as campaigns on agreed.campaign_id = campaigns.campaign_id
window whole as (partition by agreed.platform, agreed.account_id)
qualify
    row_number() over (
        partition by agreed.platform, agreed.account_id
        order by agreed.start_date desc nulls last, agreed.collaboration_id
    ) <= {COLLABORATIONS}
order by agreed.platform, agreed.account_id, agreed.start_date desc nulls last, agreed.collaboration_id
"""

POSTS_OF = f"""
with last_seen as (
    select posts.* from marts.fct_post_daily as posts semi join chosen using (platform, account_id)
    qualify row_number() over (partition by platform, post_id order by snapshot_date desc) = 1
)

select *, count(*) over (partition by platform, account_id) as posts_ever
from last_seen
qualify
    row_number() over (partition by platform, account_id order by published_at desc nulls last, post_id) <= {POSTS}
order by platform, account_id, published_at desc nulls last, post_id
"""


@dataclass(frozen=True)
class Pages:
    """Which accounts have a page of the night, with its address as seen from the report, and how many ask for one."""

    links: dict[Key, str] = field(default_factory=dict)
    found: int = 0


def choose(source: Source) -> Pages:
    """Put the accounts of the night's pages into the temporary table `chosen`; none where the release lacks marts."""
    if not source.holds(*MARTS, "fct_account_latest", "fct_follower_flag"):
        return Pages()
    source.run(CHOOSE, many=MAX_PAGES)
    rows = source.rows(CHOSEN)
    keys = [(row["platform"], row["account_id"]) for row in rows if has_name(row["platform"], row["account_id"])]
    known = {(row["platform"], row["account_id"]) for row in _profiles(source)}
    links = {key: f"{FOLDER}/{quote(file_name(*key))}" for key in keys if key in known}
    return Pages(links, rows[0]["found"] if rows else 0)


def file_name(platform: str, account_id: str) -> str:
    """A name that no other account has, without anything that a path could take for a folder."""
    return f"{quote(platform, safe='')}_{quote(account_id, safe='')}.html"


def has_name(platform: str, account_id: str) -> bool:
    """Whether the account's page can have a file name."""
    return len(file_name(platform, account_id)) <= LONGEST_NAME + len(".html")


def render_pages(source: Source, made: str) -> Iterator[tuple[Key, str]]:
    """The pages of the accounts in `chosen`, as text; those of which the release knows nothing are left out.

    Args:
        made: how the page came about, said at its end.
    """
    scheme = source.settings.default_scheme
    parts = _Parts(source, scheme)
    template = environment().get_template("account.html.j2")
    shared = {"scheme": scheme, "release": source.release, "style": style(), "made": made, "model": MODEL, "day": None}
    for account in _profiles(source):
        key = (account["platform"], account["account_id"])
        shown = parts.of(key, account)
        name = str(account["display_name"] or "").strip() or account["account_id"]
        yield key, fit_tables(template.render(title=name[:80], name=name, account=account, **shown, **shared))


def _profiles(source: Source) -> list[Row]:
    paid = OR_PAID if source.holds("dim_collaboration") else ""
    return source.rows(PROFILES.format(or_paid=paid))


class _Parts:
    """What the pages show, by account: each part is read once."""

    def __init__(self, source: Source, scheme: str) -> None:
        self.scheme_tiers = [row["tier"] for row in source.rows(SCHEME_TIERS, scheme=scheme)]

        def read(query: str, *marts: str, **values: Any) -> dict[Key, list[Row]]:
            grouped: dict[Key, list[Row]] = defaultdict(list)
            if source.holds(*marts):
                for row in source.rows(query, **values):
                    grouped[row["platform"], row["account_id"]].append(row)
            return grouped

        self.days = read(DAYS)
        self.spells = read(SPELLS, "dim_account_tier_history", scheme=scheme)
        self.schemes = read(SCHEMES, "fct_account_tier_daily", scheme=scheme)
        self.posts = read(POSTS_OF, "fct_post_daily")
        self.verdicts = read(VERDICTS, "fct_follower_trust_daily", "fct_follower_flag")
        self.flags = read(FLAGS, "fct_follower_trust_daily", "fct_follower_flag")
        self.prices = read(PRICES, "dim_account_price")
        self.collaborations = read(
            COLLABORATIONS_OF, "dim_collaboration", "fct_collaboration_roi", "dim_campaign", model=MODEL
        )
        rates = ("fct_account_engagement_daily", "fct_account_benchmark_daily", "fct_tier_benchmark_daily")
        if source.holds(*rates):
            source.run(RATED)
        self.rates = read("select * from rated", *rates)
        self.cells = read(CELLS, *rates, scheme=scheme)

    def of(self, key: Key, account: Row) -> Row:
        """What the page of one account shows."""
        days, spells, posts = self.days[key], self.spells[key], self.posts[key]
        tiers = self._tiers(spells)
        known = [day for day in days if day["followers"] is not None]
        trust = _trust(self.verdicts[key], self.flags[key])
        windows = _windows(trust["flags"] if trust else [])
        drawn = curve.draw(days, spells, {tier["tier"]: tier for tier in tiers}, windows)
        return {
            "tiers": tiers,
            "days": days,
            "latest": known[-1] if known else None,
            "spells": [spell | {"label": label(spell["tier"])} for spell in spells],
            "curve": drawn,
            "marked": {kind for _, _, kind in windows},
            "schemes": [row | {"label": label(row["tier"] or "unknown")} for row in self.schemes[key]],
            "engagement": _engagement(self.rates[key], self.cells[key]),
            "trust": trust,
            "price": self.prices[key][0] if self.prices[key] else None,
            "money": _money(self.collaborations[key]),
            "posts": posts,
            "posts_ever": posts[0]["posts_ever"] if posts else 0,
            "simulated": _simulated(account, days, posts),
        }

    def _tiers(self, spells: list[Row]) -> list[Row]:
        """Tiers of the scheme in the report's colours, and those that the account held outside of it."""
        held = {spell["tier"] for spell in spells}
        return dress(["below", *self.scheme_tiers, *sorted(held - {"below", *self.scheme_tiers})])


def _engagement(rates: list[Row], cells: list[Row]) -> Row | None:
    """The latest engagement of the account, and its place in its benchmark cell."""
    if not rates:
        return None
    row = rates[0]
    measure, percentile = "er_followers_median_30", "er_percentile"
    if row[measure] is None and row["like_rate_views_median_30"] is not None:
        measure, percentile = "like_rate_views_median_30", "like_rate_percentile"
    cell = cells[0] if cells and cells[0][f"{measure}_p50"] is not None else None
    top = ranges.scale_top([row[measure], cell[f"{measure}_p90"] if cell else None])
    return row | {
        "measure": measure,
        "value": row[measure],
        "percentile": row[percentile],
        "tier_label": label(row["tier"] or "unknown"),
        "range": ranges.spread(cell, measure, top) if cell else None,
        "own": ranges.at(row[measure], top),
        "ticks": ranges.ticks(top),
    }


def _trust(verdicts: list[Row], flags: list[Row]) -> Row | None:
    """The verdict on the account's counts, each flag with what became of it, and what must be said beside a rate."""
    if not verdicts:
        return None
    row = verdicts[0]
    day = row["snapshot_date"]
    shown = [flag | {"state": _state(flag, day), "raised": _raised(flag)} for flag in flags]
    weighing = [flag for flag in shown if flag["state"] == "weighs"]
    verdicts_of = {"followers": row["verdict"], "likes and comments": row["engagement_verdict"]}
    return row | {
        "flags": [flag for flag in shown if flag["state"] != "later"][:FLAGS_SHOWN],
        "flags_ever": len(shown),
        "since": min((flag["raised"] for flag in weighing), default=None),
        "bought": [what for what, verdict in verdicts_of.items() if verdict == "suspicious"],
        "watched": [what for what, verdict in verdicts_of.items() if verdict == "watch"],
    }


def _windows(flags: list[Row]) -> list[curve.Window]:
    """What a curve of followers marks: the time that evidence covers, and that of evidence which proved to be none."""
    return [
        (flag["window_start"], flag["window_end"], "explained" if flag["state"] in EXCUSED else "flagged")
        for flag in flags
        if flag["side"] == "audience"
    ]


def _raised(flag: Row) -> date:
    """First day on which the evidence could be seen, as this release and those before it call it."""
    raised: date = flag["first_flagged"] if "first_flagged" in flag else flag["first_raised_date"]
    return raised


def _state(flag: Row, day: date) -> str:
    """What a flag is on the day of the verdict: it weighs, is explained, a misread, too old, or came later."""
    if _raised(flag) > day:
        return "later"
    if flag["misread_on"] is not None and flag["misread_on"] <= day:
        return "misread"
    if flag.get("ended_on") is not None and flag["ended_on"] < day:
        return "explained"
    return "weighs" if flag["window_end"] >= day - timedelta(days=EVIDENCE_DAYS) else "old"


def _money(rows: list[Row]) -> Row | None:
    """Collaborations of the account, the latest first, what they returned, and all of them together."""
    if not rows:
        return None
    spend, revenue = rows[0]["spend_of_all"], rows[0]["revenue_of_all"]
    # A collaboration of which no mart of returns has a row has nothing to tell, not even what is missing.
    return {
        "rows": [row | {"gaps": gaps({"collaborations": 1, **row}) if row["as_of_date"] else []} for row in rows],
        "ever": rows[0]["agreements"],
        "spend": spend,
        "revenue": revenue,
        "orders": rows[0]["orders_of_all"],
        "roi": float((revenue - spend) / spend) if spend and revenue is not None else None,
        "currency": next((row["base_currency"] for row in rows if row["base_currency"]), ""),
        "as_of": next((row["as_of_date"] for row in rows if row["as_of_date"]), None),
    }


def _simulated(account: Row, days: list[Row], posts: list[Row]) -> list[str]:
    """Which parts of the page are simulated, in words."""
    counts = sum(day["data_origin"] == "simulated" for day in days)
    made_up = sum(post["data_origin"] == "simulated" for post in posts)
    return [
        *(["who the account is"] if account["data_origin"] == "simulated" else []),
        *([f"its counts on {counts:,} of {len(days):,} days"] if counts else []),
        *([f"{made_up:,} of the {len(posts):,} posts shown"] if made_up else []),
    ]
