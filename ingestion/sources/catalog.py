"""The sources that there are, by name."""

from ingestion.sources.bluesky import Bluesky
from ingestion.sources.ecb import Ecb
from ingestion.sources.google_sheets import GoogleSheets
from ingestion.sources.instagram import Instagram
from ingestion.sources.mastodon import Mastodon
from ingestion.sources.platform import Source
from ingestion.sources.shopify import Shopify
from ingestion.sources.youtube import YouTube

SOURCES: dict[str, Source] = {
    source.name: source for source in (Bluesky(), Ecb(), GoogleSheets(), Instagram(), Mastodon(), Shopify(), YouTube())
}
