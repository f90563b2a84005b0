"""Worked lines of the reference: a cell, what a mapping says of it, and what it is read as. A test lands each."""

from typing import NamedTuple


class Line(NamedTuple):
    """A row of the table.

    Args:
        feed: the feed whose `column` is filled.
        says: of the column, after `from`; empty for nothing.
        file: of the whole mapping; empty for nothing.
        cells: of the row, by header; the first is the column's own.
        becomes: what raw holds, as text; empty for null.
        why: the null's reason, or why the row is quarantined.
    """

    feed: str
    column: str
    says: str
    file: str
    cells: dict[str, str]
    becomes: str
    why: str = ""


SNAPSHOTS, POSTS, COSTS, CAMPAIGNS = "account_snapshots", "post_snapshots", "costs", "campaigns"
LINES = (
    Line(SNAPSHOTS, "followers", "", "decimal_mark: ','", {"Fans": "12.431"}, "12431"),
    Line(COSTS, "amount", "", "decimal_mark: ','", {"Sum": "1.250,50"}, "1250.500000"),
    Line(COSTS, "amount", "", "decimal_mark: '.'", {"Sum": "2.400"}, "2.400000"),
    Line(COSTS, "amount", "", "", {"Sum": "2.400"}, "", "row quarantined: two readings"),
    Line(COSTS, "amount", "", 'thousands_mark: "\'"', {"Sum": "1'250.50"}, "1250.500000"),
    Line(COSTS, "amount", "", "", {"Sum": "60634.34999999999"}, "60634.350000", "noise of a float, counted"),
    Line(COSTS, "amount", "round: 2", "", {"Sum": "12.3456789"}, "12.350000"),
    Line(COSTS, "amount", "parse: number", "", {"Sum": "(80.00)"}, "-80.000000"),
    Line(COSTS, "amount", "parse: number", "", {"Sum": "12,34,567"}, "1234567.000000"),
    Line(SNAPSHOTS, "followers", "parse: number", "", {"Fans": "3.2 lakh"}, "320000"),
    Line(SNAPSHOTS, "followers", "parse: number", "", {"Fans": "1.5万"}, "15000"),
    Line(SNAPSHOTS, "followers", "parse: number, units: {mil: 1000}", "", {"Fans": "12 mil"}, "12000"),
    Line(SNAPSHOTS, "views_total", "", "", {"Views": "2.28E+11"}, "228000000000"),
    Line(COSTS, "amount", 'compute: "Total + `Discount Amount`"', "", {"Total": "91.40", "Discount Amount": "20.00"},
         "111.400000"),
    Line(COSTS, "amount", 'compute: "Total + (Tip or 0)"', "", {"Total": "91.40", "Tip": ""}, "91.400000"),
    Line(COSTS, "amount", 'compute: "Cents * 0.01"', "", {"Cents": "9140"}, "91.400000"),
    Line(CAMPAIGNS, "start_date", "", "date_order: dmy", {"Start": "03/04/2026"}, "2026-04-03"),
    Line(CAMPAIGNS, "start_date", "", "", {"Start": "03/04/2026"}, "", "row quarantined: two readings"),
    Line(CAMPAIGNS, "start_date", "time_format: ['%d.%m.%Y', '%Y/%m/%d']", "", {"Start": "2026/04/03"}, "2026-04-03"),
    Line(CAMPAIGNS, "start_date", "time_format: '%d. %B %Y'", "language: de", {"Start": "3. April 2026"}, "2026-04-03"),
    Line(POSTS, "published_at", "parse: epoch_microseconds", "", {"Posted": "1767582000000000"}, "2026-01-05 03:00:00"),
    Line(POSTS, "account_id", "", "", {"Channel": "42.0"}, "42"),
    Line(POSTS, "account_id", "", "", {"Channel": "'00125"}, "00125"),
    Line(POSTS, "account_id", "", "", {"Channel": "6.8925E+18"}, "", "row quarantined: it has lost digits"),
    Line(POSTS, "account_id", "normalise: handle", "", {"Link": "https://www.tiktok.com/@Anna"}, "anna"),
    Line(POSTS, "hashtags", "list_separator: ','", "", {"Tags": "['fyp', 'foryou']"}, "fyp|foryou"),
    Line(POSTS, "hashtags", "list_separator: ' '", "", {"Tags": "#tea #cake"}, "#tea|#cake"),
    Line(SNAPSHOTS, "followers", "hidden_when: \"Hidden = 'yes'\"", "", {"Fans": "0", "Hidden": "yes"}, "", "hidden"),
    Line(SNAPSHOTS, "followers", "absent_means: unsupported", "", {"Fans": ""}, "", "unsupported"),
    Line(SNAPSHOTS, "followers", "", "", {"Fans": "many"}, "", "invalid; the text stays in invalid_cells"),
    Line(SNAPSHOTS, "followers", "on_invalid: quarantine", "", {"Fans": "many"}, "", "row quarantined"),
    Line(SNAPSHOTS, "country", "", "", {"Country": "Deutschland"}, "DE"),
    Line(SNAPSHOTS, "country", "", "", {"Country": "Atlantis"}, "", "invalid; the text stays in invalid_cells"),
)  # fmt: skip


def source(line: Line) -> str:
    """What the mapping says of the column, as YAML."""
    if line.says.startswith("compute"):
        return f"{{{line.says}}}"
    return f"{{from: {next(iter(line.cells))}{', ' if line.says else ''}{line.says}}}"
