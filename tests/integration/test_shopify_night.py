"""A shop's export, an agreement and its costs, from landing to the return of the collaboration: each figure by hand."""

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from ingestion.config import PROJECT_DIR, Settings

from . import night
from .conftest import make_settings, reading

EXPORT = PROJECT_DIR / "tests" / "fixtures" / "exports" / "shopify" / "orders_export_1.csv"
DAY = date(2026, 5, 6)
FILES = {
    "account_snapshots/accounts_2026-05-06.csv": (
        "platform,account_id,captured_at,followers\ninstagram,anna.bakes,2026-05-06T06:00:00Z,12400\n"
    ),
    "campaigns/campaigns_2026-05-06.csv": (
        "campaign_id,brand,name,objective,start_date,end_date\nC1,glow,Spring,sales,2026-05-01,2026-05-31\n"
    ),
    "collaborations/collaborations_2026-05-06.csv": (
        "collaboration_id,campaign_id,brand,creator_id,platform,account_id,partner_type,promo_code,start_date,end_date\n"
        "K1,C1,glow,anna,instagram,anna.bakes,paid,ANNA20,2026-05-01,2026-05-31\n"
    ),
    "costs/costs_2026-05-06.csv": (
        "cost_id,campaign_id,collaboration_id,cost_date,cost_type,amount,currency\n"
        "F1,C1,K1,2026-05-01,fee,50.00,USD\nF2,C1,K1,2026-05-01,product,25.00,USD\n"
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, one_parse: None) -> Settings:
    """The night of 6 May; the shop's export was written that day."""
    made = make_settings(tmp_path_factory.mktemp("shopify") / "data")
    settings = made.model_copy(update={"hash_key": SecretStr("a long text of this shop")})
    for path, text in {**FILES, "orders/orders_export_1.csv": EXPORT.read_text(encoding="utf-8")}.items():
        file = settings.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written_at = datetime(2026, 5, 6, 20, tzinfo=UTC).timestamp()
        os.utime(file, (written_at, written_at))
    night.run(settings, "night", DAY)
    return settings


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with reading(settings) as marts:
        return marts.execute(sql).fetchall()


def test_what_the_collaboration_returned(shop: Settings) -> None:
    """#1001 is 80 net, #1003 45 (FREESHIP is nobody's), #1005 is cancelled: 125 on 50 + 25, so (125 - 75) / 75."""
    [(orders, net, spend, roi, roas)] = rows(
        shop,
        "select orders, net_revenue_base, spend_base, roi_net, roas from marts.fct_collaboration_roi"
        " where attribution_model = 'promo_code'",
    )
    assert (orders, net, spend) == (2, Decimal(125), Decimal(75))
    assert (roi, roas) == (pytest.approx(50 / 75), pytest.approx(125 / 75))


def test_what_the_shop_sold(shop: Settings) -> None:
    """80 + (100 - 54 x 100 / 108) + 45 + 20 + 50 + 0 = 245; #1004 and #1005 are cancelled, #1007 was a test."""
    [(total,)] = rows(
        shop, "select sum(credited_net_revenue_base) from marts.fct_attribution where attribution_model = 'promo_code'"
    )
    assert total == 245


def test_no_address_is_in_a_mart(shop: Settings) -> None:
    with reading(shop) as marts:
        tables = [name for (name,) in marts.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()]  # fmt: skip
        found = {
            table: marts.execute(
                f"select count(*) from marts.{table} as t where cast(to_json(t) as varchar) like '%@example%'"
            ).fetchone()
            for table in tables
        }
    assert len(found) > 40
    assert set(found.values()) == {(0,)}
