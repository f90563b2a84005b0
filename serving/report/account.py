"""`make account PLATFORM= ID=`: one page about one account, made on demand from the published marts alone.

The page loads nothing and runs no script. It is written under `<data>/reports/accounts/`, among those of the night.
"""

import shlex
from pathlib import Path

from ingestion.config import Settings
from serving.report import accounts
from serving.report.output import write_page
from serving.report.source import Source, open_source

NEAR = 5
# Of two strings, from 0 to 1 (Jaro-Winkler); one wrong letter in ten keeps well above.
LEAST_LIKENESS = 0.75

# Ids and names that look like the one asked for, those of the platform first.
NEAREST = f"""
with likeness as (
    select
        platform, account_id, handle, display_name, platform = $platform as is_platform,
        greatest(
            jaro_winkler_similarity(lower(account_id), $wanted),
            jaro_winkler_similarity(lower(coalesce(handle, '')), $wanted),
            jaro_winkler_similarity(lower(coalesce(display_name, '')), $wanted)
        ) as likeness
    from marts.dim_account
    where last_seen_date is not null
)

select * from likeness where likeness >= {LEAST_LIKENESS}
order by likeness + case when is_platform then 0.1 else 0 end desc, platform, account_id limit {NEAR}
"""


class NoSuchAccount(Exception):
    """No release, or no such account in it; the message says what to do."""


def build_account(settings: Settings, platform: str, account_id: str) -> Path:
    """Write the page of an account and return where it is. Raises NoSuchAccount, with accounts that are near."""
    platform, account_id = platform.strip().lower(), account_id.strip()
    with open_source(settings, run_id="") as source:
        if not source.holds(*accounts.MARTS):
            raise NoSuchAccount("no release has been published yet: run `make nightly` first")
        page = render_account(source, platform, account_id)
    target = settings.reports / accounts.FOLDER / file_name(platform, account_id)
    write_page(target, page)
    return target


def file_name(platform: str, account_id: str) -> str:
    """Name of the account's file. Raises NoSuchAccount for an id that no file can be named after."""
    if not accounts.has_name(platform, account_id):
        raise NoSuchAccount(f"ids of more than {accounts.LONGEST_NAME} characters have no page")
    return accounts.file_name(platform, account_id)


def render_account(source: Source, platform: str, account_id: str) -> str:
    """The page as text. Raises NoSuchAccount."""
    source.run(accounts.CHOOSE_ONE, platform=platform, account_id=account_id)
    pages = accounts.render_pages(source, "Made on demand: make it anew to see the next release.")
    found = next(pages, None)
    if found is None:
        raise NoSuchAccount(_unknown(source, platform, account_id))
    return found[1]


def _unknown(source: Source, platform: str, account_id: str) -> str:
    """What to say of an account that is not there: those that are near, as commands to type."""
    near = source.rows(NEAREST, platform=platform, wanted=account_id.lower().lstrip("@"))
    lines = [f"no account {_plain(account_id)} on {_plain(platform)} in the published marts."]
    if not near:
        count = source.row("select count(last_seen_date) as accounts from marts.dim_account")["accounts"]
        return f"{lines[0]} None of its {count:,} accounts has an id or handle like it."
    lines.append("Near it:")
    for row in near:
        names = " · ".join(_plain(str(row[name])) for name in ("handle", "display_name") if row[name])
        command = (
            f"make account PLATFORM={shlex.quote(_plain(row['platform']))} ID={shlex.quote(_plain(row['account_id']))}"
        )
        lines.append(f"  {command}{f'  ({names})' if names else ''}")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Text that a terminal prints as it is: what people landed could hold its control codes."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)[:100]
