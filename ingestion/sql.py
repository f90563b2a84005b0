"""SQL that is made of texts."""

from collections.abc import Iterable


def quote(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """Texts as literals in a row."""
    return ", ".join(map(quote, texts))
