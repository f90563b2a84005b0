"""Fixtures shared by all tests: a data folder of one's own, and worlds to land in it."""

from pathlib import Path

import pytest

from ingestion.config import Settings

CANONICAL_HEADER = (
    "platform,account_id,captured_at,followers,following,posts,likes_total,views_total,"
    "handle,display_name,country,language,niche"
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty warehouse in a folder of its own; nothing is read from the environment or `.env`."""
    return Settings(_env_file=None, data=tmp_path / "data", settle_seconds=0.0, lease_wait_seconds=5.0)  # type: ignore[call-arg]
