"""Whole nights at the gates: a fault blocks, a person acknowledges it or takes it back, and the next night publishes."""

import os
from pathlib import Path

import pytest

from ingestion import ledger
from ingestion.errors import ContractError
from tests.unit.expectations.test_faults import followers, without
from tests.unit.expectations.world import NIGHTS, World, day_of
from warehouse.cli.main import cli
from warehouse.release import releases

from . import night, small
from .conftest import reading

pytestmark = pytest.mark.usefixtures("accounts_alone")

WHY = 'TikTok is over; see "mail", $(touch ran) and `touch ran`'


def run(world: World, number: int) -> None:
    world.runs += 1
    night.run_whole(world.settings, f"night-{world.runs}", day_of(number))


def groundswell(world: World, monkeypatch: pytest.MonkeyPatch, name: str, **given: str) -> int:
    """The command as Make calls it: what stands on Make's command line is in the environment."""
    with monkeypatch.context() as patched:
        patched.setenv("GROUNDSWELL_DATA", str(world.settings.data))
        for variable, text in given.items():
            patched.setenv(f"MAKE_GIVEN_{variable}", text)
        from ingestion.config import get_settings

        get_settings.cache_clear()
        try:
            return int(cli.main([name], prog_name="groundswell", standalone_mode=False) or 0)
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            get_settings.cache_clear()


def test_a_platform_that_ends_is_published_over_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(small.world(tmp_path, "nights"))
    for number in range(NIGHTS):
        world.accounts(number)
    run(world, NIGHTS - 1)
    published = releases.latest(world.settings)
    assert published is not None

    # TikTok stays away: readers keep what they have, and the message says what to type.
    world.accounts(NIGHTS, without("tiktok"))
    with pytest.raises(ContractError, match="0 at tiktok 2026-01-07: 0 came, 40 are usual") as blocked:
        run(world, NIGHTS)
    assert releases.latest(world.settings) == published
    check = "landing.account_snapshots.volume_against_trailing_median"
    assert f'make acknowledge CHECK={check} DATE=2026-01-07 WHY="..."' in str(blocked.value)

    # A person says so, in words that no shell reads; it publishes, and the report and the mart say who and why.
    monkeypatch.chdir(tmp_path)
    assert groundswell(world, monkeypatch, "acknowledge", CHECK=check, DATE="2026-01-07", WHY=WHY) == 0
    assert f"acknowledged {check}: 0 at tiktok 2026-01-07" in capsys.readouterr().out
    assert not os.path.exists(tmp_path / "ran")
    run(world, NIGHTS)
    with reading(world.settings) as marts:
        rows = marts.execute(
            "select severity, passed, is_acknowledged, detail from marts.fct_quality_result"
            f" where run_id = 'night-{world.runs}' and suite || '.' || expectation = '{check}'"
        ).fetchall()
        days = marts.execute("select count(distinct snapshot_date) from marts.fct_account_daily").fetchone()
    assert [row[:3] for row in rows] == [("critical", False, True)]
    assert rows[0][3].endswith(f": {WHY}")
    assert days == (NIGHTS + 1,)
    report = (world.settings.reports / "index.html").read_text(encoding="utf-8")
    assert "Acknowledged</span>" in report
    assert "1 critical acknowledged" in report

    # Followers in thousands: blocked, and not the right night after it; taking the files back opens the gate.
    world.accounts(NIGHTS + 1, lambda row: None if row[0] == "tiktok" else followers(1000)(row))
    with pytest.raises(ContractError, match=r"1,000\.00 times those of 2026-01-07"):
        run(world, NIGHTS + 1)
    for platform in ("youtube", "instagram"):
        assert groundswell(
            world, monkeypatch, "reject", BATCH=world.batch(f"{platform}_{day_of(NIGHTS + 1)}"), WHY="thousands"
        ) == 0  # fmt: skip
    world.accounts(NIGHTS + 1, without("tiktok"))
    run(world, NIGHTS + 1)
    with reading(world.settings) as marts:
        most = marts.execute("select max(followers) from marts.fct_account_daily").fetchone()
    # The largest of YouTube has 100,000, which does not move.
    assert most == (100_000,)
    with ledger.read(world.settings) as connection:
        assert ledger.count_dirty_dates(connection) == 0
