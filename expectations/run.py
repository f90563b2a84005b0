"""The two gates of a run: landing data before it is built, marts before they are published.

Every result is recorded before anything is raised. A critical failure blocks publishing and leaves the last good
release readable; a warning is recorded and reported.
"""

from collections.abc import Callable
from datetime import date

from expectations.suites import Suite
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from ingestion.text import shown


def check_landing(
    settings: Settings, run_id: str, day: date, log: Callable[[str], None] = print
) -> list[dict[str, object]]:
    """Check what has landed of every feed, on every date that no release holds yet. Returns one row per check.

    Raises ContractError when a critical check failed that nobody has acknowledged, or a raw file is damaged.
    """
    from expectations import thresholds
    from expectations.suites.landing import feed

    return _evaluate(settings, run_id, feed.suites(settings, run_id, day, thresholds.limits(settings)), log)


def check_marts(
    settings: Settings, run_id: str, day: date, log: Callable[[str], None] = print
) -> list[dict[str, object]]:
    """Check the dates that this run has built. Returns one row per check.

    Raises ContractError when a critical check failed, or nothing was built.
    """
    from expectations.suites.marts import fct_account_daily, fct_follower_trust_daily, withdrawals

    suites = [fct_account_daily.suite(settings, run_id), *fct_follower_trust_daily.suites(settings, run_id)]
    withdrawn = withdrawals.suite(settings)
    suites += [withdrawn] if withdrawn else []
    return _evaluate(settings, run_id, suites, log)


def _evaluate(
    settings: Settings, run_id: str, suites: list[Suite], log: Callable[[str], None]
) -> list[dict[str, object]]:
    from expectations import thresholds
    from expectations.checkpoints import run_suite

    thresholds.apply(settings, suites)
    results = []
    for suite in suites:
        found = run_suite(settings, run_id, suite)
        ledger.record_checks(settings, run_id, found)
        log(_table(suite.name, found))
        results += found
    failed = [r for r in results if r["severity"] == "critical" and not r["passed"] and not r["is_acknowledged"]]
    if failed:
        blocked = ", ".join(dict.fromkeys(str(r["suite"]) for r in failed))
        raise ContractError(
            f"{blocked} is blocked, nothing is published and the last release stays:\n- "
            + "\n- ".join(shown(f"{r['expectation']}: {r['detail']}") for r in failed)
        )
    return results


def _answer(result: dict[str, object]) -> str:
    if result["passed"]:
        return "yes"
    return "known" if result["is_acknowledged"] else "NO"


def _table(suite: str, results: list[dict[str, object]]) -> str:
    lines = [f"{suite:<34} {'severity':<8} {'passed':<6} {'observed':<40} threshold"]
    lines += [
        f"{r['expectation']!s:<34} {r['severity']!s:<8} {_answer(r):<6}"
        f" {r['observed'] or 'unknown'!s:<40} {r['threshold']}"
        for r in results
    ]
    return "\n".join(shown(line.rstrip()) for line in lines)
