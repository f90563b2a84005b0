"""Published marts by hand: every mart of the project as its YAML describes it, with the rows that a test needs."""

from functools import lru_cache
from typing import Any

import duckdb
import yaml

from ingestion.config import Settings
from warehouse.build.dbt import DBT_PROJECT

Row = dict[str, Any]


@lru_cache(maxsize=1)
def columns_by_mart() -> dict[str, dict[str, str]]:
    """Column types of each mart, by the names in the YAML beside it."""
    marts = {}
    for path in sorted((DBT_PROJECT / "models" / "marts").rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", []):
            marts[model["name"]] = {column["name"]: column["data_type"] for column in model["columns"]}
    return marts


def publish(settings: Settings, **rows_by_mart: list[Row]) -> None:
    """Write a published file with all marts; a column that a row does not name is null, `data_origin` is observed."""
    settings.published.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.published / "groundswell.duckdb")) as marts:
        marts.execute("begin; create schema marts")
        for mart, columns in columns_by_mart().items():
            marts.execute(f"create table marts.{mart} ({', '.join(f'{n} {kind}' for n, kind in columns.items())})")
            for row in rows_by_mart.get(mart, []):
                assert set(row) <= set(columns), f"{mart} has no column {set(row) - set(columns)}"
                full = {"data_origin": "observed", **row} if "data_origin" in columns else row
                marks = ", ".join("?" * len(full))
                marts.execute(f"insert into marts.{mart} ({', '.join(full)}) values ({marks})", list(full.values()))
        marts.execute("commit")


def account(account_id: str, **more: Any) -> Row:
    """A row of dim_account."""
    return {
        "platform": "instagram",
        "account_id": account_id,
        "display_name": account_id.upper(),
        "first_seen_date": "2026-01-01",
        "last_seen_date": "2026-03-01",
        **more,
    }


def on(day: str, account_id: str, followers: int | None, **more: Any) -> Row:
    """A row of fct_account_daily."""
    return {
        "platform": "instagram",
        "account_id": account_id,
        "snapshot_date": day,
        "followers": followers,
        **more,
    }


CUTS = [("nano", 1_000, 10_000), ("micro", 10_000, 100_000), ("macro", 100_000, 1_000_000), ("mega", 1_000_000, None)]
STANDARD = [
    {
        "scheme": "standard",
        "platform": "*",
        "tier": tier,
        "tier_rank": rank,
        "min_followers": low,
        "max_followers": high,
        "valid_from": "1970-01-01",
    }
    for rank, (tier, low, high) in enumerate(CUTS, start=1)
]
