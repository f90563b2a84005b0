"""`make account PLATFORM= ID=`: one page about one account, made on demand from the published marts alone.

The page loads nothing and runs no script. It is written under `<data>/reports/accounts/`.
"""

import shlex
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

from ingestion.config import Settings
from serving.report import ranges
from serving.report.build import write_page
from serving.report.formatting import environment, style
from serving.report.source import Row, Source, open_source
from serving.report.tiers import MAX_GAP_DAYS, dress, label

# What the page needs; a release of older code may lack the rest, and the page then says so.
MARTS = ("dim_account", "dim_tier_scheme", "fct_account_daily")
# Almost three years of daily captures: more points than a page is wide.
CURVE_DAYS = 1000
POSTS = 30
NEAR = 5
# Of two strings, from 0 to 1 (Jaro-Winkler); one wrong letter in ten keeps well above.
LEAST_LIKENESS = 0.75
# A follower more or less is not a cliff: the scale spans at least this share of the highest count.
LEAST_SPAN = 0.02
# A file name may have 255 bytes on the usual file systems.
LONGEST_NAME = 180

# A page is of an account that was captured; the mart holds those as well that only a post or an agreement names.
PROFILE = """
select * from marts.dim_account
where platform = $platform and account_id = $account_id and last_seen_date is not null
"""

DAYS = f"""
select * from (
    select snapshot_date as day, followers, followers_null_reason, count_resolution, tier, data_origin
    from marts.fct_account_daily
    where platform = $platform and account_id = $account_id
    order by snapshot_date desc limit {CURVE_DAYS}
) order by day
"""

SPELLS = """
select valid_from, valid_to, tier, previous_tier, direction, days_in_tier, data_origin
from marts.dim_account_tier_history
where platform = $platform and account_id = $account_id and scheme = $scheme
order by valid_from
"""

SCHEME_TIERS = """
select tier from marts.dim_tier_scheme where scheme = $scheme group by tier order by min(tier_rank), tier
"""

SCHEMES = """
select scheme, tier from marts.fct_account_tier_daily
where platform = $platform and account_id = $account_id and snapshot_date = $day
order by scheme <> $scheme, scheme
"""

# The latest day that stands on posts, else the latest day.
ENGAGEMENT = """
select rated.*, place.* exclude (platform, account_id, snapshot_date, tier, data_origin)
from marts.fct_account_engagement_daily as rated
left join marts.fct_account_benchmark_daily as place using (platform, account_id, snapshot_date)
where platform = $platform and account_id = $account_id
order by posts_in_window > 0 desc, snapshot_date desc limit 1
"""

CELL = """
select * from marts.fct_tier_benchmark_daily
where
    platform = $platform and scheme = $scheme and tier = $tier and niche = $niche and country = $country
    and snapshot_date = $day
"""

POSTS_OF = f"""
with last_seen as (
    select * from marts.fct_post_daily
    where platform = $platform and account_id = $account_id
    qualify row_number() over (partition by post_id order by snapshot_date desc) = 1
)

select *, count(*) over () as posts_ever from last_seen order by published_at desc nulls last, post_id limit {POSTS}
"""

# Ids and names that look like the one asked for, those of the platform first.
NEAREST = f"""
with likeness as (
    select
        platform, account_id, handle, display_name, platform = $platform as is_platform,
        greatest(
            jaro_winkler_similarity(lower(account_id), $wanted),
            jaro_winkler_similarity(lower(coalesce(handle, '')), $wanted),
            jaro_winkler_similarity(lower(coalesce(display_name, '')), $wanted)
        ) as likeness
    from marts.dim_account
    where last_seen_date is not null
)

select * from likeness where likeness >= {LEAST_LIKENESS}
order by likeness + case when is_platform then 0.1 else 0 end desc, platform, account_id limit {NEAR}
"""


class NoSuchAccount(Exception):
    """No release, or no such account in it; the message says what to do."""


