"""Tables of the report: what stands in the page as JSON, how large it may be, and what a spreadsheet is given."""

import json
import re
from datetime import date
from decimal import Decimal

import duckdb

from ingestion.config import Settings
from ingestion.quarantine import STARTS_A_FORMULA
from serving.report import tables
from serving.report.build import render
from serving.report.source import Row
from serving.report.tables import MAX_BYTES, Column, Table, script, table

from .hand_made import STANDARD, publish
from .test_report import Page

COLUMNS = (
    Column("name", "Name", "who"),
    Column("tier", "Tier", filters=True, order=("Nano", "Mega")),
    Column("spend", "Out", "money", least=True),
    Column("roi", "ROI", "roi"),
    Column("orders", "Orders", "count"),
    Column("day", "From", "day"),
)


def row(name: str = "Ann", **more: object) -> Row:
    return {
        "name": name, "name_id": "id-1", "name_href": None, "is_simulated": False, "tier": "Mega", "spend": Decimal("5.126"),
        "roi": -0.1234567, "orders": Decimal("3.25"), "day": date(2026, 3, 1), **more,
    }  # fmt: skip


def made(rows: list[Row], **more: object) -> Table:
    return table("t", "T", COLUMNS, rows, date(2026, 3, 1), **more)  # type: ignore[arg-type]


def test_cells_are_plain_and_a_column_that_filters_lists_its_values_once() -> None:
    rows = [
        row(),
        row(tier="Odd"),
        row(tier=["Nano", "Mega"]),
        row(tier=None, spend=None, roi=None, orders=4, day=None),
    ]
    data = json.loads(made(rows).data)
    # Tiers stand in their own order, what has none after them; a cell holds places in this list.
    assert data["columns"][1] == {"label": "Tier", "kind": "text", "values": ["Nano", "Mega", "Odd"]}
    assert data["columns"][2] == {"label": "Out", "kind": "money", "least": 1}
    assert data["rows"] == [
        [["Ann", "id-1", 0, None], [1], 5.13, -0.12346, 3.2, "2026-03-01"],
        [["Ann", "id-1", 0, None], [2], 5.13, -0.12346, 3.2, "2026-03-01"],
        [["Ann", "id-1", 0, None], [0, 1], 5.13, -0.12346, 3.2, "2026-03-01"],
        [["Ann", "id-1", 0, None], [], None, None, 4, None],
    ]


def test_nothing_that_people_landed_closes_the_script() -> None:
    hostile = "</script><script>alert(1)</script><!--&"
    data = made([row(hostile, tier=hostile)]).data
    assert "<" not in data
    assert "&" not in data
    assert json.loads(data)["rows"][0][0][0] == hostile


def test_a_spreadsheet_gets_what_it_cannot_take_for_a_formula() -> None:
    """The page's script is given the characters that `groundswell quarantine` guards against, and looks for them."""
    assert set(json.loads(made([row()]).data)["formulas"]) == set(STARTS_A_FORMULA)
    guard = re.search(r"data\.formulas\.includes\(value\.charAt\(0\)\)[^;]*\? `'\$\{value\}` : value;", script())
    assert guard is not None


def test_a_table_that_is_too_large_is_cut_and_says_so() -> None:
    rows = [row("名" * 300, name_id=f"{n}" + "x" * 300, tier=f"{n}" + "名" * 90) for n in range(4_000)]
    cut = made(rows, total=100_000, kept="the largest")
    assert len(cut.data.encode()) <= MAX_BYTES
    assert 0 < cut.shown < 4_000
    assert (cut.total, cut.kept) == (100_000, "the largest")
    assert len(json.loads(cut.data)["rows"]) == cut.shown
    whole = made(rows[:10])
    assert (whole.shown, whole.total) == (10, 10)


def test_a_table_of_one_row_that_is_too_large_is_empty(monkeypatch: object) -> None:
    limit = tables.MAX_BYTES
    try:
        tables.MAX_BYTES = 10
        assert (made([row()]).shown, made([row()]).total) == (0, 1)
    finally:
        tables.MAX_BYTES = limit


def test_the_script_sets_text_and_never_markup() -> None:
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", script())
    assert "</" not in script()
    for found in re.findall(r"[^\n]*href[^\n]*", script()):
        assert "http" not in found


def test_a_hundred_thousand_creators_are_a_page_below_5_mb(settings: Settings) -> None:
    """Names of 240 characters of three bytes each, 2,000 niches, and more campaigns, collaborations and posts than a table holds."""
    publish(settings, dim_tier_scheme=STANDARD)
    who = "'instagram' as platform, 'id-' || n as account_id"
    name = "repeat('名', 240) || n as display_name"
    observed = (
        "'observed' as data_origin, 0 as missing_fees, 0 as unrated_costs, 0 as unvalued_orders, 0 as uncosted_orders"
    )
    paid = (
        f"{observed}, 'linear' as attribution_model, 100 as spend_base, 100 as spend_known_base, 150 as net_revenue_base,"
        " 0.5 as roi_net, 3 as orders, 1 as cost_entries, date '2026-03-01' as as_of_date, 5 as posts"
    )
    many = {
        "fct_account_daily": f"{who}, date '2026-03-01' as snapshot_date, n as followers, 'nano' as tier",
        "fct_account_latest": f"{who}, {name}, n as followers, 'trusted' as verdict, 1 as collaborations,"
        " 'niche ' || n % 2000 as niche",
    }
    some = {
        "fct_collaboration_roi": f"{who}, {paid}, 'K' || n as collaboration_id, 'C' || n % 2000 as campaign_id,"
        " 'b' || n % 500 as brand, 'paid' as partner_type",
        "fct_post": f"{who}, 'post-' || n as post_id, 'C' || n % 2000 as campaign_id, n as engagements",
        "fct_campaign_roi": f"{paid}, 'C' || n as campaign_id, repeat('名', 240) || n as campaign_name",
    }
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        for count, columns_by_mart in ((100_000, many), (6_000, some)):
            for mart, columns in columns_by_mart.items():
                origin = "" if "data_origin" in columns else ", 'observed' as data_origin"
                marts.execute(
                    f"insert into marts.{mart} by name select {columns}{origin} from range({count}) as numbers (n)"
                )
    text = render(settings, "run-1")
    assert len(text.encode()) < 5_000_000
    page = Page(text)
    assert set(page.data) == {"campaigns", "collaborations", "creators", "posts"}
    assert re.search(r"The page holds [\d,]+ of 100,000: those with a collaboration, then those", page.text)
