"""Worlds of money: the one worked out by hand in docs/money-by-hand.md, landed and built as the nightly does it."""

import csv
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

from ingestion import landing
from ingestion.config import PROJECT_DIR, Settings
from ingestion.lease import hold
from tests.dbt.conftest import Warehouse
from tests.integration import small
from warehouse.build import run as build

BY_HAND = PROJECT_DIR / "tests" / "fixtures" / "money_by_hand"
LAST_DAY = date(2026, 2, 28)
MODELS = (
    "first_touch", "last_touch", "last_non_direct", "linear", "position_40_20_40", "time_decay", "promo_code",
    "code_or_last_click", "any_touch",
)  # fmt: skip


def quiet(_: str) -> None:
    """Say nothing."""


def feeds_of(folder: Path) -> dict[str, list[dict[str, str | None]]]:
    """Rows per feed of a folder of `<feed>.csv`; an empty cell is null."""
    return {
        path.stem: [
            {name: cell.strip() or None for name, cell in row.items()}
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        ]
        for path in sorted(folder.glob("*.csv"))
    }


def land_and_build(folder: Path, files: Path, day: date, base: str = "USD") -> Warehouse:
    """A warehouse made of a folder of `<feed>.csv`, built for a day."""
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, data=folder / "data", settle_seconds=0.0, lease_wait_seconds=5.0, base_currency=base
    )
    for path in sorted(files.glob("*.csv")):
        target = settings.landing / path.stem / path.name
        target.parent.mkdir(parents=True)
        shutil.copyfile(path, target)
    landed = landing.land_files(settings, "run", quiet)
    assert landed.rows_quarantined == 0
    with small.read_once(), hold(settings, "run", "test", quiet) as lease:
        assert build.build_marts(settings, "run", day, lease, quiet).status == "built"
    return Warehouse(settings, folder / "dbt")


def cents(amount: object) -> Decimal:
    """An amount to the cent, half up."""
    return Decimal(str(amount)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
