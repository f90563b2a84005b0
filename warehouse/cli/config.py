"""`groundswell config show`: each value that a run goes by, and where it is from. Examples of what `config/` holds."""

from collections.abc import Iterator
from pathlib import Path

from expectations import thresholds
from expectations.suites import Threshold
from ingestion.config import ENV_FILE, PACKAGE, Settings, origin_of
from ingestion.mapping.in_use import load_mappings
from ingestion.sources.catalog import SOURCES
from ingestion.sources.kept import kept
from ingestion.sources.settings import FILE as FILE_OF_SOURCES
from ingestion.sources.settings import file_of, load_sources
from ingestion.user_config.load import DEFAULTS, USUAL, load
from ingestion.user_config.tables import TABLES, Placed
from ingestion.user_config.thresholds import FILE
from ingestion.user_config.watchlist import FILE as FILE_OF_WATCHLIST
from ingestion.user_config.watchlist import TABLE as WATCHLIST
from ingestion.user_config.watchlist import load_watchlist
from warehouse.notify import FILE as FILE_OF_NOTICES
from warehouse.notify import load_channels

CHANGES = {
    "tier_schemes": "A scheme named here takes the place of the package's of that name whole; all others stay.",
    "trust_signals": "A row takes the place of that signal's.",
    "trust_weights": "A row takes the place of that weight's.",
    "trust_verdicts": "A row takes the place of that verdict's; together they hold each score of 0 to 100 once.",
    "rate_cards": "A row takes the place of that of its card, platform, content type, metric and valid_from."
    " A card of yours that is the default is the only one.",
    "channel_aliases": "A row takes the place of that of its alias; `direct` is what leads back to nobody.",
    "house_codes": "Promo codes that belong to nobody on purpose; the package has none. Orders with them are no issue.",
    "benchmarks": "A row takes the place of that of its source, platform, statistic, date, band and level.",
    "platforms": "A row takes the place of that of its spelling; a platform of your own needs one row.",
    "countries": "A row takes the place of that of its spelling.",
    "shops": "A row per shop by the name that its orders carry, empty for the only one: whose brand it sells, and where"
    " its days lie. The package has none.",
}


EXAMPLE_OF_SOURCES = """\
Sources that `groundswell capture` asks. A name alone is enough where no key is needed (docs/sources/README.md).

bluesky:
ecb:
mastodon:
youtube:
  connection: groundswell_youtube
  latest_posts: 30
  budget: {units: 5000}
instagram:
  connection: groundswell_instagram
  account: "17841400000000000"
tiktok:
  connection: groundswell_tiktok
  account: "7000000000000000000"
shopify:
  connection: groundswell_shopify
  account: your-shop.myshopify.com
awin:
  connection: groundswell_awin
  account: "4711"
impact:
  connection: groundswell_impact
  account: IRabcdefgh
  programs: ["1234"]
google_sheets:
  connection: groundswell_google_sheets
  account: 1AbcdefghijklmnopqrstuvwxyZ
  ranges: [costs]
"""
EXAMPLE_OF_NOTICES = """\
Who is told when a task fails, a gate stays closed, a night is late or a source brings too little, and of the end.

mail:
  host: smtp.example.org
  connection: groundswell_smtp
  sender: groundswell@example.org
  to: [data@example.org]
webhook:
  connection: groundswell_webhook
"""

# A table with more rows is shown as far as it is the user's.
MOST_SHOWN = 100


def require_in_order(settings: Settings) -> None:
    """Read all of `config/` before a run copies, lands or builds anything.

    Raises ConfigError, of a mapping ContractError, that names file, line and remedy.
    """
    thresholds.own_thresholds(settings)
    load_mappings(settings)
    load_channels(settings)


