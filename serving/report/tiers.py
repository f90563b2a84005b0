"""What several sections share: the days that are shown, the tiers of the default scheme, and their colours."""

from dataclasses import dataclass, field
from typing import Any

from serving.report.source import Row, Source

# A page stays readable, and small, with about a year of bars.
MAX_DAYS = 400
# A season without data is drawn as a break, not as empty space.
MAX_GAP_DAYS = 60
# More periods than this leave no room for their bars on a telephone.
MAX_PERIODS = 6

# From small to large audiences. Lightness falls (in the dark: rises) evenly, so the order survives colour blindness
# and print.
SCALE_LIGHT = ("#cfe3dc", "#94cdbf", "#4fa9a8", "#2b7a99", "#2a4f87", "#231f5c")
SCALE_DARK = ("#2b4650", "#2d6f7d", "#3d9a9b", "#7cc4a9", "#bfe3b9", "#f3f6cf")
GREY_LIGHT, GREY_DARK = "#b9b4a8", "#5b646d"
OUTSIDE = {"unclassified": "Outside every tier", "no tier": "No tier defined", "unknown": "Followers unknown"}

DAYS = """
create or replace temp table days as
select snapshot_date, count(*) as accounts, count(followers) as known, sum(followers) as followers
from marts.fct_account_daily
group by snapshot_date
"""

# The latest days, cut into periods wherever the calendar has a long gap.
SHOWN = f"""
create or replace temp table shown as
with latest as (select * from days order by snapshot_date desc limit {MAX_DAYS}),

gaps as (select *, snapshot_date - lag(snapshot_date) over (order by snapshot_date) as gap_days from latest),

periods as (
    select *, count(*) filter (where gap_days > {MAX_GAP_DAYS}) over (order by snapshot_date) as period from gaps
)

select * from periods qualify period > max(period) over () - {MAX_PERIODS}
"""

LABELLED = """
case when followers is null then 'unknown' when tier is null then 'no tier' else tier end
"""

COUNTED = f"""
create or replace temp table counted as
select snapshot_date, {LABELLED} as tier, count(*) as accounts, sum(followers) as followers
from marts.fct_account_daily
where snapshot_date in (select snapshot_date from shown)
group by all
"""

# The scheme's tiers from small to large, whether seen or not; what lies outside them only where it is seen.
TIERS = """
create or replace temp table tiers as
with scheme_tiers as (
    select tier, min(tier_rank) as place from marts.dim_tier_scheme where scheme = $scheme group by tier
),

seen as (select distinct tier from counted)

select
    coalesce(scheme_tiers.tier, seen.tier) as tier,
    case coalesce(scheme_tiers.tier, seen.tier)
        when 'below' then 0 when 'unclassified' then 1001 when 'no tier' then 1002 when 'unknown' then 1003
        else coalesce(scheme_tiers.place, 1000)
    end as place
from scheme_tiers full join seen on scheme_tiers.tier = seen.tier
"""

GRID = """
create or replace temp table grid as
select
    shown.period, shown.snapshot_date, tiers.tier, tiers.place,
    coalesce(counted.accounts, 0) as accounts,  -- no row: no account of that tier on that day
    counted.followers
from shown cross join tiers
left join counted on shown.snapshot_date = counted.snapshot_date and tiers.tier = counted.tier
"""

KEY_FIGURES = """
select
    (select count(last_seen_date) from marts.dim_account) as accounts,
    count(*) as days,
    min(snapshot_date) as first_day,
    max(snapshot_date) as latest_day,
    max(snapshot_date) filter (where known > 0) as known_day,
    max_by(accounts, snapshot_date) as latest_accounts,
    max_by(accounts - known, snapshot_date) as latest_unknown
from days
"""

MIX = """
select tier, place, accounts, cast(followers as bigint) as followers
from grid where snapshot_date = $day order by place, tier
"""

