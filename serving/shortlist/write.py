"""A shortlist for people: a table in the terminal, a CSV for a spreadsheet, a page to send on."""

import csv
import hashlib
import io
from pathlib import Path

from ingestion.config import Settings
from ingestion.quarantine import neutral
from ingestion.raw import commit_file
from serving.report.formatting import environment, style
from serving.report.output import write_page
from serving.report.source import Row
from serving.shortlist.ask import many
from serving.shortlist.optimise import Shortlist, amount
from serving.shortlist.solve import GAP, MANY, TIME_LIMIT_SECONDS

COLUMNS = (
    "creator", "platform", "account_id", "display_name", "tier", "niche", "country", "city", "language", "followers",
    "reach", "engagements", "price", "currency", "price_basis", "trust_score", "data_origin",
)  # fmt: skip
OVERLAP = (
    "Audience overlap is unknown: people who follow several of these accounts are counted for each, so the sums are"
    " upper bounds of the people behind them."
)
# More rows than this are in the files alone.
PRINTED = 40
# Names and ids are cut to fit; the files hold them whole.
WIDTH = 150


def rows_of(found: Shortlist) -> list[Row]:
    """The accounts of the list, dearest first; accounts of one person share the number of their `creator`."""
    chosen = found.world.accounts.iloc[found.solved.chosen]
    chosen = chosen.sort_values(["price_cents", "platform", "account_id"], ascending=[False, True, True])
    rows: list[Row] = [
        {str(name): None if value is None or value != value else value for name, value in row.items()}
        for row in chosen.astype(object).to_dict("records")
    ]
    numbers: dict[object, int] = {}
    for row in rows:
        row["creator"] = numbers.setdefault(row["creator"], len(numbers) + 1)
        row["price"] = f"{int(row['price_cents']) / 100:.2f}"
        row["currency"] = found.world.currency
        row |= {
            name: None if row[name] is None else int(row[name])
            for name in ("followers", "reach", "engagements", "trust_score")
        }
    return rows


def sums_of(found: Shortlist) -> list[tuple[str, str]]:
    """What the whole list costs and brings."""
    sums = [("creators", f"{found.creators:,}"), ("accounts", f"{len(found.solved.chosen):,}")]
    sums.append(("price", f"{amount(found.money)} {found.world.currency}"))
    for name in ("followers", "reach", "engagements"):
        total = found.total(name)
        sums.append((name, "unknown of some" if total is None else f"{total:,}"))
    return sums


def notes_of(found: Shortlist) -> list[str]:
    """What must be said with the list: how good it is, what it depends on, what is not known."""
    chosen = found.world.accounts.iloc[found.solved.chosen]
    bases = chosen["price_basis"].value_counts().sort_index()
    simulated = int((chosen["data_origin"] == "simulated").sum())
    days = chosen["rates_day"].dropna()
    left_out = ", ".join(f"{count:,} {why}" for why, count in found.world.left_out.items())
    return [
        _proof(found),
        OVERLAP,
        f"Prices of one post: {', '.join(f'{count} {basis}' for basis, count in bases.items())}.",
        *([f"Rates of reach and engagement as of {days.min():%Y-%m-%d} or later."] if len(days) else []),
        f"Chosen among {many(found.candidates, 'candidate')}; left out: {left_out or 'nobody'}.",
        found.top,
        *([f"Simulated, not observed: {simulated} of {len(chosen)} accounts or their prices."] if simulated else []),
    ]


def _proof(found: Shortlist) -> str:
    solved = found.solved
    better = "cheaper" if found.ask.aim == "price" else "better"
    if solved.value == solved.bound:
        return f"Proven: no {better} list exists (gap 0)."
    by = abs(solved.value - solved.bound)
    most = f"{amount(by)} {found.world.currency}" if found.ask.aim == "price" else f"{by:,} engagements"
    why = (
        f"the search ended after {TIME_LIMIT_SECONDS:.0f} s"
        if solved.is_cut_short
        else f"more than {MANY:,} were left to decide: {GAP:.2%} is enough"
    )
    return f"Proven: no list is {better} by more than {most} (gap {solved.gap:.4%}; {why})."


def write_files(settings: Settings, found: Shortlist) -> tuple[Path, Path]:
    """Write the CSV and the page under `<data>/reports/shortlists/`; equal asks of equal releases give equal bytes."""
    name = f"{found.ask.measure}_{hashlib.sha256(found.ask.key.encode()).hexdigest()[:12]}"
    folder = settings.reports / "shortlists"
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{name}.html"
    write_page(page, render(found))
    return _write_csv(folder / f"{name}.csv", rows_of(found)), page


def _write_csv(target: Path, rows: list[Row]) -> Path:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([neutral(row[name]) for name in COLUMNS] for row in rows)
    partial = target.with_name(f".{target.name}.partial")
    # Spreadsheets take UTF-8 for what it is only with a byte order mark.
    partial.write_text(text.getvalue(), encoding="utf-8-sig", errors="replace", newline="")
    commit_file(partial, target)
    return target


def render(found: Shortlist) -> str:
    """The page as text."""
    template = environment().get_template("shortlist.html.j2")
    return template.render(
        title="shortlist",
        day=None,
        tiers=[],
        wanted=found.ask.words(found.world.currency),
        rows=rows_of(found),
        sums=sums_of(found),
        notes=notes_of(found),
        currency=found.world.currency,
        release=found.world.release,
        style=style(),
    )


def show(found: Shortlist) -> None:
    """Print the list, its sums and what must be said with it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=WIDTH)
    console.print(Text("; ".join(found.ask.words(found.world.currency))), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for name, justify in (
        ("#", "right"), ("account", "left"), ("name", "left"), ("tier", "left"), ("followers", "right"),
        ("reach", "right"), ("engagements", "right"), (f"price {found.world.currency}", "right"), ("basis", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis")  # type: ignore[arg-type]
    rows = rows_of(found)
    for row in rows[:PRINTED]:
        cells = (
            row["creator"], f"{row['platform']} {row['account_id']}"[:44], (row["display_name"] or "")[:24],
            row["tier"] or "", *("unknown" if row[name] is None else f"{row[name]:,}" for name in
            ("followers", "reach", "engagements")), amount(row["price_cents"]), row["price_basis"],
        )  # fmt: skip
        table.add_row(*(Text(_plain(str(cell))) for cell in cells))
    console.print(table)
    if len(rows) > PRINTED:
        console.print(Text(f"and {len(rows) - PRINTED} more, in the files"))
    for name, value in sums_of(found):
        console.print(Text(f"{name:<13}{value}"))
    for note in notes_of(found):
        console.print(Text(note), soft_wrap=True)


def _plain(text: str) -> str:
    """Text that a terminal prints as it is: what people landed could hold its control codes."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
