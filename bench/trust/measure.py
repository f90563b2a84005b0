"""What the verdicts were worth: recall, precision, false alarms, time to detection, calibration.

Verdicts are read as accounts are evaluated, before those of days are withheld on which too many become suspicious: so
many purchases at once are made up here alone, and withholding would hide both what is found and false alarms. A copy is
found when it becomes `suspicious` between its first changed day and 30 days after the last. One that was suspicious
before is left out, one whose verdict is `insufficient_data` on most days of the change is counted apart.
"""

from dataclasses import dataclass
from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd

from bench.trust.world import Curve, Sample, World

WATCHED_AFTER = 30
# A false alarm that ends within so many days has cost little.
STANDS_AFTER = 14
# How accounts are seen, by the end of a world's name: figures of their own, left out of those of all together.
APART = ("weekly", "every third day", "posts without views", "no views")
# Followers bought: the smallest order, and the least gain that counts in full (`int_trust__burst`).
GAINS = (100, 500)
TIERS = [(1_000, "nano"), (10_000, "micro"), (100_000, "macro"), (1_000_000, "mega")]


@dataclass(frozen=True)
class Measures:
    """The tables of a report, each as a frame.

    Args:
        attacks: one row per attack, size and way of being seen: copies, found, recall, precision, f1, days until then.
        worlds: recall per attack and kind of curve.
        tiers: recall per attack and tier.
        gains: recall per attack and band of the followers bought.
        honest: one row per honest event, size and way of being seen: copies, called suspicious, called watch.
        alarms: one row per world of untouched curves: account-months, alarms.
        calibration: one row per band of the score: copies and untouched accounts in it, share of them attacked.
        copies: one row per copy, with what became of it.
    """

    attacks: pd.DataFrame
    worlds: pd.DataFrame
    tiers: pd.DataFrame
    gains: pd.DataFrame
    honest: pd.DataFrame
    alarms: pd.DataFrame
    calibration: pd.DataFrame
    copies: pd.DataFrame


def measure(
    connection: duckdb.DuckDBPyConnection,
    worlds: list[World],
    sample: Sample,
    attacks: set[str],
    side: str = "audience",
) -> Measures:
    """Compare the verdicts with what was done.

    Args:
        attacks: names of the scenarios that should be found; all others should not.
        side: whose verdict is read, `audience` or `engagement`.
    """
    connection.register("truth", _truth(worlds, sample))
    verdict = "verdict" if side == "audience" else "engagement_verdict"
    connection.execute(
        f"""
        create or replace temp table evaluated as
        select
            truth.*, trust.snapshot_date, trust.{verdict} as verdict,
            case when trust.{verdict} <> 'insufficient_data' then trust.{side}_score end as score,
            date_diff('day', truth.start, trust.snapshot_date) as day_of_change,
            day_of_change >= 0 and trust.snapshot_date <= truth."end" as is_changed_day,
            day_of_change >= 0 and trust.snapshot_date <= truth."end" + interval {WATCHED_AFTER} day as is_watched_day
        from intermediate.int_trust__accounts_evaluated as trust
        inner join truth on trust.platform = truth.platform and trust.account_id = truth.account_id
            and trust.snapshot_date between truth.first_day and truth.last_day
        """
    )
    copies = _copies(connection, attacks)
    honest_share = _share_called(connection, copies)
    found = copies[copies.is_attack & ~copies.before]
    return Measures(
        attacks=_recall(found, ["scenario", "size", "seen"], honest_share),
        worlds=_recall(found, ["scenario", "world"], honest_share),
        tiers=_recall(found[found.seen == "daily"], ["scenario", "tier"], honest_share),
        gains=_recall(found[found.seen == "daily"], ["scenario", "size", "gained"], honest_share),
        honest=_honest(copies),
        alarms=_alarms(connection),
        calibration=_calibration(connection, attacks),
        copies=copies,
    )