def build_account(settings: Settings, platform: str, account_id: str) -> Path:
    """Write the page of an account and return where it is. Raises NoSuchAccount, with accounts that are near."""
    with open_source(settings, run_id="") as source:
        if not source.holds(*MARTS):
            raise NoSuchAccount("no release has been published yet: run `make nightly` first")
        page = render_account(source, platform.strip().lower(), account_id.strip())
    target = settings.reports / "accounts" / file_name(platform.strip().lower(), account_id.strip())
    write_page(target, page)
    return target


def file_name(platform: str, account_id: str) -> str:
    """A name that no other account has, without anything that a path could take for a folder."""
    name = f"{quote(platform, safe='')}_{quote(account_id, safe='')}"
    if len(name) > LONGEST_NAME:
        raise NoSuchAccount(f"ids of more than {LONGEST_NAME} characters have no page")
    return f"{name}.html"


def render_account(source: Source, platform: str, account_id: str) -> str:
    """The page as text. Raises NoSuchAccount."""
    key = {"platform": platform, "account_id": account_id}
    found = source.rows(PROFILE, **key)
    if not found:
        raise NoSuchAccount(_unknown(source, platform, account_id))
    scheme = source.settings.default_scheme
    days = source.rows(DAYS, **key)
    known = [day for day in days if day["followers"] is not None]
    spells = source.rows(SPELLS, **key, scheme=scheme) if source.holds("dim_account_tier_history") else []
    tiers = _tiers(source, scheme, spells)
    posts = source.rows(POSTS_OF, **key) if source.holds("fct_post_daily") else []
    context = {
        "account": found[0],
        "scheme": scheme,
        "release": source.release,
        "days": days,
        "latest": known[-1] if known else None,
        "spells": [spell | {"label": label(spell["tier"])} for spell in spells],
        "curve": _curve(days, spells, {tier["tier"]: tier for tier in tiers}),
        "schemes": _schemes(source, key, scheme, known),
        "engagement": _engagement(source, key, scheme),
        "posts": posts,
        "posts_ever": posts[0]["posts_ever"] if posts else 0,
        "simulated": _simulated(found[0], days, posts),
    }
    name = str(found[0]["display_name"] or "").strip() or account_id
    template = environment().get_template("account.html.j2")
    return template.render(title=name[:80], day=None, tiers=tiers, name=name, **context, style=style())


def _tiers(source: Source, scheme: str, spells: list[Row]) -> list[Row]:
    """Tiers of the scheme in the report's colours, and those that the account held outside of it."""
    ours = [row["tier"] for row in source.rows(SCHEME_TIERS, scheme=scheme)]
    held = {spell["tier"] for spell in spells}
    return dress(["below", *ours, *sorted(held - {"below", *ours})])


def _schemes(source: Source, key: Row, scheme: str, known: list[Row]) -> list[Row]:
    """The account's tier under each scheme on the latest day with a known count."""
    if not known or not source.holds("fct_account_tier_daily"):
        return []
    rows = source.rows(SCHEMES, **key, scheme=scheme, day=known[-1]["day"])
    return [row | {"label": label(row["tier"] or "unknown")} for row in rows]


def _engagement(source: Source, key: Row, scheme: str) -> Row | None:
    """The latest engagement of the account, and its place in its benchmark cell."""
    if not source.holds("fct_account_engagement_daily", "fct_account_benchmark_daily", "fct_tier_benchmark_daily"):
        return None
    rows = source.rows(ENGAGEMENT, **key)
    if not rows:
        return None
    row = rows[0]
    cells = source.rows(
        CELL,
        platform=key["platform"],
        scheme=scheme,
        tier=row["tier"],
        niche=row["benchmark_niche"],
        country=row["benchmark_country"],
        day=row["snapshot_date"],
    )
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


def _simulated(account: Row, days: list[Row], posts: list[Row]) -> list[str]:
    """Which parts of the page are simulated, in words."""
    counts = sum(day["data_origin"] == "simulated" for day in days)
    made_up = sum(post["data_origin"] == "simulated" for post in posts)
    return [
        *(["who the account is"] if account["data_origin"] == "simulated" else []),
        *([f"its counts on {counts:,} of {len(days):,} days"] if counts else []),
        *([f"{made_up:,} of the {len(posts):,} posts shown"] if made_up else []),
    ]


