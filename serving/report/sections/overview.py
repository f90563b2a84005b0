"""The first screen: what went out and came back, who did best and worst, whose counts look bought, what moved."""

from collections.abc import Callable
from datetime import date

import duckdb

from serving.report import returns
from serving.report.sections.movers import MOVERS, MOVERS_OF, MOVES, SUMMARY
from serving.report.sections.section import Section
from serving.report.source import Row, Source
from serving.report.tiers import Common, label
from serving.report.words import VERDICTS

LISTED = 3
NAMED = 4

# What is simulated, by the plain name of what the rows of a mart are.
MADE_UP = {
    "dim_account": "accounts",
    "fct_account_daily": "daily counts of accounts",
    "fct_post": "posts",
    "dim_collaboration": "collaborations",
    "fct_spend_ledger": "costs",
    "fct_order": "orders",
}

TIER_CHANGES = """
select
    count(*) filter (where direction = 'up') as up, count(*) filter (where direction = 'down') as down,
    max_by(platform, followers) filter (where direction = 'up') as platform,
    max_by(account_id, followers) filter (where direction = 'up') as account_id,
    max_by(display_name, followers) filter (where direction = 'up') as display_name,
    max_by(tier, followers) filter (where direction = 'up') as tier
from (
    select changes.*, left(accounts.display_name, 80) as display_name, coalesce(daily.followers, 0) as followers
    from marts.dim_account_tier_history as changes
    left join marts.dim_account as accounts
        on changes.platform = accounts.platform and changes.account_id = accounts.account_id
    left join marts.fct_account_daily as daily
        on changes.platform = daily.platform and changes.account_id = daily.account_id
        and changes.valid_from = daily.snapshot_date
    where changes.scheme = $scheme and changes.valid_from = $day and changes.previous_tier is not null
)
"""

# Verdicts that are new against the day before; one that could not be passed on either day is none.
NEW_VERDICTS = """
with verdicts as (
    select
        platform, account_id, snapshot_date,
        verdict = 'suspicious' or coalesce(engagement_verdict, '') = 'suspicious' as is_suspicious,
        verdict = 'watch' or coalesce(engagement_verdict, '') = 'watch' as is_watch
    from marts.fct_follower_trust_daily
    where snapshot_date between cast($day as date) - 1 and $day
)

select
    count(*) filter (where today.is_suspicious and not before.is_suspicious) as suspicious,
    count(*) filter (where today.is_watch and not before.is_watch and not today.is_suspicious) as watch,
    count(*) filter (where before.is_suspicious and not today.is_suspicious) as cleared
from verdicts as today
inner join verdicts as before
    on today.platform = before.platform and today.account_id = before.account_id
    and today.snapshot_date = before.snapshot_date + 1
where today.snapshot_date = $day
"""

MONEY_OF_DAYS = """
select
    sum(spend_base) filter (where activity_date = $day) as spend,
    sum(net_revenue_base) filter (where activity_date = $day) as net_revenue,
    sum(net_revenue_base) filter (where activity_date = cast($day as date) - 1) as net_revenue_before
from marts.fct_return_daily
where attribution_model = $model and activity_date between cast($day as date) - 1 and $day
"""


def read(source: Source, common: Common) -> Row:
    """What the first screen says; a block whose marts are missing, or of older code, is null and is left out."""
    state = source.state
    has_accounts = bool(common.figures["latest_day"])

    def block(make: Callable[[], Row | None], *marts: str) -> Row | None:
        if not (has_accounts and source.holds(*marts)):
            return None
        try:
            return make()
        except duckdb.BinderException:
            return None

    day = common.figures["known_day"]
    return {
        "status": state["status"],
        "is_stopped": state["status"].kind in ("blocked", "open"),
        "simulated": _simulated(source),
        "money": block(lambda: _money(source), *returns.MONEY_MARTS),
        "creators": block(lambda: _creators(source, common), *returns.ACCOUNT_MARTS),
        "moved": block(
            lambda: _moved(source, day), "fct_account_daily", "dim_account", "dim_account_tier_history",
            "fct_follower_trust_daily", "fct_return_daily",
        ),
        "tally": state["tally"] if state["checks"] else None,
        "totals": state["totals"],
    }  # fmt: skip


def _money(source: Source) -> Row | None:
    """Totals, and the campaigns that returned most and least; null before any money."""
    of = returns.as_of(source)
    found = returns.totals(source, of["as_of"]) if of["as_of"] else None
    if found is None:
        return None
    rows = returns.campaigns(source, of["as_of"])
    best, worst = returns.best_and_worst(rows, "spend_base", returns.least_of_campaigns(rows), LISTED)
    return of | found | {"campaigns": len(rows), "best": best, "worst": worst}


def _creators(source: Source, common: Common) -> Row | None:
    """Who to keep, who to question, and whose counts look bought."""
    rows = returns.accounts(source, common)
    if not rows:
        return None
    least = returns.least_spend(rows, "spend")
    bought = [row for row in rows if row["worst"] == "suspicious"]
    return {
        "has_money": least is not None,
        "keep": returns.to_keep(rows, least, LISTED),
        "question": returns.to_question(rows, least, LISTED),
        "bought": bought[:NAMED],
        "bought_count": len(bought),
        "bought_paid": sum(bool(row["collaborations"]) for row in bought),
        "watched": sum(row["worst"] == "watch" for row in rows),
        "evaluated": sum(row["worst"] != "insufficient_data" for row in rows),
        "verdicts": VERDICTS,
    }


def _moved(source: Source, day: date | None) -> Row | None:
    """What is new against the day before: followers, tiers, verdicts, sales; null before any count is known."""
    if day is None:
        return None
    source.run(MOVES)
    steps = [
        row for sign in (1, -1) for row in source.rows(MOVERS_OF, sign=sign, many=MOVERS) if not row["is_one_step"]
    ]
    tiers = source.row(TIER_CHANGES, day=day, scheme=source.settings.default_scheme)
    money_day = returns.as_of(source)["as_of"] if source.holds("fct_campaign_roi") else None
    return {
        **source.row(SUMMARY),
        "gain": next((row for row in steps if row["per_day"] > 0), None),
        "loss": next((row for row in steps if row["per_day"] < 0), None),
        "tiers": tiers | {"label": label(tiers["tier"])},
        "verdicts": source.row(NEW_VERDICTS, day=day),
        "sales": source.row(MONEY_OF_DAYS, day=money_day, model=returns.MODEL) if money_day else None,
        "money_day": money_day,
    }


def _simulated(source: Source) -> str | None:
    """What is made up, in words; null where nothing is."""
    found = source.simulated
    if not found:
        return None
    parts = [
        f"{'all' if found[mart][0] == found[mart][1] else f'{found[mart][0]:,} of'} {found[mart][1]:,} {name}"
        for mart, name in MADE_UP.items()
        if mart in found and not (mart == "fct_account_daily" and "dim_account" in found)
    ]
    return ", ".join(parts) or "some rows"


SECTION = Section("overview", "Today", read)
