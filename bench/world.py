"""A made-up world that is the same on every machine: files of a day, and a history of nights to go on from."""

import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb

from bench.one_night import Result, settings_of
from bench.process import in_a_process
from ingestion.config import PROJECT_DIR, Settings

LAST = date(2026, 6, 30)

# Skewed tiers and gaps: few accounts have most followers, one day in twenty is missed, one count in fifty unknown. One
# account in 200 gains 30 % within a day.
ACCOUNTS = """
copy (
    select case when i % 3 = 0 then 'tiktok' else 'youtube' end as platform, 'account' || i as account_id,
        '{day}T03:00:00Z' as captured_at,
        case when (i + {number}) % 50 <> 0
            then cast(
                800 * pow(10, 4.5 * pow((i * 7919 % {rows}) / {rows}, 3))
                * case when i % 200 = 0 and {number} >= 355 + i % 26 then 1.3 else 1 end as bigint
            ) + {number} * (i % 11) end as followers,
        i % 900 as following, 10 + ({number} * (i % 5)) as posts, null as likes_total,
        1000 * i + {number} * (i % 97) as views_total, 'handle' || i as handle, 'Name ' || i as display_name,
        'TW' as country, 'zh' as language, 'niche' || (i % 20) as niche
    from range({rows}) as t (i) where (i * 13 + {number}) % 20 <> 0
) to '{target}' (header)
"""
# A post is captured on 30 days, so each night a thirtieth of them is new. Most are of few accounts; counts grow.
POSTS = """
copy (
    select case when account % 3 = 0 then 'tiktok' else 'youtube' end as platform, born || '-' || i as post_id,
        'account' || account as account_id, '{day}T03:00:00Z' as captured_at,
        strftime(timestamp '{day}' - to_days(cast({number} - born as integer)) - to_hours(cast(i % 20 as integer)),
            '%Y-%m-%dT%H:%M:%SZ') as published_at,
        case when i % 4 = 0 then 'short' else 'video' end as content_type,
        base * (2 + account % 9) // 100 + age * (i % 7) as likes,
        case when i % 40 <> 0 then base // 500 + age * (i % 3) end as comments,
        base + age * (i % 1000) as views, i % 9 = 0 as is_sponsored
    from (
        select *, {number} - born as age, 100 + i * 7919 % 99991 as base,
            cast(floor(pow((i * 104729 + born * 7919) % {each} / {each}, 2) * {accounts}) as bigint) as account
        from range({number} - 29, {number} + 1) as b (born), range({each}) as t (i)
    )
) to '{target}' (header)
"""


def write_day(settings: Settings, day: date, accounts: int, posts: int) -> None:
    """Both files of a day in landing."""
    number = (day - date(2026, 1, 1)).days + 200
    for feed, sql, rows in (("account_snapshots", ACCOUNTS, accounts), ("post_snapshots", POSTS, posts)):
        target = settings.landing / feed / f"{feed}_{day}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        each = max(rows // 30, 1)
        duckdb.execute("set enable_progress_bar = false")
        duckdb.execute(sql.format(day=day, number=number, rows=rows, each=each, accounts=accounts, target=target))


def history(work: Path, days: int, accounts: int, posts: int, at_once: int, code: Path = PROJECT_DIR) -> Path:
    """Land and build so many days before the last night, some of them in one pass, with the packages of a checkout.

    The last day is a night of its own: what a pass leaves for DuckDB to tidy up is no matter of a timed night.
    """
    folder = work / f"{accounts}-{posts}-{days}"
    if (folder / "whole").exists():
        print(f"  {days} days of history are there", flush=True)
        return folder
    firsts = [*range(days, 1, -at_once), 1]
    for first, after in zip(firsts, [*firsts[1:], 0], strict=True):
        last = after + 1
        for back in range(first, last - 1, -1):
            write_day(settings_of(folder), LAST - timedelta(days=back), accounts, posts)
        night(folder, LAST - timedelta(days=last), code=code)
        print(f"  {days - last + 1} of {days} days of history", flush=True)
    (folder / "whole").touch()
    return folder


def night(
    folder: Path, day: date = LAST, first: date | None = None, keep: Path | None = None, code: Path = PROJECT_DIR
) -> Result:
    """A night, or a rebuild from `first` on, in a process of its own (`one_night`)."""
    asked: list[object] = ["--folder", folder, "--day", day]
    asked += ["--first", first] if first else []
    asked += ["--keep", keep] if keep else []
    result: Result = in_a_process("one_night", *asked, code=code)
    return result


def copy_of(base: Path, folder: Path) -> Path:
    """The same history to go on from. What no run changes is linked; the rest is copied."""
    shutil.rmtree(folder, ignore_errors=True)
    for source in base.rglob("*"):
        target = folder / source.relative_to(base)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif source.relative_to(base).parts[0] in ("build", "state"):
            shutil.copy2(source, target)
        else:
            os.link(source, target)
    return folder
