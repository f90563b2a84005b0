"""The bounds by which checks go: the package's, or those of the user's `thresholds.yml` in their place."""

from dataclasses import replace

from expectations.suites import Check, Suite, Threshold
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ConfigError, nearest
from ingestion.user_config import load as user_config
from ingestion.user_config.thresholds import PlacedThreshold

# The marts that are evaluated are made of it.
FEED_OF_MARTS = "account_snapshots"


def feed_of(suite: str) -> str:
    """The feed by which a user names a suite's checks: its own, or the one that the mart is made of."""
    table = suite.rpartition(".")[2]
    if table == "withdrawals":
        return "orders"
    return table if table in load_feeds() else FEED_OF_MARTS


def all_checks(settings: Settings) -> dict[str, list[Check]]:
    """Checks of every suite by feed, with the package's bounds."""
    from expectations.suites.landing import account_snapshots, post_snapshots
    from expectations.suites.marts import fct_account_daily, fct_follower_trust_daily, withdrawals

    return {
        account_snapshots.FEED: [
            *account_snapshots.checks(settings),
            *fct_account_daily.checks(),
            *fct_follower_trust_daily.checks_by_date(),
        ],
        post_snapshots.FEED: post_snapshots.checks(settings),
        withdrawals.ORDERS: withdrawals.checks(),
    }


def own_thresholds(settings: Settings) -> dict[tuple[str, str], PlacedThreshold]:
    """The user's bounds by feed and check.

    Raises ConfigError that names file, line and remedy for a check that there is none of, and for a value that does not
    fit it.
    """
    known, problems, found = all_checks(settings), [], {}
    for placed in user_config.load(settings).thresholds:
        own = placed.own
        checks = {check.name: check for check in known.get(own.feed, [])}
        if own.feed not in known:
            problems.append(f"{placed.place}: no check evaluates feed {own.feed}{nearest(own.feed, list(known))}")
        elif own.check not in checks:
            problems.append(f"{placed.place}: {own.feed} has no check {own.check}{nearest(own.check, list(checks))}")
        else:
            try:
                bounded(checks[own.check].threshold, placed)
            except ValueError as error:
                problems.append(f"{placed.place}: {error}")
        found[own.feed, own.check] = placed
    if problems:
        raise ConfigError("\n".join(["the thresholds are refused, nothing is built:", *problems]))
    return found


def apply(settings: Settings, suites: list[Suite]) -> None:
    """Put the user's bounds into the checks of these suites."""
    own = own_thresholds(settings)
    for suite in suites:
        feed = feed_of(suite.name)
        suite.checks = [
            replace(check, threshold=bounded(check.threshold, own[feed, check.name]))
            if (feed, check.name) in own
            else check
            for check in suite.checks
        ]


def bounded(threshold: Threshold, placed: PlacedThreshold) -> Threshold:
    """A threshold with the user's bounds and reason. Raises ValueError where it has another number of bounds."""
    value, check = placed.own.value, placed.own.check
    has_two = threshold.minimum is not None and threshold.maximum is not None
    if has_two != isinstance(value, tuple):
        shape = "two bounds: write value: [lower, upper]" if has_two else f"one bound, {threshold}: write one number"
        raise ValueError(f"{check} has {shape}")
    reason = f"{placed.own.reason} ({placed.place}; the package says {threshold}: {threshold.reason})"
    if isinstance(value, tuple):
        return replace(threshold, minimum=value[0], maximum=value[1], reason=reason)
    if threshold.minimum is not None:
        return replace(threshold, minimum=value, reason=reason)
    return replace(threshold, maximum=value, reason=reason)
