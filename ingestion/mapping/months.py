"""Names of months in other languages, as DuckDB's `strptime` reads them: in English. Source: CLDR 47, `months.csv`."""

import csv
import re
from functools import lru_cache
from pathlib import Path

from ingestion.sql import quote

NAMES = Path(__file__).with_name("months.csv")
ENGLISH = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@lru_cache(maxsize=1)
def names() -> dict[str, dict[str, int]]:
    """By language the number of each month by its names, in lower case and without a point at their end."""
    found: dict[str, dict[str, int]] = {}
    with NAMES.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            found.setdefault(row["language"], {})[row["name"]] = int(row["month"])
    return found


def in_english(text: str, language: str, is_full: bool) -> str:
    """A text with the first name of a month in it in English, in full or in three letters."""
    known = names()[language]
    longest_first = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    # A name is a word of its own: `mar` is no month in `martes`.
    shape = quote(rf"(?i)(^|[^\p{{L}}])({longest_first})\.?([^\p{{L}}]|$)")
    whens = " ".join(
        f"when {quote(name)} then {quote(ENGLISH[month - 1] if is_full else ENGLISH[month - 1][:3])}"
        for name, month in known.items()
    )
    return (
        f"regexp_replace({text}, {shape}, '\\1' || case lower(regexp_extract({text}, {shape}, 2)) {whens} end || '\\3')"
    )
