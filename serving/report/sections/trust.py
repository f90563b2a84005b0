"""Whose counts look bought: verdicts by tier, and the accounts with evidence, each with its curve and the words.

A verdict is on counts, never on a person: the page says what it looks like and what else it could be.
"""

from datetime import date

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

SHOWN = 12
REASONS = 4
# As far as evidence weighs, and a month before it.
CURVE_DAYS = 120
VERDICTS = ("trusted", "watch", "suspicious", "insufficient_data")

# Verdicts are of the day on which the latest of them could be passed: on a day of an outage nobody can be evaluated.
DAY = """
select
    coalesce(max(snapshot_date) filter (where verdict <> 'insufficient_data'), max(snapshot_date)) as day,
    max(snapshot_date) as latest_day
from marts.fct_follower_trust_daily
"""

BY_TIER = """
select
    coalesce(daily.tier, case when daily.followers is null then 'unknown' else 'no tier' end) as tier,
    count(*) as accounts,
    count(*) filter (where trust.verdict = 'trusted') as trusted,
    count(*) filter (where trust.verdict = 'watch') as watch,
    count(*) filter (where trust.verdict = 'suspicious') as suspicious,
    count(*) filter (where trust.verdict = 'insufficient_data') as insufficient_data,
    count(*) filter (where trust.engagement_verdict = 'suspicious') as engagement_suspicious,
    count(*) filter (where trust.engagement_verdict <> 'insufficient_data') as engagement_evaluated,
    count(*) filter (where trust.data_origin = 'simulated') as simulated
from marts.fct_follower_trust_daily as trust
inner join marts.fct_account_daily as daily
    on trust.platform = daily.platform and trust.account_id = daily.account_id
    and trust.snapshot_date = daily.snapshot_date
where trust.snapshot_date = $day
group by all
"""

FLAGGED = """
select
    trust.*, daily.followers, daily.tier, count(*) over () as flagged, left(accounts.display_name, 80) as display_name
from marts.fct_follower_trust_daily as trust
inner join marts.fct_account_daily as daily
    on trust.platform = daily.platform and trust.account_id = daily.account_id
    and trust.snapshot_date = daily.snapshot_date
left join marts.dim_account as accounts
    on trust.platform = accounts.platform and trust.account_id = accounts.account_id
where
    trust.snapshot_date = $day
    and (trust.verdict in ('suspicious', 'watch') or trust.engagement_verdict in ('suspicious', 'watch'))
order by
    least(coalesce(trust.trust_score, 100), coalesce(trust.engagement_score, 100)),
    trust.platform, trust.account_id
limit $many
"""

CURVE = """
select snapshot_date as day, followers
from marts.fct_account_daily
where platform = $platform and account_id = $account_id and followers is not null
    and snapshot_date between $day - $days and $day
order by snapshot_date
"""

FLAGS = """
select signal, points, explanation, first_flagged
from marts.fct_follower_flag
where platform = $platform and account_id = $account_id and first_flagged <= $day and window_end >= $day - 90
    and (misread_on is null or misread_on > $day) and (ended_on is null or ended_on >= $day)
order by points desc, signal
"""


def read(source: Source, common: Common) -> Row | None:
    """Verdicts by tier on the latest day that can be evaluated, and the accounts with evidence; null without a row."""
    days = source.row(DAY)
    if days["day"] is None:
        return None
    order = {tier["tier"]: place for place, tier in enumerate(common.tiers)}
    tiers = sorted(source.rows(BY_TIER, day=days["day"]), key=lambda row: order.get(row["tier"], len(order)))
    flagged = source.rows(FLAGGED, day=days["day"], many=SHOWN)
    totals = {name: sum(row[name] for row in tiers) for name in tiers[0] if name != "tier"} if tiers else {}
    return {
        **days,
        "tiers": [row | {"label": label(row["tier"])} for row in tiers],
        "totals": totals,
        "flagged_count": flagged[0]["flagged"] if flagged else 0,
        "flagged": [row | _shown(source, row, days["day"]) for row in flagged],
    }


def _shown(source: Source, row: Row, day: date) -> Row:
    who = {"platform": row["platform"], "account_id": row["account_id"], "day": day}
    points, flags = source.rows(CURVE, days=CURVE_DAYS, **who), source.rows(FLAGS, **who)
    scores = [score for score in (row["trust_score"], row["engagement_score"]) if score is not None]
    verdicts = (
        ("followers", row["verdict"], row["trust_score"]),
        ("likes and comments", row["engagement_verdict"], row["engagement_score"]),
    )
    return {
        "lowest_score": min(scores, default=None),
        "verdicts": [one for one in verdicts if one[1] in ("suspicious", "watch")],
        "tier_label": None if row["tier"] is None else label(row["tier"]),
        "flags": flags[:REASONS],
        "since": min((flag["first_flagged"] for flag in flags), default=None),
        "curve": _curve(points, row["evidence_window_start"], row["evidence_window_end"]),
    }


def _curve(points: list[Row], start: date | None, end: date | None) -> Row | None:
    """A curve of known followers as an SVG path in a box of 100 by 40, and the evidence window as a band in it."""
    if len(points) < 2:
        return None
    first, last = points[0]["day"], points[-1]["day"]
    counts = [point["followers"] for point in points]
    low, high = min(counts), max(counts)
    days = (last - first).days

    def across(on: date) -> float:
        return float(100 * min(max((on - first).days / days, 0), 1))

    steps = [
        f"{across(point['day']):.1f} {38 - 36 * (point['followers'] - low) / max(high - low, 1):.1f}"
        for point in points
    ]
    left, right = across(start or first), across(end or last)
    return {
        "line": "M" + "L".join(steps), "band_left": round(left, 1), "band_width": round(max(right - left, 1.0), 1),
        "first": first, "last": last, "low": low, "high": high,
    }  # fmt: skip


SECTION = Section(
    "trust", "Trust", read, ("fct_follower_trust_daily", "fct_follower_flag", "fct_account_daily", "dim_account")
)
