"""Tables on a telephone: each number below the name of its column, named once per table and not once per number.

A page is finished HTML here. A table of more than `FITS` columns is marked with a number, and a rule of style for each
of its columns holds the head's words; `phone.css` lays the rows out. Tables with the same heads share their rules. One
of more than `FITS_PAPER` columns is laid out so on paper as well, by `paper.css`.
"""

import html
import re

# Columns that a telephone of 390 pixels shows side by side.
FITS = 3
# Columns that a page of paper holds without cutting the last ones off.
FITS_PAPER = 12

TABLE = re.compile(r"<table\b([^>]*)>(.*?)</table>", re.DOTALL)
HEAD = re.compile(r"<thead>\s*<tr>(.*?)</tr>\s*</thead>", re.DOTALL)
CELL = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
STYLE_END = "</style>"


def fit_tables(page: str) -> str:
    """The page with its wide tables marked, and their columns' names in its style. A table without one head is left."""
    numbers: dict[tuple[str, ...], int] = {}

    def mark(table: re.Match[str]) -> str:
        attributes, inside = table.groups()
        head = HEAD.search(inside)
        names = tuple(_words(cell) for cell in CELL.findall(head[1])) if head else ()
        if len(names) <= FITS:
            return table[0]
        number = numbers.setdefault(names, len(numbers))
        wide = " data-wide" if len(names) > FITS_PAPER else ""
        return f'<table{attributes} data-phone="{number}"{wide}>{inside}</table>'

    marked = TABLE.sub(mark, page)
    rules = "".join(_rules(number, names) for names, number in numbers.items())
    style = f"@media print, screen and (max-width: 760px) {{\n{rules}}}\n" if rules else ""
    return marked.replace(STYLE_END, style + STYLE_END, 1)


def _rules(number: int, names: tuple[str, ...]) -> str:
    """A rule per column, counted from the last one: a cell that spans rows may be missing at the front."""
    places = range(len(names), 0, -1)
    return "".join(
        f'[data-phone="{number}"] > tbody > tr > :nth-last-child({place})::before {{ content: "{_quoted(name)}"; }}\n'
        for place, name in zip(places, names, strict=True)
        if name
    )


def _words(cell: str) -> str:
    """Words of a head's cell: a break is a blank, but none follows a hyphen at which a word was cut."""
    return " ".join(html.unescape(TAG.sub("", cell.replace("-<br>", "").replace("<br>", " "))).split())


def _quoted(text: str) -> str:
    """Text inside a string of CSS, whatever people landed: all but plain letters, digits and blanks by their code."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign == " ") else f"\\{ord(sign):x} " for sign in text)
