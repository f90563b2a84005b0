"""A place to start from: a commented `.env` and the folders of landing. Nothing that is there is written over."""

import re
from pathlib import Path

from ingestion.config import PROJECT_DIR, get_settings
from ingestion.contracts import load_feeds


def write_examples(folder: Path) -> list[str]:
    """Write `.env` with every setting as a comment, make `landing/<feed>/`; returns lines for people."""
    settings = get_settings()
    lines = []
    env = folder / ".env"
    if env.exists():
        lines.append(f"kept     {env}")
    else:
        env.write_text(commented((PROJECT_DIR / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
        lines.append(f"written  {env}: every setting, commented out")
    for feed in load_feeds():
        (settings.landing / feed).mkdir(parents=True, exist_ok=True)
    return [
        *lines,
        f"landing  {settings.landing}: a folder per feed; put files there",
        f"DAGs     {PROJECT_DIR / 'dags'}: the DAGs folder for an Airflow of your own",
        "next     groundswell nightly (with nothing in landing it takes the bundled sample)",
    ]


def commented(example: str) -> str:
    """The example of settings with each setting as a comment, so that what is written changes nothing."""
    text = example.replace("Copy to .env and change what you need.", "Uncomment what you need to change.")
    return re.sub(r"^(GROUNDSWELL_)", r"# \1", text, flags=re.M)
