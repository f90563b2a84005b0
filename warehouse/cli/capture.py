"""`groundswell capture` and `groundswell watch`: what people see of a capture, and the list of accounts."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import date

import click
from pydantic import ValidationError

from ingestion import ledger
from ingestion.config import Settings, get_settings, login_of_environment, utc_now
from ingestion.errors import LeaseLost, UsageError, nearest
from ingestion.sources.capture import Captured, capture, record_unasked
from ingestion.sources.catalog import SOURCES
from ingestion.sources.errors import CaptureRefused
from ingestion.sources.forecast import forecast
from ingestion.sources.kept import limit_of
from ingestion.sources.settings import FILE, Entry, load_sources
from ingestion.sources.targets import watched_platforms
from ingestion.user_config.watchlist import Watched, add, load_watchlist, remove
from warehouse.cli.command import DONE, FAILED

EXAMPLE = "write `bluesky:` on a line of its own into it (docs/sources/README.md)"


def run(source: str | None, dry_run: bool) -> int:
    """Capture each source, or say what that would take; returns the exit code."""
    settings = get_settings()
    entries = _chosen(settings, source)
    log: Callable[[str], None] = lambda line: click.echo(line, err=True)  # noqa: E731
    for line in unasked(settings, source):
        log(line)
    if dry_run:
        return _dry_run(settings, entries)
    code = DONE
    if source is None:
        record_unasked(settings, entries, utc_now())
    for name, entry in entries.items():
        began = time.monotonic()
        try:
            done = capture(settings, name, entry, login_of_environment, log)
        except (CaptureRefused, LeaseLost) as error:
            log(f"{error}")
            code = FAILED
            continue
        for line in (*done.problems, *summary(done, time.monotonic() - began)):
            click.echo(line)
        if done.failed:
            code = FAILED
    sys.stdout.flush()
    return code


def _dry_run(settings: Settings, entries: dict[str, Entry]) -> int:
    is_over = False
    for name, entry in entries.items():
        try:
            found = forecast(settings, name, entry, utc_now())
        except CaptureRefused as error:
            click.echo(str(error), err=True)
            is_over = True
            continue
        for problem in found.problems:
            click.echo(problem, err=True)
        click.echo(found.line)
        if limit := limit_of(settings, name):
            click.echo(limit)
        if found.is_over:
            click.echo(f"{name}: the budget holds less; what it does not hold is missing with the reason `budget`")
            is_over = True
    click.echo("nobody was asked, nothing is written")
    return FAILED if is_over else DONE


def summary(done: Captured, seconds: float) -> Iterator[str]:
    """Lines for people of what a source brought."""
    if not done.asked:
        yield f"{done.source}: nothing to ask for: no account of it is on the list, or all of today has come"
        return
    units = f", {done.units:,} {SOURCES[done.source].unit}s" if SOURCES[done.source].unit != "call" else ""
    money = f", money {done.money}" if done.money else ""
    took = f"{done.calls:,} calls{units}{money}, {seconds:,.0f} s"
    yield f"{done.source}: {done.received:,} of {done.asked:,} received; {took}"
    for file in done.files:
        yield f"  landing/{file}"
    if done.missing:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(done.missing.items()))
        yield f"  did not come: {reasons}"
    if done.failed:
        yield f"  `groundswell capture --source {done.source}` asks for what is missing once more, today alone"


def _chosen(settings: Settings, source: str | None) -> dict[str, Entry]:
    """The sources to ask. Raises UsageError where there is none of the name, or none at all."""
    entries = load_sources(settings)
    if not entries:
        raise UsageError(f"no source is configured: config/{FILE} is not there or empty; {EXAMPLE}")
    if source is None:
        return entries
    if source not in entries:
        raise UsageError(f"no source {source!r} in config/{FILE}{nearest(source, entries)}")
    return {source: entries[source]}


def unasked(settings: Settings, source: str | None = None) -> Iterator[str]:
    """A line for each platform of the watchlist that no configured source asks."""
    if source is not None:
        return
    reached = {SOURCES[name].platform for name in load_sources(settings)}
    for platform, accounts in sorted(watched_platforms(settings).items()):
        if platform not in reached:
            known = any(each.platform == platform for each in SOURCES.values())
            remedy = f"write `{platform}:` into config/{FILE}" if known else "no source asks that platform yet"
            yield f"watchlist: {len(accounts):,} accounts of {platform} are not asked for: {remedy}"


# --- the watchlist


def add_account(
    platform: str,
    account: str,
    since: date | None,
    legal_basis: str | None,
    latest_posts: int | None,
    tags: str | None,
) -> int:
    """Write one line; returns the exit code."""
    settings = get_settings()
    given = {
        "platform": platform.lower(), "account": account, "since": since, "legal_basis": legal_basis,
        "latest_posts": latest_posts, "tags": tags,
    }  # fmt: skip
    try:
        watched = Watched.model_validate(given)
    except ValidationError as error:
        found = error.errors()[0]
        raise UsageError(f"{found['loc'][0]} {found['input']!r}: {found['msg']}") from error
    path = add(settings, watched)
    click.echo(f"{watched.platform} {watched.account}: captured from {since or 'now'} on ({path})")
    for line in unasked(settings):
        if f" of {watched.platform} " in line:
            click.echo(line, err=True)
    return DONE


def list_accounts(platform: str | None) -> int:
    """Print the list; returns the exit code."""
    settings = get_settings()
    held = load_watchlist(settings)
    for problem in held.problems:
        click.echo(problem, err=True)
    with ledger.read_copy(settings) as connection:
        latest = ledger.latest_outcomes(connection)
    for row in held.rows:
        if platform in (None, row.platform):
            more = [f"{name} {value}" for name, value in list(row.model_dump().items())[2:] if value is not None]
            day, outcome = latest.get((row.platform, row.account), ("", "not captured yet"))
            click.echo(f"{row.platform} {row.account}: {', '.join([f'{day} {outcome}'.strip(), *more])}")
    return FAILED if held.problems else DONE


def remove_account(platform: str, account: str) -> int:
    """Take an account off; returns the exit code."""
    if not remove(get_settings(), platform.lower(), {account}):
        raise UsageError(f"{platform} {account} is not on the list; `groundswell watch list` prints it")
    click.echo(f"{platform} {account}: captured no longer; `groundswell erase` removes what was captured")
    return DONE