SIMULATED = """
select
    count(distinct (platform, account_id)) as accounts, min(snapshot_date) as first_day,
    max(snapshot_date) as last_day, count(*) filter (where snapshot_date = $day) as on_known_day
from marts.fct_account_daily
where data_origin = 'simulated' and snapshot_date in (select snapshot_date from shown)
"""


@dataclass(frozen=True)
class Common:
    """What the whole page stands on: key figures of the release, the scheme's tiers with their look, the latest mix.

    Before the first release, and while it holds no account, `figures["latest_day"]` is null and there is no mix.
    `simulated` counts the simulated accounts on the days shown, and on the day of the mix. `pages` holds the address of
    each account's own page, by platform and id, where it has one.
    """

    figures: Row
    tiers: list[Row]
    mix: Row | None
    simulated: Row
    pages: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def look(self) -> dict[str, Row]:
        return {tier["tier"]: tier for tier in self.tiers}

    @property
    def labels(self) -> tuple[str, ...]:
        """Tiers as people read them, from small to large."""
        return tuple(tier["label"] for tier in self.tiers)


def read_common(source: Source) -> Common:
    """Make the temporary tables `days`, `shown`, `counted`, `tiers` and `grid` that sections read, and the figures."""
    if source.marts is None:
        return Common({"accounts": 0, "days": 0, "latest_day": None, "known_day": None}, [], None, {"accounts": 0})
    for statement in (DAYS, SHOWN, COUNTED):
        source.run(statement)
    source.run(TIERS, scheme=source.settings.default_scheme)
    source.run(GRID)
    figures = source.row(KEY_FIGURES)
    tiers = dress([row["tier"] for row in source.rows("select tier from tiers order by place, tier")])
    mix = _mix(source.rows(MIX, day=figures["known_day"]))
    return Common(figures, tiers, mix, source.row(SIMULATED, day=figures["known_day"]))


def dress(names: list[str]) -> list[Row]:
    """Tiers in the order given with a label and a colour for light and dark; those outside the scale are grey."""
    on_scale = [name for name in names if name not in OUTSIDE]
    tiers = []
    for index, name in enumerate(names):
        at = on_scale.index(name) / max(len(on_scale) - 1, 1) if name in on_scale else None
        tiers.append(
            {
                "tier": name,
                "key": f"t{index}",
                "label": label(name),
                "light": GREY_LIGHT if at is None else _shade(SCALE_LIGHT, at),
                "dark": GREY_DARK if at is None else _shade(SCALE_DARK, at),
                "is_unknown": name == "unknown",
            }
        )
    return tiers


def label(tier: Any) -> str:
    """A tier's name as people read it."""
    return OUTSIDE.get(tier, "Below the lowest tier" if tier == "below" else str(tier).capitalize())


def _shade(scale: tuple[str, ...], at: float) -> str:
    """Colour at a place from 0 to 1 of a scale."""
    place = at * (len(scale) - 1)
    low = min(int(place), len(scale) - 2)
    pairs = ((int(scale[low][i : i + 2], 16), int(scale[low + 1][i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in pairs)


def _mix(rows: list[Row]) -> Row | None:
    """Tiers of one day with their shares of accounts and of known followers; null where no followers are known."""
    accounts = sum(row["accounts"] for row in rows)
    followers = sum(row["followers"] or 0 for row in rows)
    known = sum(row["accounts"] for row in rows if row["tier"] != "unknown")
    if not known:
        return None
    shown = [
        {
            **row,
            "share": row["accounts"] / known if row["tier"] != "unknown" else None,
            "share_of_followers": row["followers"] / followers if followers and row["followers"] is not None else None,
        }
        for row in rows
    ]
    held = [row for row in shown if row["tier"] not in OUTSIDE and row["tier"] != "below" and row["accounts"]]
    top = held[-1] if held else None
    return {"rows": shown, "accounts": accounts, "known": known, "followers": followers, "top": top}
