"""`GROUNDSWELL_REQUIRED_FEEDS`: what must come, `feed`, `feed:platform`, each with the days within which it must."""

import re
from dataclasses import dataclass

from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ConfigError, nearest
from ingestion.user_config import load as user_config

SETTING = "GROUNDSWELL_REQUIRED_FEEDS"
WITHIN = re.compile(r"([1-9]\d{0,2})d")


@dataclass(frozen=True)
class Required:
    """A feed, or one platform of it, that must bring rows within so many days; 1 is every day."""

    feed: str
    platform: str | None = None
    days: int = 1


def required(settings: Settings, feed: str | None = None) -> list[Required]:
    """What the setting requires, of one feed or of all. Raises ConfigError for what nothing can satisfy."""
    found = [_read(settings, text) for text in settings.required_feeds]
    return [item for item in found if feed in (None, item.feed)]


def _read(settings: Settings, text: str) -> Required:
    feed, *rest = (part.strip() for part in text.split(":"))
    feeds = load_feeds()
    if feed not in feeds:
        raise ConfigError(f"{SETTING}: no feed is named {feed!r}{nearest(feed, list(feeds))}")
    days = WITHIN.fullmatch(rest[-1]) if rest else None
    platforms = rest[:-1] if days else rest
    if len(platforms) > 1 or "" in platforms:
        raise ConfigError(f"{SETTING}: {text!r} is none of feed, feed:platform, feed:2d, feed:platform:2d")
    if platforms:
        _check_platform(settings, feed, platforms[0])
    return Required(feed, platforms[0] if platforms else None, int(days[1]) if days else 1)


def _check_platform(settings: Settings, feed: str, platform: str) -> None:
    if "platform" not in load_feeds()[feed].columns:
        raise ConfigError(f"{SETTING}: {feed} has no platforms: write {feed}, or {feed}:2d")
    known = sorted({item.row.platform for item in user_config.load(settings).tables["platforms"]})
    if platform not in known:
        raise ConfigError(f"{SETTING}: no platform is named {platform!r}{nearest(platform, known)}")
