"""Where the pages of accounts lie, as links from the report beside them."""

from urllib.parse import quote

from serving.report.source import Source

FOLDER = "accounts"


def account_href(source: Source, platform: str, account_id: str) -> str | None:
    """Link to an account's page; null where it has none."""
    from serving.report.account import NoSuchAccount, file_name

    try:
        name = file_name(platform, account_id)
    except NoSuchAccount:
        return None
    # A file name holds `%` where an id holds what a path may not, and a link has to name that.
    return f"{FOLDER}/{quote(name, safe='')}" if name in source.account_pages else None
