"""The largest gains and losses of followers up to the latest day with changes."""

from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common

MOVERS = 10

# A period's change is per elapsed day; what it stands on is the count before it.
MOVES = """
create or replace temp table moves as
select
    platform, account_id, snapshot_date as day, followers, gap_days, count_resolution, data_origin,
    followers_change_per_day as per_day,
    followers_change_per_day / nullif(followers - followers_change_per_day * gap_hours / 24, 0) as share_per_day,
    abs(followers_change_per_day * gap_hours / 24) <= count_resolution and count_resolution > 1 as is_one_step
from marts.fct_account_daily
where
    followers_change_per_day is not null
    and snapshot_date = (
        select max(snapshot_date) from marts.fct_account_daily where followers_change_per_day is not null
    )
"""

SUMMARY = """
select
    any_value(day) as day, count(*) as measured, count(*) filter (where per_day > 0) as rose,
    count(*) filter (where per_day < 0) as fell, count(*) filter (where per_day = 0) as stood
from moves
"""

MOVERS_OF = """
select moves.*, left(accounts.display_name, 80) as display_name
from moves
left join marts.dim_account as accounts
    on moves.platform = accounts.platform and moves.account_id = accounts.account_id
where moves.per_day * $sign > 0
order by moves.per_day * $sign desc, abs(moves.share_per_day) desc nulls last, moves.platform, moves.account_id
limit $many
"""


def read(source: Source, common: Common) -> Row:
    """How many accounts rose and fell, and those that moved most."""
    source.run(MOVES)
    return {
        **source.row(SUMMARY),
        "gains": source.rows(MOVERS_OF, sign=1, many=MOVERS),
        "losses": source.rows(MOVERS_OF, sign=-1, many=MOVERS),
    }


SECTION = Section("movers", "Movers", read, ("fct_account_daily", "dim_account"))
