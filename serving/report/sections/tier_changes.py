"""Who moved between tiers: the held tier of the default scheme, which changes only after seven days in a row."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label

LATEST = 12
# A quarter: long enough for a change that takes seven days, short enough to be news.
RECENT_DAYS = 90
# Columns that fit a page.
HELD_DAYS = 6

SPELLS = """
create or replace temp table spells as
select history.*, accounts.last_seen_date
from marts.dim_account_tier_history as history
join marts.dim_account as accounts
    on history.platform = accounts.platform and history.account_id = accounts.account_id
where history.scheme = $scheme
"""

# The first and the last day of each period shown. An account that nobody has captured for long still stands in its last
# tier: it is counted only while it was seen.
HELD = f"""
with ends as (
    select period, unnest([min(snapshot_date), max(snapshot_date)]) as day from shown group by period
),

days as (select distinct day from ends order by day desc limit {HELD_DAYS})

select
    days.day, spells.tier, count(*) as accounts, count(*) filter (where spells.data_origin = 'simulated') as simulated
from days
join spells
    on days.day >= spells.valid_from
    and (spells.valid_to is null or days.day < spells.valid_to)
    and days.day <= spells.last_seen_date
group by all order by all
"""

FLOWS = """
select
    previous_tier, tier, direction, count(*) as changes,
    count(*) filter (where data_origin = 'simulated') as simulated,
    count(*) filter (where valid_from > $day - $recent) as recent
from spells where direction <> 'entry'
group by all order by changes desc, previous_tier, tier, direction
"""

TIER_CHANGES = """
select
    spells.platform, spells.account_id, spells.valid_from, spells.tier, spells.previous_tier, spells.direction,
    spells.data_origin, left(accounts.display_name, 80) as display_name,
    ended.days_in_tier as days_before, ended.direction = 'entry' as was_entry
from spells
left join spells as ended
    on spells.platform = ended.platform and spells.account_id = ended.account_id and spells.valid_from = ended.valid_to
left join marts.dim_account as accounts
    on spells.platform = accounts.platform and spells.account_id = accounts.account_id
where spells.direction = $direction
order by spells.valid_from desc, spells.platform, spells.account_id
limit $many
"""


def read(source: Source, common: Common) -> Row:
    """Tier changes by tier and direction, the latest of them, and the accounts that held each tier day by day."""
    source.run(SPELLS, scheme=source.settings.default_scheme)
    flows = source.rows(FLOWS, day=common.figures["latest_day"], recent=RECENT_DAYS)
    for flow in flows:
        flow |= {"from_label": label(flow["previous_tier"]), "to_label": label(flow["tier"])}
    return {
        "flows": flows,
        "changes": sum(flow["changes"] for flow in flows if flow["direction"] != "rescheme"),
        "recent": sum(flow["recent"] for flow in flows if flow["direction"] != "rescheme"),
        "recent_days": RECENT_DAYS,
        "up": _tier_changes(source, "up"),
        "down": _tier_changes(source, "down"),
        "held": _held(source.rows(HELD), common),
    }


def _tier_changes(source: Source, direction: str) -> list[Row]:
    rows = source.rows(TIER_CHANGES, direction=direction, many=LATEST)
    return [row | {"from_label": label(row["previous_tier"]), "to_label": label(row["tier"])} for row in rows]


def _held(rows: list[Row], common: Common) -> Row | None:
    """Accounts by held tier, a column a day; null where no tier was held on any."""
    if not rows:
        return None
    counts = {(row["day"], row["tier"]): row["accounts"] for row in rows}
    seen = {row["tier"] for row in rows}
    tiers = [tier for tier in common.tiers if tier["tier"] in seen]
    columns = [
        {
            "day": day,
            "accounts": sum(counts.get((day, tier["tier"]), 0) for tier in tiers),
            "by_tier": [counts.get((day, tier["tier"]), 0) for tier in tiers],
            "simulated": sum(row["simulated"] for row in rows if row["day"] == day),
        }
        for day in sorted({row["day"] for row in rows})
    ]
    return {"tiers": tiers, "days": columns}


SECTION = Section("tier_changes", "Tier changes", read, ("dim_account_tier_history", "dim_account"))
