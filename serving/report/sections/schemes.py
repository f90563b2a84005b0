"""The same accounts under every tier scheme."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common

# Compact enough for one table: the eight seeded schemes name eleven tiers.
MAX_SCHEMES = 20
MAX_TIERS = 16

TIERS = """
select tier
from (
    select tier, min(min_followers) as place from marts.dim_tier_scheme group by tier
    union all values ('below', -1), ('unclassified', 9e18), ('unknown', 9.1e18)
)
order by place, tier
"""

SCHEMES = """
with seen as (
    select scheme, coalesce(tier, 'unknown') as tier, count(*) as accounts
    from marts.fct_account_tier_daily where snapshot_date = $day group by all
),

named as (
    select distinct scheme, tier from marts.dim_tier_scheme where scheme in (select scheme from seen)
),

cells as (
    select
        coalesce(named.scheme, seen.scheme) as scheme, coalesce(named.tier, seen.tier) as tier,
        coalesce(seen.accounts, 0) as accounts  -- no row: no account in that tier
    from named full join seen on named.scheme = seen.scheme and named.tier = seen.tier
)

select
    scheme, map(list(tier order by tier), list(accounts order by tier)) as counts,
    cast(sum(accounts) as bigint) as accounts
from cells group by scheme order by scheme <> $scheme, scheme
"""


def read(source: Source, common: Common) -> Row | None:
    """Accounts by scheme and tier on the latest known day; null when there are none, or too many for one table."""
    rows = source.rows(SCHEMES, day=common.figures["known_day"], scheme=source.settings.default_scheme)
    seen = {tier for row in rows for tier in row["counts"]}
    tiers = [row["tier"] for row in source.rows(TIERS) if row["tier"] in seen]
    is_compact = 0 < len(rows) <= MAX_SCHEMES and len(tiers) <= MAX_TIERS
    return {"tiers": tiers, "rows": rows} if is_compact else None


SECTION = Section("schemes", "Schemes", read, ("fct_account_tier_daily", "dim_tier_scheme"))
