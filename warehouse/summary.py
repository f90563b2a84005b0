"""What a person reads at the end of a run: days, accounts, tiers, rows quarantined, failed checks, where things are."""

import os
from contextlib import closing
from pathlib import Path

import duckdb

from ingestion import ledger
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.errors import ContractError
from ingestion.text import shown
from warehouse.release import releases

# Of checks that failed, those that a message names.
FAILED_SHOWN = 3
PUBLISHED_NOTHING = "published nothing"
FINISHED = ("published", "unchanged", "superseded")


def require_finished(settings: Settings, run_id: str) -> None:
    """Raise ContractError unless the run has published, or found nothing to publish."""
    with ledger.read(settings) as connection:
        row = ledger.plan_of(connection, run_id)
        failed = [
            check
            for check in ledger.failed_checks(connection, run_id)
            if check["severity"] == "critical" and not check["is_acknowledged"]
        ]
    if row is None or row["state"] not in FINISHED:
        raise ContractError(f"run {run_id} {PUBLISHED_NOTHING} ({_why(failed)}); readers keep the last good release")


def _why(failed: list[ledger.Row]) -> str:
    """The first checks that failed, each with what it saw; not those that were not run because of them."""
    told = [check for check in failed if check["detail"] != ledger.NOT_RUN]
    lines = [
        f"{check['suite']}.{check['expectation']}: {shown(check['detail'] or 'failed')}"
        for check in told[:FAILED_SHOWN]
    ]
    more = [f"and {len(told) - FAILED_SHOWN} more"] if len(told) > FAILED_SHOWN else []
    return "; ".join([*lines, *more]) or "see the log of the failed task"


def summarise(settings: Settings, run_id: str) -> str:
    """Short, aligned lines about one run and the release that readers see now."""
    with ledger.read(settings) as connection:
        plan = ledger.plan_of(connection, run_id)
        rows = ledger.totals_of_run(connection, run_id)
        checks = ledger.checks_of_run(connection, run_id)
    failed = [check for check in checks if not check["passed"]]
    state = plan["state"] if plan else "failed before it was planned"
    lines = [
        f"day          {plan['day'] if plan else 'unknown'} ({state})",
        f"landed       {rows['files']} new files: {rows['read']:,} rows read = {rows['accepted']:,} accepted"
        f" + {rows['quarantined']:,} quarantined + {rows['duplicate']:,} duplicate"
        + (f"; {rows['set_aside']} files quarantined whole" if rows["set_aside"] else ""),
    ]
    release = releases.latest(settings)
    lines += _release_lines(release) if release else ["release      none yet"]
    lines.append(f"checks       {len(checks) - len(failed)} of {len(checks)} passed")
    lines += [
        f"  {'known' if check['is_acknowledged'] else check['severity']:<9}  {check['suite']}.{check['expectation']}:"
        f" observed {check['observed']}, expected {check['threshold']}"
        for check in failed
    ]
    if rows["quarantined"] or rows["set_aside"]:
        lines.append(f"quarantine   {_shown(settings.quarantine)}")
    if release:
        lines.append(
            f"marts        {_shown(settings.published / releases.DATABASE)}  (schema marts; open it read-only)"
        )
    lines.append(f"report       {_shown(settings.reports / 'index.html')}")
    lines.append(f"data docs    {_shown(settings.reports / 'data_docs' / 'index.html')}")
    return "\n".join(lines)


def _shown(path: Path) -> str:
    """A path as a person in the current folder would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _release_lines(release: Path) -> list[str]:
    with closing(duckdb.connect(str(release / releases.DATABASE), read_only=True, config=DUCKDB_CONFIG)) as marts:
        days = marts.execute(
            "select count(distinct snapshot_date), min(snapshot_date), max(snapshot_date) from marts.fct_account_daily"
        ).fetchone()
        accounts = marts.execute("select count(last_seen_date) from marts.dim_account").fetchone()
        latest = marts.execute(
            "select max(snapshot_date) from marts.fct_account_daily where followers is not null"
        ).fetchone()
        tiers = marts.execute(
            "select coalesce(tier, 'unknown'), count(*) from marts.fct_account_daily where snapshot_date = ?"
            " group by 1 order by count(*) desc, 1",
            [latest[0] if latest else None],
        ).fetchall()
    assert days is not None
    assert accounts is not None
    if not days[0]:
        return [f"release      {release.name}, without accounts"]
    shown = ", ".join(f"{name} {count:,}" for name, count in tiers)
    return [
        f"release      {release.name}",
        f"days         {days[0]} with a capture, {days[1]} .. {days[2]}",
        f"accounts     {accounts[0]:,}",
        f"tiers        {shown}  (on {latest[0] if latest else 'no day'})",
    ]
