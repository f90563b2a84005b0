"""A place to start from: a commented `.env`, a commented `config/`, and the folders of landing.

Nothing that is there is written over.
"""

import re
from pathlib import Path

from ingestion.config import PROJECT_DIR, get_settings
from ingestion.contracts import load_feeds
from ingestion.user_config.load import USUAL
from warehouse.cli.config import examples


def write_examples(folder: Path) -> list[str]:
    """Write `.env` and the files of `config/` as comments, make `landing/<feed>/`; returns lines for people."""
    settings = get_settings()
    lines = []
    env = folder / ".env"
    if env.exists():
        lines.append(f"kept     {env}")
    else:
        env.write_text(commented((PROJECT_DIR / ".env.example").read_text(encoding="utf-8")), encoding="utf-8")
        lines.append(f"written  {env}: every setting, commented out")
    config = settings.config or folder / USUAL
    config.mkdir(parents=True, exist_ok=True)
    for name, text in examples(settings).items():
        if (config / name).exists():
            lines.append(f"kept     {config / name}")
        else:
            (config / name).write_text(text, encoding="utf-8")
            lines.append(f"written  {config / name}: the package's values, commented out")
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
