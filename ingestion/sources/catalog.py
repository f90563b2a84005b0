"""The sources that there are, by name."""

from ingestion.sources.bluesky import Bluesky
from ingestion.sources.platform import Source

SOURCES: dict[str, Source] = {source.name: source for source in (Bluesky(),)}
