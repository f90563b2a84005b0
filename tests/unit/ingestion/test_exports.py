"""Ready mappings of exports that many people have: a made-up file of each lands as worked out by hand.

`tests/fixtures/exports` is laid out as in landing. Headers are those of the exports; names, ids and numbers are made up.
"""

import io
import os
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from ingestion import landing
from ingestion.config import PROJECT_DIR, Settings
from ingestion.mapping import grammar
from ingestion.mapping.in_use import library_mappings
from ingestion.sample import SAMPLES
from tests.mappings import all_of_library, only

from ..conftest import Yard
from .test_mapping_traits import Use, use

__all__ = ["use"]
EXPORTS = PROJECT_DIR / "tests" / "fixtures" / "exports"
PAGE = PROJECT_DIR / "docs" / "exports.md"
SHOPIFY = "shopify/orders_export_1.csv"
WOOCOMMERCE = "woocommerce_orders/order_export_2026-05-10.csv"
TABLE_DATA = "youtube_studio_lifetime/UCmadeUpChannel000000001/Table data.csv"
TOTALS = "youtube_studio_daily/UCmadeUpChannel000000001/Totals.csv"
INSTAGRAM = "instagram_content/Sep-20-2026_Oct-05-2026_1234567890.csv"
FACEBOOK = "facebook_content/Sep-20-2026_Oct-05-2026_2234567890.csv"
META_DAILY = "meta_daily/instagram/17841000000000001/Views.csv"
TIKTOK = "tiktok_content/Content.csv"
MAPPED_BY = {
    SHOPIFY: "shopify_orders",
    WOOCOMMERCE: "woocommerce_orders",
    TABLE_DATA: "youtube_studio_lifetime",
    TOTALS: "youtube_studio_daily",
    INSTAGRAM: "instagram_content",
    FACEBOOK: "facebook_content",
    META_DAILY: "meta_daily",
    TIKTOK: "tiktok_content",
}
WRITTEN_AT = datetime(2026, 10, 5, 18, tzinfo=UTC)
KEY = SecretStr("a long text of this shop")


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    """All of the exports landed at once: nobody writes there."""
    data = tmp_path_factory.mktemp("exports") / "data"
    yard = Yard(Settings(_env_file=None, data=data, settle_seconds=0.0, hash_key=KEY))  # type: ignore[call-arg]
    for path in MAPPED_BY:
        file = yard.drop(path, (EXPORTS / path).read_bytes())
        os.utime(file, (WRITTEN_AT.timestamp(), WRITTEN_AT.timestamp()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(landing, "load_mappings", lambda *_: all_of_library())
        yard.land()
    return yard


def land_export(yard: Yard, monkeypatch: pytest.MonkeyPatch, path: str, content: bytes) -> str:
    """Land a file with the whole library switched on, under a key."""
    monkeypatch.setattr(landing, "load_mappings", lambda *_: all_of_library())
    yard.settings = yard.settings.model_copy(update={"hash_key": KEY})
    yard.drop(path, content)
    yard.land()
    return path


def rows_of(yard: Yard, path: str, feed: str, columns: str) -> list[tuple[Any, ...]]:
    """Accepted rows of a file in one of its feeds, in the order of its lines."""
    files = yard.query(
        "select r.path from raw_files r join batches b using (batch_id) where b.file = ? and b.feed = ?", path, feed
    )
    paths = [str(yard.settings.raw / row["path"]) for row in files]
    sql = f"select {columns} from read_parquet(?, hive_partitioning = false, union_by_name = true) order by source_line"
    return duckdb.execute(sql, [paths]).fetchall() if paths else []


def counted(yard: Yard, path: str, feed: str) -> tuple[int, int, int, int]:
    """Rows read, accepted, duplicate, and left out by the mapping; no other row is quarantined."""
    (batch,) = yard.query("select * from batches where file = ? and feed = ?", path, feed)
    assert batch["rows_quarantined"] == batch["rows_left_out"], batch
    return batch["rows_read"], batch["rows_accepted"], batch["rows_duplicate"], batch["rows_left_out"]


# --- which mapping claims which file


def test_each_export_is_claimed_by_its_own_mapping_and_no_other() -> None:
    files = {path.relative_to(EXPORTS).as_posix() for path in EXPORTS.rglob("*") if path.is_file()}
    assert files == set(MAPPED_BY)
    mappings = all_of_library()
    assert {file: [each.mapping for each in mappings.claims(file)] for file in files} == {
        file: [name] for file, name in MAPPED_BY.items()
    }


def test_no_mapping_claims_a_file_of_the_sample_or_of_the_public_campaigns_that_is_anothers() -> None:
    campaigns = PROJECT_DIR / "tests" / "fixtures" / "campaigns"
    folders = [campaigns, *(sample.folder for sample in SAMPLES.values())]
    files = [path.relative_to(folder).as_posix() for folder in folders for path in folder.rglob("*")]
    claims = {file: {each.mapping for each in library_mappings().values() if each.claims(file)} for file in files}
    assert len(files) > 20
    assert not {file: names for file, names in claims.items() if names & set(MAPPED_BY.values())}


def test_an_export_is_claimed_when_use_switches_it_on(yard: Yard, tmp_path: Path) -> None:
    """By `use:` alone, also with the pattern of a shop that renames its files."""
    folder = tmp_path / "config" / "mappings"
    folder.mkdir(parents=True)
    yard.settings = yard.settings.model_copy(update={"config": tmp_path / "config", "hash_key": KEY})
    (folder / "shop.yml").write_text('use: shopify_orders\npattern: "sales_*.csv"\n')
    yard.drop("shop/sales_may.csv", (EXPORTS / SHOPIFY).read_bytes())
    assert yard.land().files_quarantined == 0
    assert len(rows_of(yard, "shop/sales_may.csv", "orders", "order_id")) == 8


# --- Shopify


def test_shopify_orders_by_hand(landed: Yard) -> None:
    """Gross is Total + Discount Amount; net = gross - discount - tax - shipping, which is Subtotal where tax is added.

    #1001 has a Matcha at 60 and two Cups at 20, ANNA20 takes 20 off: Subtotal 80, Shipping 5, Taxes 6.40, Total 91.40.
    #1002 and #1008 have no discount, #1003 15.00 of it; #1009 was given away whole.
    """
    columns = "order_id, gross_amount, discount_amount, tax_amount, shipping_amount, currency, promo_code, country"
    found = rows_of(landed, SHOPIFY, "orders", columns)
    by_hand = [
        ("#1001", "111.40", "20.00", "6.40", "5.00", "USD", "ANNA20", "US"),
        ("#1002", "108.00", "0.00", "8.00", "0.00", "USD", None, "US"),
        ("#1003", "69.00", "15.00", "4.00", "5.00", "USD", "ANNA20, FREESHIP", "US"),
        ("#1004", "30.00", "0.00", "0.00", "0.00", "USD", None, "US"),
        ("#1005", "43.00", "10.00", "3.00", "0.00", "USD", "ANNA20", "US"),
        ("#1006", "21.60", "0.00", "1.60", "0.00", "USD", None, None),
        ("#1008", "50.00", "0.00", "0.00", "0.00", "USD", None, "US"),
        ("#1009", "40.00", "40.00", "0.00", "0.00", "USD", "GIFT100", "US"),
    ]
    assert found == [(name, *map(Decimal, amounts), *rest) for name, *amounts, rest in
                     ((row[0], *row[1:5], row[5:]) for row in by_hand)]  # fmt: skip
    net = {name: gross - discount - tax - shipping for name, gross, discount, tax, shipping, *_ in found}
    assert net == {
        "#1001": Decimal(80), "#1002": 100, "#1003": 45, "#1004": 30, "#1005": 30, "#1006": 20, "#1008": 50, "#1009": 0,
    }  # fmt: skip


def test_what_a_shopify_order_is_by_now(landed: Yard) -> None:
    """Paid, given back in part or not paid yet is a sale; #1004 was voided, and #1005 was paid and then cancelled."""
    found = {name: rest for name, *rest in rows_of(landed, SHOPIFY, "orders", "order_id, status, cancelled_at")}
    assert found.pop("#1004") == ["cancelled", datetime(2026, 5, 4, 12)]
    assert found.pop("#1005") == [None, datetime(2026, 5, 5, 12)]
    assert list(found.values()) == [[None, None]] * 6


def test_a_status_that_nobody_knows_is_quarantined(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative test: whether it is a sale is not guessed."""
    path = land_export(
        yard,
        monkeypatch,
        "shopify/orders_export.csv",
        WITH_TAX.replace(b"paid", b"on hold", 1).replace(b"on hold", b"on_hold"),
    )
    (batch,) = yard.query("select * from batches where file = ? and feed = 'orders'", path)
    assert "status" in batch["reason"]
    assert batch["rows_accepted"] == 0


def test_shopify_times_are_those_of_the_shop(landed: Yard) -> None:
    """23:29 of 1 May in New York is 03:29 of 2 May UTC."""
    assert rows_of(landed, SHOPIFY, "orders", "ordered_at")[:2] == [
        (datetime(2026, 5, 1, 13, 59),), (datetime(2026, 5, 2, 3, 29),),
    ]  # fmt: skip


def test_lines_of_a_shopify_order_are_neither_summed_nor_lost(landed: Yard) -> None:
    """10 lines of 9 orders, one of them a test. The feed is filled from orders with an e-mail and from those without,
    so each line is read twice: 8 rows load, 12 are left out. Of the 10 lines 2 hold a refund."""
    assert counted(landed, SHOPIFY, "orders") == (20, 8, 0, 12)
    assert counted(landed, SHOPIFY, "refunds") == (10, 2, 0, 8)


def test_shopify_refunds_are_on_the_day_of_their_order(landed: Yard) -> None:
    assert rows_of(landed, SHOPIFY, "refunds", "refund_id, order_id, refunded_at, amount, currency") == [
        ("#1002", "#1002", datetime(2026, 5, 2, 3, 29), Decimal("54.00"), "USD"),
        ("#1005", "#1005", datetime(2026, 5, 4, 14, 0), Decimal("33.00"), "USD"),
    ]


def test_shopify_customers_are_hashed_and_one_customer_stays_one(landed: Yard) -> None:
    """#1001 and #1003 are of one address, written in two ways; #1006, of the counter, has none."""
    customers = dict(rows_of(landed, SHOPIFY, "orders", "order_id, customer_id"))
    assert customers["#1001"] == customers["#1003"] != customers["#1002"]
    assert {len(customer) for name, customer in customers.items() if name != "#1006"} == {64}
    assert customers["#1006"] == "#1006"


def test_nothing_of_a_customer_is_in_raw_or_in_quarantine(landed: Yard) -> None:
    """Neither of the rows that load nor of those that the mapping leaves out."""
    names = ("orders", "refunds")
    files = [file for folder in (landed.settings.raw, landed.settings.quarantine) for name in names
             for file in (folder / name).rglob("*.parquet")]  # fmt: skip
    assert len(files) >= 8
    for file in files:
        for (row,) in duckdb.sql(f"select cast(to_json(t) as varchar) from read_parquet('{file}') as t").fetchall():
            for personal in ("example", "Main St", "555-0100", "192.0.2.1", "Springfield", "Ann"):
                assert personal.lower() not in row.lower().replace("anna20", ""), (file, personal)


def test_shopify_without_a_key_waits_and_says_what_to_do(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "load_mappings", lambda *_: all_of_library())
    yard.drop(SHOPIFY, (EXPORTS / SHOPIFY).read_bytes())
    assert yard.land().files_waiting == [SHOPIFY]
    assert "there is no key; set GROUNDSWELL_HASH_KEY" in yard.said[-1]
    assert yard.batches() == []


WITH_TAX = (
    b"Name,Email,Financial Status,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Created at,"
    b"Payment Method,Refunded Amount,Cancelled at\n"
    b"#9,a@example.com,paid,EUR,120.00,12.00,22.00,132.00,,0.00,2026-05-01 09:59:00 +0200,PayPal,0.00,\n"
)


def test_shopify_prices_with_tax(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goods at 120 hold 20 of tax, shipping at 12 holds 2: Taxes 22, Total 132 = Subtotal + Shipping.

    Net is 132 - 22 - 12 = 98: the goods' 100 less the tax on shipping, which stands in both columns (docs/exports.md).
    """
    path = land_export(yard, monkeypatch, "shopify/orders_export.csv", WITH_TAX)
    [(gross, discount, tax, shipping)] = rows_of(
        yard, path, "orders", "gross_amount, discount_amount, tax_amount, shipping_amount"
    )
    assert (gross, tax, shipping) == (132, 22, 12)
    assert gross - discount - tax - shipping == 98


def test_shopify_prices_with_tax_to_the_cent(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the line that the page proposes for 20 %: shipping is 12 x 0.833333 = 10.00, and net 100.00."""
    [line] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("shipping_amount:")]
    text = (grammar.MAPPINGS_DIR / "shopify_orders.yml").read_text(encoding="utf-8")
    mine = text.replace("shipping_amount: &shipping {from: Shipping}", line.replace(": {", ": &shipping {"))
    assert mine != text
    (tmp_path / "shopify_orders.yml").write_text(mine, encoding="utf-8")
    mapping = grammar.load_mapping(tmp_path / "shopify_orders.yml")
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    yard.settings = yard.settings.model_copy(update={"hash_key": KEY})
    yard.drop("shopify/orders_export.csv", WITH_TAX)
    yard.land()
    net = "gross_amount - discount_amount - tax_amount - shipping_amount"
    assert rows_of(yard, "shopify/orders_export.csv", "orders", f"shipping_amount, {net}") == [(10, 100)]


def test_a_shopify_export_in_another_layout_is_refused_with_the_column_that_is_missing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative test: nothing loads of a file that is no orders export, whatever its name says."""
    land_export(yard, monkeypatch, SHOPIFY, b"Name,Email,Total\n#1,a@example.com,5.00\n")
    assert yard.query("select count(*) as n from raw_files")[0]["n"] == 0
    assert all("missing required column" in batch["reason"] for batch in yard.batches())


# --- WooCommerce


def test_woocommerce_orders_by_hand(landed: Yard) -> None:
    """501: 100 less 20 is 80; shipping 10; 19 % of both 17.10; total 107.10. Gross 127.10, net 80.

    503 has two coupons: whose it is is unknown, so its code is empty and the cell is kept. 505 has failed.
    """
    columns = "order_id, gross_amount, discount_amount, tax_amount, shipping_amount, promo_code"
    found = rows_of(landed, WOOCOMMERCE, "orders", columns)
    assert [(row[0], *map(str, row[1:5]), row[5]) for row in found] == [
        ("501", "127.100000", "20.000000", "17.100000", "10.000000", "anna20"),
        ("502", "59.500000", "0.000000", "9.500000", "0.000000", None),
        ("503", "46.650000", "5.000000", "6.650000", "0.000000", None),
        ("504", "35.700000", "0.000000", "5.700000", "0.000000", None),
    ]
    net = {name: gross - discount - tax - shipping for name, gross, discount, tax, shipping, _ in found}
    assert net == {"501": 80, "502": 50, "503": 35, "504": 30}
    assert rows_of(landed, WOOCOMMERCE, "orders", "status") == [(None,), (None,), (None,), ("cancelled",)]
    [(kept,)] = [row for row in rows_of(landed, WOOCOMMERCE, "orders", "invalid_cells") if row[0]]
    assert kept == '{"promo_code":"code:anna20|amount:4.00;code:welcome|amount:1.00"}'
    assert counted(landed, WOOCOMMERCE, "orders") == (5, 4, 0, 1)


def test_woocommerce_refunds_have_their_own_days(landed: Yard) -> None:
    assert rows_of(landed, WOOCOMMERCE, "refunds", "refund_id, order_id, refunded_at, amount") == [
        ("502-1", "502", datetime(2026, 5, 8, 10, 0), Decimal("11.90")),
        ("503-1", "503", datetime(2026, 5, 8, 11, 0), Decimal("20.00")),
        ("503-2", "503", datetime(2026, 5, 9, 12, 0), Decimal("21.65")),
    ]


def test_a_third_refund_of_a_woocommerce_order_is_quarantined(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative test: money that the mapping does not take apart is not lost in silence."""
    content = (EXPORTS / WOOCOMMERCE).read_bytes()
    more = content.replace(
        b"date:2026-05-09 12:00:00", b"date:2026-05-09 12:00:00;amount:1.00|reason:|date:2026-05-10 12:00:00"
    )
    assert more != content
    path = land_export(yard, monkeypatch, WOOCOMMERCE, more)
    (batch,) = yard.query("select * from batches where file = ? and feed = 'refunds'", path)
    assert (batch["rows_accepted"], batch["rows_quarantined"] - batch["rows_left_out"]) == (3, 1)


# --- YouTube Studio


def test_a_lifetime_table_of_youtube_studio(landed: Yard) -> None:
    """Two posts; the row Total is left out. The folder says whose they are."""
    assert landed.rows(
        TABLE_DATA, "post_id, account_id, captured_at, published_at, views, likes, comments, shares"
    ) == [
        ("abc123DEF45", "UCmadeUpChannel000000001", datetime(2026, 10, 5, 18), datetime(2026, 9, 20), 100, 10, 2, 1),
        ("def456GHI78", "UCmadeUpChannel000000001", datetime(2026, 10, 5, 18), datetime(2026, 9, 1), 2000, 50, 5, 2),
    ]
    assert counted(landed, TABLE_DATA, "post_snapshots") == (3, 2, 0, 1)


def test_the_zip_of_youtube_studio_is_read_as_it_comes(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its three files one is a table of posts; the others are passed over."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Table data.csv", (EXPORTS / TABLE_DATA).read_bytes())
        archive.writestr("Chart data.csv", "Date,Content,Video title,Video publish time,Duration,Views\n")
        archive.writestr("Totals.csv", (EXPORTS / TOTALS).read_bytes())
    path = "youtube_studio_lifetime/UCmadeUpChannel000000001/Content 2026-10-05 Glow.zip"
    land_export(yard, monkeypatch, path, packed.getvalue())
    assert [batch["file"] for batch in yard.batches()] == [f"{path}/Table data.csv"]
    assert [views for (views,) in yard.rows(f"{path}/Table data.csv", "views")] == [100, 2000]


def test_daily_totals_of_youtube_studio_are_what_a_vendor_reports(landed: Yard) -> None:
    assert landed.rows(TOTALS, "platform, account_id, source, metric, as_of_date, period_days, value, unit") == [
        ("youtube", "UCmadeUpChannel000000001", "youtube_studio", "views", day, 1, views, "count")
        for day, views in ((date(2026, 9, 29), 310), (date(2026, 9, 30), 295), (date(2026, 10, 1), 0))
    ]


def test_youtube_studio_in_another_language_is_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative test: a German table has other headers, and loads nothing."""
    content = (EXPORTS / TABLE_DATA).read_bytes().replace(b"Views", b"Aufrufe", 1)
    path = land_export(yard, monkeypatch, TABLE_DATA, content)
    assert "missing required column 'Views'" in yard.batch(path)["reason"]
    assert yard.rows(path) == []


# --- Meta


def test_instagram_posts_of_meta_business_suite(landed: Yard) -> None:
    """Counts since publication; the row of a single day is left out. 10/03/2026 is 3 October."""
    columns = "post_id, account_id, published_at, content_type, views, reach, likes, comments, shares, saves"
    assert landed.rows(INSTAGRAM, columns) == [
        ("18011000000000001", "17841000000000001", datetime(2026, 10, 3, 8, 31), "reel", 12400, 9100, 610, 57, 88, 230),
        ("18012000000000002", "17841000000000001", datetime(2026, 10, 4, 18, 2), "carousel", 2400, 2100, 210, 7, 8, 30),
    ]
    assert counted(landed, INSTAGRAM, "post_snapshots") == (3, 2, 0, 1)


def test_facebook_posts_of_meta_business_suite(landed: Yard) -> None:
    """Likes are reactions of all kinds: 40 of the 46 `Reactions, Comments and Shares`."""
    columns = "post_id, account_id, published_at, content_type, views, reach, likes, comments, shares"
    assert landed.rows(FACEBOOK, columns) == [
        ("1827000000000001", "100045000000001", datetime(2026, 9, 28, 18, 12), "image", 1027, 820, 40, 4, 2),
        ("1827000000000002", "100045000000001", datetime(2026, 9, 29, 9, 0), "reel", 630, 450, 5, 0, 1),
    ]


def test_daily_figures_of_meta_business_suite(landed: Yard) -> None:
    """UTF-16, with two lines above the header; folders and the file's name say platform, account and figure."""
    assert landed.rows(META_DAILY, "platform, account_id, source, metric, as_of_date, period_days, value") == [
        ("instagram", "17841000000000001", "meta_business_suite", "views", day, 1, value)
        for day, value in ((date(2026, 10, 3), 8226), (date(2026, 10, 4), 905), (date(2026, 10, 5), 0))
    ]


def test_a_daily_figure_of_meta_that_is_not_known_is_refused(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative test: the name of a file says which figure it is, so another name is no figure."""
    path = land_export(yard, monkeypatch, META_DAILY.replace("Views", "Earnings"), (EXPORTS / META_DAILY).read_bytes())
    assert "its name holds nothing like" in yard.batch(path)["reason"]


# --- TikTok


def test_posts_of_tiktok_studio(landed: Yard) -> None:
    """A date without a year is none; `undefined` is no 0; the link says whose post it is. The last line has no end."""
    columns = "post_id, account_id, captured_at, published_at, views, likes, comments, shares"
    at = datetime(2026, 10, 5, 18)
    assert landed.rows(TIKTOK, columns) == [
        ("7400000000000000001", "anna.bakes", at, None, 18400, 1200, 48, 31),
        ("7400000000000000002", "anna.bakes", at, datetime(2026, 9, 21, 9, 10), 9100, 640, 12, 9),
        ("7400000000000000003", "anna.bakes", at, None, None, None, None, None),
    ]
    assert landed.rows(TIKTOK, "views_null_reason")[2] == ("not_captured",)
    assert counted(landed, TIKTOK, "post_snapshots") == (6, 3, 0, 3)


# --- the page


def recipe(name: str) -> str:
    """A mapping that the page shows whole."""
    blocks = PAGE.read_text(encoding="utf-8").split("```yaml\n")[1:]
    [found] = [block.partition("```")[0] for block in blocks if f"mapping: {name}\n" in block]
    return found


def test_the_recipe_for_tiktoks_followers_is_right(yard: Yard, use: Use) -> None:
    """The year stands in the mapping; a day that is not over is `undefined`."""
    use(recipe("tiktok_followers_2026"))
    path = "tiktok_followers/anna.bakes/2026/FollowerHistory.csv"
    yard.drop(
        path,
        '\ufeff"Date","Followers","Difference in followers from previous day"\n"August 31","10405","35"\n'
        '"September 1","10440","46"\n"September 2","undefined","0"',
    )
    yard.land()
    assert yard.rows(path, "account_id, captured_at, followers") == [
        ("anna.bakes", datetime(2026, 8, 31, 12), 10405),
        ("anna.bakes", datetime(2026, 9, 1, 12), 10440),
        ("anna.bakes", datetime(2026, 9, 2, 12), None),
    ]


def test_the_page_has_a_recipe_for_each_ready_export() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in MAPPED_BY.values():
        assert f"use: {name}" in text, name
        assert f"`{name}.yml`" in text or f"library/{name}.yml" in text, name
