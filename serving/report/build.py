"""One self-contained HTML page of the published release, the run that led to it, its checks and the landed files.

The page loads nothing: charts, script and style are inside, and its content security policy allows only the scripts
written here, by hash. Whatever people landed (names, file names, reasons) stands in escaped HTML, never in a chart.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import jinja2

from ingestion import ledger
from ingestion.config import Settings
from ingestion.raw import commit_file
from serving.report.marts import MAX_GAP_DAYS, TABLE_DAYS, Row, read_release
from serving.report.state import read_state

HERE = Path(__file__).parent
DATA_DOCS = "data_docs/index.html"

# From small to large audiences. Lightness falls (in the dark: rises) evenly, so the order survives colour blindness
# and print.
SCALE_LIGHT = ("#cfe3dc", "#94cdbf", "#4fa9a8", "#2b7a99", "#2a4f87", "#231f5c")
SCALE_DARK = ("#2b4650", "#2d6f7d", "#3d9a9b", "#7cc4a9", "#bfe3b9", "#f3f6cf")
GREY_LIGHT, GREY_DARK = "#b9b4a8", "#5b646d"
OUTSIDE = {"unclassified": "Outside every tier", "no tier": "No tier defined", "unknown": "Followers unknown"}


def build_report(settings: Settings, run_id: str, say: Callable[[str], None] = print) -> Path:
    """Write `<data>/reports/index.html` when its content changed. Equal release, run and checks give equal bytes."""
    target = settings.reports / "index.html"
    if target.is_file() and _brings_nothing_new(settings, run_id):
        say(f"report unchanged: {target}")
        return target
    page = render(settings, run_id).encode("utf-8", "replace")
    if target.is_file() and target.read_bytes() == page:
        say(f"report unchanged: {target}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".index.{os.getpid()}.partial")
    partial.write_bytes(page)
    commit_file(partial, target)
    say(f"report written: {target}")
    return target


def _brings_nothing_new(settings: Settings, run_id: str) -> bool:
    """Whether a run found nothing to build, and failed no check that the last published run had not failed."""
    failed = "select suite, expectation from check_results where not passed and run_id = ?"
    with ledger.read(settings) as connection:
        plan = connection.execute("select state from plans where run_id = ?", (run_id,)).fetchone()
        last = connection.execute("select run_id from releases order by published_at desc limit 1").fetchone()
        if plan is None or plan["state"] != "unchanged" or last is None:
            return False
        seen = {tuple(row) for row in connection.execute(failed, (last["run_id"],))}
        return {tuple(row) for row in connection.execute(failed, (run_id,))} <= seen


def render(settings: Settings, run_id: str) -> str:
    """The page as text."""
    from plotly.offline import get_plotlyjs

    marts = read_release(settings)
    state = read_state(settings, run_id)
    tiers = _tiers(marts["tiers"]) if marts else []
    scripts = {"plotly": get_plotlyjs(), "charts": (HERE / "charts.js").read_text(encoding="utf-8")}
    template = _environment().get_template("page.html.j2")
    return template.render(
        run_id=run_id,
        scheme=settings.default_scheme,
        state=state,
        status=state["status"],
        marts=marts,
        tiers=tiers,
        look={tier["tier"]: tier for tier in tiers},
        mix=_mix(marts["mix"]) if marts else None,
        chart=_chart(marts, tiers) if marts else None,
        max_gap_days=MAX_GAP_DAYS,
        table_days=TABLE_DAYS,
        data_docs=DATA_DOCS if (settings.reports / DATA_DOCS).is_file() else None,
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        scripts=scripts,
        script_hashes=" ".join(f"'sha256-{_digest(code)}'" for code in scripts.values()),
    )


def _digest(code: str) -> str:
    return base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {shown.__name__: shown for shown in (number, signed, share, day, moment, clip)}
    return environment


def number(value: float | None) -> str:
    """A count with thousands separators; unknown is said, never 0."""
    if value is None:
        return "unknown"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def signed(value: float) -> str:
    """A change with its sign, the minus being a true one."""
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def share(value: float | None, sign: bool = False) -> str:
    """A fraction as per cent, to a tenth; a smaller part is said to be smaller, not 0."""
    if value is None:
        return "unknown"
    size = "<0.1" if 0 < abs(value) < 0.0005 else f"{abs(value) * 100:,.1f}"
    mark = "−" if value < 0 else "+" if sign and value > 0 else ""
    return f"{mark}{size}\u202f%"


def day(value: date | str | None) -> str:
    """A date as people write it."""
    if value is None:
        return "unknown"
    value = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day} {value:%b %Y}"


def moment(value: datetime | str | None) -> str:
    """An instant to the minute, UTC."""
    if value is None:
        return "unknown"
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{value.day} {value:%b %Y, %H:%M} UTC"


def clip(value: str | None, limit: int) -> str:
    """Text cut to a length: nothing that people landed is printed whole."""
    text = value or ""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _tiers(rows: list[Row]) -> list[Row]:
    """Tiers in order with a label and a colour for light and dark; those outside the scale are grey."""
    on_scale = [row["tier"] for row in rows if row["tier"] not in OUTSIDE]
    tiers = []
    for index, row in enumerate(rows):
        tier = row["tier"]
        at = on_scale.index(tier) / max(len(on_scale) - 1, 1) if tier in on_scale else None
        tiers.append(
            {
                "tier": tier,
                "key": f"t{index}",
                "label": OUTSIDE.get(tier, "Below the lowest tier" if tier == "below" else tier.capitalize()),
                "light": GREY_LIGHT if at is None else _shade(SCALE_LIGHT, at),
                "dark": GREY_DARK if at is None else _shade(SCALE_DARK, at),
                "is_unknown": tier == "unknown",
            }
        )
    return tiers


def _shade(scale: tuple[str, ...], at: float) -> str:
    """Colour at a place from 0 to 1 of a scale."""
    place = at * (len(scale) - 1)
    low = min(int(place), len(scale) - 2)
    pairs = ((int(scale[low][i : i + 2], 16), int(scale[low + 1][i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * (place - low)):02x}" for a, b in pairs)


def _mix(rows: list[Row]) -> Row | None:
    """Tiers of one day with their shares of accounts and of known followers; null where no followers are known."""
    accounts = sum(row["accounts"] for row in rows)
    followers = sum(row["followers"] or 0 for row in rows)
    known = sum(row["accounts"] for row in rows if row["tier"] != "unknown")
    if not known:
        return None
    shown = [
        {
            **row,
            "share": row["accounts"] / known if row["tier"] != "unknown" else None,
            "share_of_followers": row["followers"] / followers if followers and row["followers"] is not None else None,
        }
        for row in rows
    ]
    held = [row for row in shown if row["tier"] not in OUTSIDE and row["tier"] != "below" and row["accounts"]]
    top = held[-1] if held else None
    return {"rows": shown, "accounts": accounts, "known": known, "followers": followers, "top": top}


def _chart(marts: Row, tiers: list[Row]) -> Row | None:
    """What the charts draw: keys, dates and figures, no text that people landed; `charts.js` names the tiers."""
    if not marts["periods"]:
        return None
    keys = {tier["tier"]: tier["key"] for tier in tiers}
    series: dict[Any, list[Row]] = {}
    for row in marts["series"]:
        series.setdefault(row["period"], []).append(
            {"key": keys[row["tier"]], "accounts": row["accounts"], "followers": row["followers"]}
        )
    drawn = {
        "tiers": [{"key": tier["key"], "unknown": tier["is_unknown"]} for tier in tiers],
        "periods": [{**period, "series": series[period["period"]]} for period in marts["periods"]],
    }
    return {"drawn": drawn, "days": sum(len(period["days"]) for period in marts["periods"])}
