"""The sources that there are, by name."""

from ingestion.sources.awin import Awin
from ingestion.sources.bluesky import Bluesky
from ingestion.sources.ecb import Ecb
from ingestion.sources.google_sheets import GoogleSheets
from ingestion.sources.impact import Impact
from ingestion.sources.instagram import Instagram
from ingestion.sources.mastodon import Mastodon
from ingestion.sources.platform import Source
from ingestion.sources.shopify import Shopify
from ingestion.sources.tiktok import TikTok
from ingestion.sources.youtube import YouTube

ALL = (
    Awin(), Bluesky(), Ecb(), GoogleSheets(), Impact(), Instagram(), Mastodon(), Shopify(), TikTok(), YouTube(),
)  # fmt: skip
SOURCES: dict[str, Source] = {source.name: source for source in ALL}
