"""Through the real DAG: a critical check blocks publishing, a warning does not, and a rejected file frees the night."""

from pathlib import Path

import pytest

from ingestion import ledger

from .conftest import Night, content, copy_night, reading, run_dag


@pytest.fixture(scope="module")
def nights(
    sample_night: Night, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Night, Night, Night, dict[str, tuple[int, str]]]:
    """A published sample; a night whose file holds a tenth of the roster; the night after its file is rejected."""
    data = copy_night(sample_night, tmp_path_factory.mktemp("blocked")).data
    with reading(sample_night.settings) as marts:
        roster = marts.execute(
            "select account_id, followers from marts.fct_account_daily where snapshot_date = '2022-07-26' limit 237"
        ).fetchall()
    rows = [f"youtube,{account},2022-07-27T03:00:00Z,{followers or ''}" for account, followers in roster]
    cut = data / "landing" / "account_snapshots" / "tonight.csv"
    cut.write_text("\n".join(["platform,account_id,captured_at,followers", *rows, ""]), encoding="utf-8")
    blocked = run_dag(data, "--day", "2024-05-17")
    before = content(blocked.settings)
    with ledger.read(blocked.settings) as connection:
        batch = connection.execute("select batch_id from batches where file like '%tonight.csv'").fetchone()[0]
    ledger.reject(blocked.settings, batch[:12], "a tenth of the roster")
    freed = run_dag(data, "--day", "2024-05-17")
    return sample_night, blocked, freed, before


def test_a_warning_is_shown_and_does_not_block(nights: tuple[Night, Night, Night, object]) -> None:
    published = nights[0]
    assert published.code == 0
    assert "volume_change" in published.printed
    assert "share_of_null_followers" in published.printed
    assert "warning" in published.printed


def test_a_critical_check_blocks_and_readers_keep_the_last_good_release(
    nights: tuple[Night, Night, Night, dict[str, tuple[int, str]]],
) -> None:
    published, blocked, _, before = nights
    assert blocked.code == 1
    assert "volume_against_trailing_median" in blocked.printed
    assert "check_landing    failed" in blocked.printed
    assert "build_report" in blocked.printed
    assert before == content(published.settings)
    assert "volume_against_trailing_median" in _report(blocked)


def test_the_failed_check_was_not_tried_again(nights: tuple[Night, Night, Night, object]) -> None:
    assert "attempt 2" not in nights[1].printed


def test_taking_the_file_back_frees_the_night(nights: tuple[Night, Night, Night, object]) -> None:
    published, _, freed, _ = nights
    assert freed.code == 0, freed.printed
    assert content(freed.settings) == content(published.settings)
    with reading(freed.settings) as marts:
        failed = marts.execute(
            "select count(*) from marts.fct_quality_result where severity = 'critical' and not passed"
        ).fetchone()
        states = marts.execute("select state from marts.fct_landed_file where file like '%tonight.csv'").fetchall()
    assert failed is not None
    assert failed[0] >= 1  # the blocked night's result came with the next release
    assert states == [("rejected",)]


def _report(night: Night) -> str:
    return Path(night.settings.reports / "index.html").read_text(encoding="utf-8")