def _truth(worlds: list[World], sample: Sample) -> pd.DataFrame:
    rows = []
    for world in worlds:
        evaluated_from = world.first_day + (sample.evaluated_from - sample.days[0])
        for curve in world.curves:
            day = [None if at < 0 else world.first_day + timedelta(days=at) for at in (curve.start, curve.end)]
            last = world.first_day + timedelta(days=len(curve.followers) - 1)
            rows.append((world.name, world.platform, world.first_day, last, evaluated_from, curve.account_id,
                         curve.scenario, curve.size, *day, _tier(curve), curve.gain))  # fmt: skip
    columns = [
        "world",
        "platform",
        "first_day",
        "last_day",
        "evaluated_from",
        "account_id",
        "scenario",
        "size",
        "start",
        "end",
        "tier",
        "gain",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    for name in ("first_day", "last_day", "evaluated_from", "start", "end"):
        frame[name] = pd.to_datetime(frame[name])
    return frame


def _tier(curve: Curve) -> str:
    """Tier of the followers on the eve of the change, in the default scheme."""
    known = curve.followers[: max(curve.start, 0)]
    known = known[~np.isnan(known)]
    return next((name for floor, name in reversed(TIERS) if len(known) and known[-1] >= floor), "below")


def _copies(connection: duckdb.DuckDBPyConnection, attacks: set[str]) -> pd.DataFrame:
    frame = connection.execute(
        """
        select
            world, evaluated.account_id, scenario, size, tier, gain, list_contains($attacks, scenario) as is_attack,
            coalesce(bool_or(verdict = 'suspicious') filter (day_of_change < 0), false) as before,
            min(day_of_change) filter (is_watched_day and verdict = 'suspicious') as found_after,
            coalesce(bool_or(verdict in ('watch', 'suspicious')) filter (is_watched_day), false) as is_watched,
            coalesce(count(*) filter (is_changed_day and verdict = 'insufficient_data')
                > count(*) filter (is_changed_day) / 2, true) as is_unevaluated
        from evaluated
        where start is not null and scenario <> 'purge and outage'
        group by world, evaluated.account_id, scenario, size, tier, gain
        order by all
        """,
        {"attacks": sorted(attacks)},
    ).df()
    frame["is_found"] = frame.found_after.notna()
    frame["seen"] = [next((apart for apart in APART if world.endswith(apart)), "daily") for world in frame.world]
    frame["gained"] = pd.cut(
        frame.gain, [-np.inf, *GAINS, np.inf], right=False, labels=["under 100", "100 to 499", "500 and more"]
    )
    frame["is_hidden"] = frame.is_unevaluated & ~frame.is_found
    return frame


def _share_called(connection: duckdb.DuckDBPyConnection, copies: pd.DataFrame) -> float:
    """Share of honest copies and untouched real accounts that became suspicious: what an attack is mistaken for."""
    found: tuple[int, int] = connection.execute(
        "select count(distinct account_id) filter (verdict = 'suspicious'), count(distinct account_id) from evaluated"
        " where scenario = 'untouched' and world = 'real, rounded' and snapshot_date >= evaluated_from"
        " and verdict <> 'insufficient_data'"
    ).fetchone() or (0, 0)
    called, accounts = found
    honest = copies[~copies.is_attack & ~copies.before]
    return (called + int(honest.is_found.sum())) / max(accounts + len(honest), 1)


def _recall(copies: pd.DataFrame, by: list[str], honest_share: float) -> pd.DataFrame:
    rows = []
    for key, group in copies.groupby(by, observed=True):
        evaluated = group[~group.is_hidden]
        recall = evaluated.is_found.mean() if len(evaluated) else float("nan")
        # One honest account for each attacked one: what a mix of another kind gives follows from recall and share.
        precision = recall / (recall + honest_share) if recall + honest_share else float("nan")
        days = evaluated.found_after.dropna()
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "copies": len(group), "hidden": int(group.is_hidden.sum()), "found": int(evaluated.is_found.sum()),
                "recall": recall, "interval": _interval(evaluated.is_found.sum(), len(evaluated)),
                "watch_or_more": evaluated.is_watched.mean() if len(evaluated) else float("nan"),
                "precision": precision, "f1": 2 * precision * recall / (precision + recall) if recall else 0.0,
                "days_median": days.median(), "days_p90": days.quantile(0.9),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _honest(copies: pd.DataFrame) -> pd.DataFrame:
    honest = copies[~copies.is_attack & ~copies.before]
    table = honest.groupby(["scenario", "size", "seen"], as_index=False).agg(
        copies=("is_found", "size"), suspicious=("is_found", "mean"), watch_or_more=("is_watched", "mean")
    )
    table["interval"] = [_interval(share * of, of) for share, of in zip(table.suspicious, table.copies, strict=True)]
    return table


def _interval(found: float, of: float) -> str:
    low, high = wilson(found, of)
    return f"{low:.2f} to {high:.2f}"


def _alarms(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """New suspicions per 1,000 months in which an account was evaluated; an account-month is 30 evaluated days."""
    frame = connection.execute(
        f"""
        with days as (
            select
                *, lag(verdict) over (partition by world, account_id order by snapshot_date) as before,
                coalesce(first_value(verdict) over (
                    partition by world, account_id order by snapshot_date
                    range between interval {STANDS_AFTER} day following and unbounded following
                ) = 'suspicious', false) as is_standing
            from evaluated where scenario in ('untouched', 'purge and outage')
        )
        select
            world, scenario,
            count(distinct account_id) filter (verdict <> 'insufficient_data') as accounts,
            count(*) filter (verdict <> 'insufficient_data') / 30.0 as account_months,
            count(*) filter (verdict = 'suspicious' and before is distinct from 'suspicious') as alarms,
            count(*) filter (verdict = 'suspicious' and before is distinct from 'suspicious' and is_standing)
                as standing,
            1000 * alarms / nullif(account_months, 0) as per_1000_account_months,
            1000 * standing / nullif(account_months, 0) as standing_per_1000,
            count(*) filter (verdict = 'suspicious') / nullif(count(*) filter (verdict <> 'insufficient_data'), 0)
                as share_of_days_suspicious,
            count(*) filter (verdict = 'watch') / nullif(count(*) filter (verdict <> 'insufficient_data'), 0)
                as share_of_days_watch,
            count(*) filter (verdict = 'insufficient_data') / count(*) as share_of_days_insufficient
        from days where snapshot_date >= evaluated_from
        group by all order by all
        """
    ).df()
    bounds = [poisson(alarms, months) for alarms, months in zip(frame.alarms, frame.account_months, strict=True)]
    frame["interval"] = [f"{low:.1f} to {high:.1f}" for low, high in bounds]
    return frame


def poisson(alarms: float, months: float) -> tuple[float, float]:
    """95 % interval of alarms per 1,000 months: that of the root of the count, which is near the exact one."""
    if not months:
        return 0.0, float("nan")
    low, high = max(np.sqrt(alarms) - 0.98, 0) ** 2, (np.sqrt(alarms + 1) + 0.98) ** 2
    return float(1000 * low / months), float(1000 * high / months)


def wilson(found: float, of: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, found / of
    middle, half = share + z * z / (2 * of), z * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    # Rounding may leave a trace below 0.
    return max(float((middle - half) / (1 + z * z / of)), 0.0), float((middle + half) / (1 + z * z / of))


def _calibration(connection: duckdb.DuckDBPyConnection, attacks: set[str]) -> pd.DataFrame:
    """Lowest score of each copy from its change to 30 days after, of each untouched account in the evaluated days."""
    return connection.execute(
        """
        with lowest as (
            select world, account_id, scenario, list_contains($attacks, scenario) as is_attack, min(score) as score
            from evaluated
            where case when start is null then snapshot_date >= evaluated_from
                else is_watched_day end
            group by all having min(score) is not null
        )
        select
            case when score <= 20 then '0-20' when score <= 40 then '21-40' when score <= 60 then '41-60'
                when score <= 75 then '61-75' when score < 100 then '76-99' else '100' end as score_band,
            count(*) as accounts, count(*) filter (is_attack) as attacked, attacked / accounts as share_attacked
        from lowest group by 1 order by min(score)
        """,
        {"attacks": sorted(attacks)},
    ).df()
