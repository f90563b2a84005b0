"""What vendors report lands to its last decimal, below 0 too, and no view of the build rounds it."""

from decimal import Decimal

from ingestion.contracts import load_feeds
from warehouse.build import meta

from ..conftest import Yard

PATH = "vendor_metrics/modash_2026-01-05.csv"
HEADER = "platform,account_id,source,metric,as_of_date,period_days,value,unit,currency"


def test_a_figure_keeps_eight_decimals_its_sign_and_its_size(yard: Yard) -> None:
    rows = [f"tiktok,{account},modash,{cells}" for account, cells in {
        "a": "er,2026-01-05,30,0.01234567,fraction,", "b": "growth,2026-01-05,30,-3.5,percent,",
        "c": "views,2026-01-05,,90000000000,count,", "d": "price,2026-01-05,,250,money,USD",
        "e": "er,2026-01-05,,many,fraction,", "f": "er,2026-01-05,,0.123456789,fraction,",
        "g": "er,2026-01-05,,1,quota,",
    }.items()]  # fmt: skip
    yard.drop(PATH, "\n".join([HEADER, *rows, ""]))
    yard.land()
    assert yard.rows(PATH, "account_id, value") == [
        ("a", Decimal("0.01234567")), ("b", Decimal("-3.50000000")), ("c", Decimal("90000000000.00000000")),
        ("d", Decimal("250.00000000")),
    ]  # fmt: skip
    assert (yard.batch(PATH)["rows_read"], yard.batch(PATH)["rows_quarantined"]) == (7, 3)


def test_the_build_takes_figures_and_amounts_as_they_are_in_raw() -> None:
    assert not any("cast(" in meta._raw_columns(feed) for feed in load_feeds().values())