def show(settings: Settings, env_file: Path = ENV_FILE) -> Iterator[str]:
    """Lines for people: settings, the tables of `config/` and the bounds of checks, each value with its origin.

    Raises ConfigError where the folder is not in order.
    """
    config, own = load(settings), thresholds.own_thresholds(settings)
    yield f"config folder: {config.folder or f'none (./{USUAL} is not there, GROUNDSWELL_CONFIG is not set)'}"
    yield ""
    yield "settings"
    for name in Settings.model_fields:
        value = getattr(settings, name)
        shown = ",".join(value) if isinstance(value, tuple) else "" if value is None else value
        yield f"  GROUNDSWELL_{name.upper()}={shown}  ({origin_of(name, env_file)})"
    for name, held in config.tables.items():
        users = sum(item.is_users for item in held)
        yield ""
        yield f"{name}: {len(held)} rows, {users} of them yours"
        shown = held if len(held) <= MOST_SHOWN else [item for item in held if item.is_users]
        yield from (f"  {_named(item)}  ({item.place if item.is_users else PACKAGE})" for item in shown)
        if len(shown) < len(held):
            yield f"  the package's stand in {DEFAULTS / name}.csv"
    yield from _sources(settings)
    mappings = load_mappings(settings)
    yield ""
    yield f"mappings: {len(mappings.in_use)} in use, {len(mappings.library)} in the library"
    by_source = {name: FILE_OF_SOURCES for source in load_sources(settings) for name in SOURCES[source].mappings}
    for mapping in mappings.in_use.values():
        origin = "yours" if mapping.mapping not in mappings.library else by_source.get(mapping.mapping, "use:")
        yield f"  {mapping.mapping}: {mapping.pattern}  ({origin})"
    yield ""
    yield "bounds of checks"
    for feed, checks in thresholds.all_checks(settings).items():
        for check in checks:
            placed = own.get((feed, check.name))
            limit = thresholds.bounded(check.threshold, placed) if placed else check.threshold
            yield f"  {feed} {check.name}: {limit}  ({placed.place if placed else PACKAGE})"


def _sources(settings: Settings) -> Iterator[str]:
    """What is asked, whom, and who is told; never a key, which stands in no file."""
    entries, watched, table = load_sources(settings), load_watchlist(settings), kept(settings)
    yield ""
    yield f"sources: {len(entries)} of {len(SOURCES)} are asked"
    for name, entry in entries.items():
        given = {key: value for key, value in entry.model_dump().items() if key in entry.model_fields_set}
        shown = " ".join(f"{key}={value}" for key, value in given.items()) or "as the package has it"
        yield f"  {name}: {shown}  ({file_of(settings)})"
        held = table[name]
        yield f"    terms: {held.terms}{f', answers may be kept {held.days} days' if held.days else ''}"
    yield ""
    yield f"watchlist: {len(watched.placed)} accounts"
    yield from (f"  not read: {problem}" for problem in watched.problems[:MOST_SHOWN])
    channels = load_channels(settings)
    told = [name for name in ("mail", "webhook") if getattr(channels, name)]
    yield ""
    yield f"notices: {' and '.join(told) or f'nobody is told (config/{FILE_OF_NOTICES} is not there)'}"


def _named(item: Placed) -> str:
    """A row with its columns; what is empty is left out."""
    return " ".join(f"{name}={value}" for name, value in item.row.model_dump().items() if value is not None)


def examples(settings: Settings) -> dict[str, str]:
    """Text of each file of `config/` by name, every line of it a comment: written as it is, it changes nothing."""
    texts = {}
    for name in TABLES:
        rows = (DEFAULTS / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        head = [CHANGES[name], "Uncomment the first line, and the rows that you change; these are the package's."]
        texts[f"{name}.csv"] = _commented([*head, "", *rows])
    bounds = ["A bound takes the place of the package's of that check and feed; say why.", "These are the package's."]
    for feed, checks in thresholds.all_checks(settings).items():
        for check in checks:
            bounds += ["", f"- check: {check.name}", f"  feed: {feed}", f"  value: {_value(check.threshold)}"]
            bounds += ["  reason: say what you saw, and when"]
    texts[FILE] = _commented(bounds)
    texts[FILE_OF_SOURCES] = _commented(EXAMPLE_OF_SOURCES.splitlines())
    texts[FILE_OF_WATCHLIST] = _commented(
        [
            "Accounts captured each day besides those of collaborations; `groundswell watch add` writes a line.",
            "",
            ",".join(WATCHLIST.columns),
            "bluesky,anna.example.org,2026-01-05,contract,30,",
        ]
    )
    texts[FILE_OF_NOTICES] = _commented(EXAMPLE_OF_NOTICES.splitlines())
    return texts


def _value(threshold: Threshold) -> str:
    if threshold.minimum is not None and threshold.maximum is not None:
        return f"[{threshold.minimum:g}, {threshold.maximum:g}]"
    return f"{threshold.maximum if threshold.minimum is None else threshold.minimum:g}"


def _commented(lines: list[str]) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)