def _curve(days: list[Row], spells: list[Row], look: dict[str, Row]) -> Row | None:
    """The follower curve in periods of captures, each with its place on the page; null where no count is known."""
    known = [day for day in days if day["followers"] is not None]
    if not known:
        return None
    low, high = min(day["followers"] for day in known), max(day["followers"] for day in known)
    periods: list[list[Row]] = []
    for day in days:
        if not periods or (day["day"] - periods[-1][-1]["day"]).days > MAX_GAP_DAYS:
            periods.append([])
        periods[-1].append(day)
    middle: float = (low + high) / 2
    span: float = max(high - low, high * LEAST_SPAN, 1)

    def up(followers: float) -> float:
        """Height on 100, from the top: a span takes the 84 in the middle."""
        return round(50.0 - 84.0 * (followers - middle) / span, 2)

    widths = _widths([(period[-1]["day"] - period[0]["day"]).days + 1 for period in periods])
    drawn: list[Row] = []
    for period, width in zip(periods, widths, strict=True):
        gap = (period[0]["day"] - drawn[-1]["last"]).days - 1 if drawn else None
        drawn.append(_period(period, width, up, spells, look) | {"days_without": gap})
    marks = [{"at": up(high), "count": high}, {"at": up(low), "count": low}]
    # Two labels need room for two lines.
    return {"low": low, "high": high, "marks": marks[: 2 if up(low) - up(high) > 10 else 1], "periods": drawn}


def _widths(days: list[int]) -> list[float]:
    """Shares of the page's width, in per cent: by days, none under 12."""
    floor = min(12.0, 100.0 / len(days))
    rest, total = 100.0 - floor * len(days), sum(days)
    return [round(floor + rest * count / total, 2) for count in days]


def _period(
    days: list[Row], width: float, up: Callable[[float], float], spells: list[Row], look: dict[str, Row]
) -> Row:
    """One period's lines and single points as SVG paths on 1000 by 100, and the strip of the tiers held in it."""
    first, last = days[0]["day"], days[-1]["day"]
    length = (last - first).days + 1

    def across(day: date) -> float:
        """Middle of a day on the width."""
        place: float = round(((day - first).days + 0.5) * 1000 / length, 2)
        return place

    runs: list[list[str]] = []
    before: date | None = None
    for day in days:
        if day["followers"] is None:
            before = None
            continue
        # Days without a capture are no line, only two points.
        if before is None or (day["day"] - before).days > 3:
            runs.append([])
        runs[-1].append(f"{across(day['day'])} {up(day['followers'])}")
        before = day["day"]
    line = "".join("M" + "L".join(run) for run in runs if len(run) > 1)
    dots = "".join(f"M{run[0]}h0" for run in runs if len(run) == 1)
    strip = []
    for spell in spells:
        start, end = max(spell["valid_from"], first), min(spell["valid_to"] or date.max, last + timedelta(days=1))
        if start < end:
            at, size = (start - first).days * 100 / length, (end - start).days * 100 / length
            strip.append({"key": look[spell["tier"]]["key"], "left": round(at, 2), "width": round(size, 2)})
    return {"first": first, "last": last, "width": width, "line": line, "dots": dots, "strip": strip}


def _unknown(source: Source, platform: str, account_id: str) -> str:
    """What to say of an account that is not there: those that are near, as commands to type."""
    near = source.rows(NEAREST, platform=platform, wanted=account_id.lower().lstrip("@"))
    lines = [f"no account {_plain(account_id)} on {_plain(platform)} in the published marts."]
    if not near:
        count = source.row("select count(last_seen_date) as accounts from marts.dim_account")["accounts"]
        return f"{lines[0]} None of its {count:,} accounts has an id or handle like it."
    lines.append("Near it:")
    for row in near:
        names = " · ".join(_plain(str(row[name])) for name in ("handle", "display_name") if row[name])
        command = (
            f"make account PLATFORM={shlex.quote(_plain(row['platform']))} ID={shlex.quote(_plain(row['account_id']))}"
        )
        lines.append(f"  {command}{f'  ({names})' if names else ''}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that a terminal prints as it is: what people landed could hold its control codes."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:100]
