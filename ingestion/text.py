"""Text from outside as people may be given it: it forges no line, colours no terminal, turns no direction."""

import re

# Controls but tab and line ends, which a quoted cell may hold, and signs that turn the direction of what follows.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown(text: str) -> str:
    """A text as a terminal or a line of a log may be given it: what does not print is written as its escape."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _escape(sign) for sign in text)


def without_controls(text: str) -> str:
    """A text as a cell of a file for people may hold it: its lines stay, other controls are written as escapes."""
    return CONTROLS.sub(lambda found: _escape(found[0]), text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()
