"""Which counts look bought, and is it them or us?

Two suites. The one by date guards the pipeline: that many accounts of a platform become suspicious in one night has
never been seen, so it is a misread file or a broken model. The models withhold the verdicts of such a date, which a
warning names; where it is everybody, publishing stops. The one by account names the accounts whose followers or
engagement look bought, as a warning, for people to look at: a verdict on counts, never on a person.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace

import duckdb

from expectations.suites import Check, Suite, Threshold
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.user_config import load as user_config

MART = "fct_follower_trust_daily"
FEED = "account_snapshots"

# One account is half a per cent of fewer.
MIN_ACCOUNTS_FOR_A_SHARE = 200
# Accounts that a result may hold; the lowest scores come first.
MAX_ACCOUNTS = 1000
# An account that was not seen for longer has no day before.
DAYS_BEFORE = 90

NEWLY_SUSPICIOUS = Threshold(
    maximum=0.02,
    observed="1 of 228 accounts in a night (0.4 %), none in most",
    date="2023-04-01 .. 2023-10-31, bundled curves",
    reason="Who buys does so alone: four times the most ever seen in a night is a misread count of our own. The models"
    " withhold verdicts by the same number (`int_trust__dates_withheld`).",
)
EVERYBODY = Threshold(
    maximum=0.10,
    observed="1 of 228 accounts in a night (0.4 %), none in most",
    date="2023-04-01 .. 2023-10-31, bundled curves",
    reason="A tenth of a platform in one night is everybody: no date is withheld for that, the fault is to be found.",
)
SUSPICIOUS = Threshold(
    maximum=0.10,
    observed="at most 1.5 % of the accounts evaluated on a day",
    date="2023-04-01 .. 2023-10-31, bundled curves",
    reason="Evidence weighs for 90 days, so the share grows; a tenth is six times the most seen.",
)
FOLLOWERS = Threshold(
    minimum=41,
    observed="two to five accounts of 265 within three months",
    date="2023-04-01 .. 2023-10-31, bundled curves",
    reason="Under 41 the verdict is `suspicious` (config table `trust_verdicts`): evidence of at least two signals.",
)
ENGAGEMENT = Threshold(
    minimum=41,
    observed="no open series of posts with daily counts",
    date="2023-04-01 .. 2023-10-31",
    reason="Under 41 the verdict is `suspicious` (config table `trust_verdicts`): evidence of at least two signals.",
)

# One row per platform and planned date that the mart holds. An account is newly suspicious when it was not on its day
# before.
BY_DATE = """
with days as (
    select
        platform, snapshot_date, verdict, engagement_verdict,
        lag(verdict) over (partition by platform, account_id order by snapshot_date) as before,
    from marts.fct_follower_trust_daily
    where snapshot_date >= (select min(day::date) from unnest($days) as t (day)) - $before
)
select
    platform,
    snapshot_date,
    count(*) filter (verdict <> 'insufficient_data') as evaluated,
    count(*) filter (verdict = 'suspicious') as suspicious,
    count(*) filter (verdict = 'suspicious' and before is distinct from 'suspicious') as newly_suspicious,
from days
where snapshot_date in (select unnest($days::date[]))
group by platform, snapshot_date
order by platform, snapshot_date
"""

# Platforms and planned dates whose verdicts the models withheld, with what they saw.
WITHHELD = """
select platform, snapshot_date, main_signal, accounts_evaluated, accounts_newly_suspicious
from intermediate.int_trust__dates_withheld
where snapshot_date in (select unnest($days::date[]))
"""

# Accounts with evidence on the latest planned date, lowest scores first.
BY_ACCOUNT = """
select platform || '/' || account_id, trust_score, engagement_score
from marts.fct_follower_trust_daily
where snapshot_date = (
    select max(snapshot_date) from marts.fct_follower_trust_daily where snapshot_date in (select unnest($days::date[]))
)
    and audience_signals + engagement_signals > 0
order by least(coalesce(trust_score, 100), coalesce(engagement_score, 100)), platform, account_id
limit $limit
"""


def suites(settings: Settings, run_id: str) -> list[Suite]:
    """The suites with their frames: one row per planned date, one per account with evidence on the last of them.

    Raises ContractError when there is no mart to evaluate.
    """
    with ledger.read(settings) as connection:
        planned = ledger.planned_dates(connection, run_id, MART)
        batches = ledger.batches_of_planned_dates(connection, run_id, MART, FEED)
        with_files = len({row["snapshot_date"] for row in batches})
    if not settings.marts_db.exists():
        raise ContractError("there are no marts to check; run build_marts first")
    with closing(duckdb.connect(str(settings.marts_db), read_only=True, config=settings.duckdb_config)) as marts:
        dates = marts.execute(BY_DATE, {"days": planned, "before": DAYS_BEFORE}).fetchall()
        accounts = marts.execute(BY_ACCOUNT, {"days": planned, "limit": MAX_ACCOUNTS}).fetchall()
    with closing(duckdb.connect(str(settings.build_db), read_only=True, config=settings.duckdb_config)) as build:
        withheld = {
            (platform, day): (signal, newly / evaluated)
            for platform, day, signal, evaluated, newly in build.execute(WITHHELD, {"days": planned}).fetchall()
        }

    by_date = Suite("marts.fct_follower_trust_daily", checks_by_date(), expected_rows=with_files)
    for platform, day, evaluated, suspicious, newly in dates:
        signal, share = withheld.get((platform, day), (None, _share(newly, evaluated)))
        subject = f"{platform} {day}{f', mostly {signal}' if signal else ''}"
        cells: Mapping[str, float | None] = {
            "share_of_accounts_newly_suspicious": share,
            "share_of_accounts_suspicious_at_once": share,
            "share_of_accounts_suspicious": _share(suspicious, evaluated),
        }
        for name, value in cells.items():
            by_date.measure(name, subject, value)
    by_account = Suite("marts.suspicious_accounts", _checks_by_account(settings), expected_rows=len(accounts))
    for account, trust_score, engagement_score in accounts:
        by_account.measure("score_of_followers", account, trust_score)
        by_account.measure("score_of_engagement", account, engagement_score)
    return [by_date, by_account]


def checks_by_date() -> list[Check]:
    """Checks of the planned dates with the bounds of the package."""
    return [
        Check(
            "share_of_accounts_newly_suspicious",
            "warning",
            NEWLY_SUSPICIOUS,
            "verdicts of these dates are withheld (null, `verdict_null_reason`): look at the files of those dates,"
            " reject a bad one by `make reject BATCH=`",
        ),
        Check(
            "share_of_accounts_suspicious_at_once",
            "critical",
            EVERYBODY,
            "so many at once is our fault, not theirs: look at the files of that date, take a bad one back by"
            " `make reject BATCH=`, and at the models of trust",
        ),
        Check("share_of_accounts_suspicious", "warning", SUSPICIOUS),
    ]


def _checks_by_account(settings: Settings) -> list[Check]:
    """Checks of accounts: one is named where its verdict is `suspicious`, by the bounds that the user may set."""
    verdicts = user_config.load(settings).tables["trust_verdicts"]
    least = next(item.row.max_score for item in verdicts if item.row.verdict == "suspicious")
    return [
        Check(
            "score_of_followers",
            "warning",
            replace(FOLLOWERS, minimum=least),
            "read `fct_follower_flag` for what it looks like, and what else it could be",
        ),
        Check(
            "score_of_engagement",
            "warning",
            replace(ENGAGEMENT, minimum=least),
            "read `fct_follower_flag` for what it looks like, and what else it could be",
        ),
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole >= MIN_ACCOUNTS_FOR_A_SHARE else None
