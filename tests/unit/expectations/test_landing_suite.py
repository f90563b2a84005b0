"""Every landing guard with a world in which it passes and one in which it fires."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from expectations import checkpoints, context
from expectations.run import check_landing
from expectations.suites.landing import bounds
from expectations.suites.landing.files import drift
from ingestion import ledger
from ingestion.config import Settings
from ingestion.errors import ContractError
from warehouse import plan

FIRST_DAY = date(2026, 1, 1)
FULL = [1000] * 100


def day(number: int) -> date:
    return FIRST_DAY + timedelta(days=number)


def check(settings: Settings, number: int, run_id: str = "r1") -> dict:
    results = check_landing(settings, run_id, day(number), log=lambda _: None)
    return {row["expectation"]: row for row in results}


def failed(results: dict) -> set[str]:
    return {name for name, row in results.items() if not row["passed"]}


def requiring(settings: Settings) -> Settings:
    return settings.model_copy(update={"required_feeds": ("account_snapshots",)})


def test_good_nights_pass_and_are_recorded(settings, night, recorded):
    for number in range(5):
        night(number, FULL)
    said: list[str] = []
    check_landing(requiring(settings), "r1", day(4), log=said.append)
    rows = recorded("r1")
    assert len(rows) == 16
    assert all(row["passed"] for row in rows.values())
    # 100 rows on every date; the first three have fewer than three dates before them.
    assert rows["volume_against_trailing_median"]["observed"] == "1 (2)"
    assert rows["freshness_hours"]["observed"] == "5 (1)"
    assert all(name in said[0] for name in rows)


def test_nothing_ever_landed_is_evaluated_too(settings):
    results = check(settings, 0)
    assert failed(results) == {"arrival"}
    assert results["freshness_hours"]["observed"] == "not evaluated"


@pytest.mark.parametrize("required", [True, False])
def test_arrival_blocks_only_a_required_feed(settings, night, recorded, required):
    night(0, FULL)
    if required:
        with pytest.raises(
            ContractError, match=r"arrival: 0 at the run of 2026-01-02: no row has come; put the file under landing/"
        ):
            check_landing(requiring(settings), "r1", day(1), log=lambda _: None)
    else:
        check(settings, 1)
    row = recorded("r1")["arrival"]
    assert (row["passed"], row["severity"]) == (0, "critical" if required else "warning")
    # 19:00 to the end of the next day.
    assert recorded("r1")["freshness_hours"]["observed"] == "29 (1)"


def test_freshness_fires_on_the_second_missed_night(settings, night, recorded):
    night(0, FULL)
    with pytest.raises(ContractError, match="freshness_hours: 53 at"):
        check_landing(requiring(settings), "r1", day(2), log=lambda _: None)
    assert recorded("r1")["freshness_hours"]["passed"] == 0


def test_a_cut_file_blocks_until_its_batch_is_taken_back(settings, night, recorded):
    for number in range(3):
        night(number, FULL)
    night(3, FULL[:49])
    remedy = r"accounts_2026-01-04\.csv, batch [0-9a-f]{12}.*make reject BATCH="
    with pytest.raises(ContractError, match=remedy) as error:
        check(settings, 3)
    assert recorded("r1")["volume_against_trailing_median"]["observed"] == "0.4900 at youtube 2026-01-04 (1 of 1)"

    # The next night is good, but the bad date is not released: it is evaluated again.
    night(4, FULL, run_id="r2")
    with pytest.raises(ContractError, match="2026-01-04"):
        check(settings, 4, "r2")

    batch = re.search(r"batch ([0-9a-f]{12})", str(error.value))[1]
    ledger.reject(settings, batch, "cut")
    assert failed(check(settings, 4, "r2")) == set()


def test_seven_tenths_of_the_median_pass_with_a_warning(settings, night):
    for number in range(3):
        night(number, FULL)
    night(3, FULL[:70])
    assert failed(check(settings, 3)) == {"volume_change"}


def test_honest_growth_warns_and_does_not_block(settings, night, recorded):
    for number in range(3):
        night(number, FULL)
    night(3, [1000] * 134)
    assert failed(check(settings, 3)) == {"volume_change"}
    assert recorded("r1")["volume_change"]["severity"] == "warning"


def test_two_days_before_make_no_median(settings, night):
    night(0, FULL)
    night(1, FULL)
    night(2, FULL[:10])
    assert check(settings, 2)["volume_against_trailing_median"]["observed"] == "not evaluated"


def test_several_captures_of_a_day_count_as_the_largest(settings, night):
    for number in range(4):
        night(number, FULL)
    for name in "abcdef":
        night(3, [1001] * 20, name=name)
    results = check(settings, 3)
    assert failed(results) == set()
    assert results["volume_change"]["observed"] == "1 (1)"


def test_a_released_date_is_not_evaluated_again(settings, night):
    for number in range(3):
        night(number, FULL)
    night(3, FULL[:10])
    with ledger.write(settings) as connection:
        connection.execute("delete from dirty_dates")
    night(4, FULL)
    assert failed(check(settings, 4)) == set()


@pytest.mark.parametrize("built_before", [False, True])
def test_a_later_date_is_evaluated_only_where_a_run_has_built_it(settings, night, built_before):
    for number in range(3):
        night(number, FULL)
    night(5, FULL[:10])
    if built_before:
        plan.make(settings, "r0", day(5), [plan.Model("fct_account_daily", "f", True)], True)
        with pytest.raises(ContractError, match="2026-01-06"):
            check(settings, 2)
    else:
        assert failed(check(settings, 2)) == set()


def test_null_followers_warn(settings, night, recorded):
    night(0, [*[1000] * 79, *[""] * 21])
    assert failed(check(settings, 0)) == {"share_of_null_followers"}
    night(1, [*[1000] * 80, *[""] * 20], run_id="r2")
    assert failed(check(settings, 1, "r2")) == {"share_of_null_followers"}, "the first day is not released yet"
    assert recorded("r2")["share_of_null_followers"]["observed"] == "0.2100 at 2026-01-01 (1 of 2)"


@pytest.mark.parametrize(("zeros", "blocks"), [(20, False), (21, True)])
def test_zeros_for_many_block(settings, night, recorded, zeros, blocks):
    night(0, [*[0] * zeros, *[1000] * (100 - zeros)])
    if blocks:
        with pytest.raises(ContractError, match=r"share_of_zero_followers: 0.2100 at 2026-01-01 .*zero_is_null"):
            check(settings, 0)
    else:
        assert failed(check(settings, 0)) == set()
    assert recorded("r1")["share_of_zero_followers"]["passed"] == (not blocks)


def test_zeros_of_one_capture_do_not_hide_among_good_ones(settings, night):
    for name in "abcdef":
        night(0, FULL, name=name)
    night(0, [0] * 100, name="z")
    with pytest.raises(ContractError, match=r"z_2026-01-01\.csv"):
        check(settings, 0)


def test_zeros_in_a_tiny_file_are_not_evaluated(settings, night):
    night(0, [0] * 19)
    assert check(settings, 0)["share_of_zero_followers"]["observed"] == "not evaluated"


def test_a_new_column_is_named_as_drift(settings, night, release):
    night(0, FULL)
    night(1, FULL, run_id="r2", columns=",following")
    results = check(settings, 1, "r2")
    assert failed(results) == {"header_drift"}
    assert results["header_drift"]["observed"] == "1 at the header (1 of 1)"
    assert "came: following" in results["header_drift"]["detail"]
    assert failed(check(settings, 1, "again")) == {"header_drift"}, "no release holds it"
    release()
    night(2, FULL, run_id="r3", columns=",following")
    assert failed(check(settings, 2, "r3")) == set()


def test_a_drift_of_another_feed_is_named_as_well(settings, night):
    orders = settings.landing / "orders"
    orders.mkdir(parents=True)
    header = "order_id,customer_id,ordered_at,gross_amount,currency"
    night(0, FULL)
    for number, more in enumerate(("", "", ",promo_code")):
        cells = f"o{number},c,2026-01-01,1,USD{',x' if more else ''}"
        (orders / f"o{number}.csv").write_text(f"{header}{more}\n{cells}\n")
        run_id = f"orders-{number}"
        night(number + 1, FULL, run_id=run_id)
        found = check(settings, number + 1, run_id)
        assert failed(found) == ({"header_drift"} if more else set())
    assert "o2.csv" in found["header_drift"]["detail"]


def test_the_order_counts_where_positions_are_read():
    before, now = ["Rank", "Followers", "Followers", "Likes"], ["Rank", "Likes", "Followers", "Followers"]
    assert drift(now, before, by_position=True).names == 2
    assert drift(now, before, by_position=True).words == "columns have moved"
    assert drift(now, before, by_position=False).names == 0
    assert drift(before, before, by_position=True).names == 0


def test_a_third_twin_is_a_drift():
    assert drift(["a", "a", "a"], ["a", "a"], False).words == "came: a"


def test_a_file_set_aside_whole_warns_until_a_release_leaves_it_out(settings, night, release):
    night(0, FULL)
    (settings.landing / "account_snapshots" / "empty_2026-01-02.csv").write_text("platform,account_id\n")
    (settings.landing / "unknown").mkdir()
    (settings.landing / "unknown" / "x.csv").write_text("a,b\n1,2\n")
    night(1, FULL, run_id="r2")
    results = check(settings, 1, "r2")
    assert failed(results) == {"files_quarantined_whole"}
    assert results["files_quarantined_whole"]["observed"] == "2 at the run of 2026-01-02 (1 of 1)"
    assert "empty_2026-01-02.csv" in results["files_quarantined_whole"]["detail"]
    night(2, FULL, run_id="r3")
    assert failed(check(settings, 2, "r3")) == {"files_quarantined_whole"}
    release()
    night(3, FULL, run_id="r4")
    assert failed(check(settings, 3, "r4")) == set()


def test_a_file_of_a_feed_without_a_suite_of_its_own_is_not_set_aside_unseen(settings, night):
    night(0, FULL)
    (settings.landing / "orders").mkdir()
    (settings.landing / "orders" / "cut.csv").write_text("order_id,customer_id\n")
    night(1, FULL, run_id="r2")
    results = check(settings, 1, "r2")
    assert failed(results) == {"files_quarantined_whole"}
    assert "orders/cut.csv" in results["files_quarantined_whole"]["detail"]


@pytest.mark.parametrize(("bad", "warns"), [(1, False), (2, True)])
def test_quarantined_rows_warn_above_one_in_a_hundred(settings, night, bad, warns):
    night(0, [*["12.000"] * bad, *[1000] * (100 - bad)])
    assert failed(check(settings, 0)) == ({"share_of_rows_quarantined"} if warns else set())


@pytest.mark.parametrize(("bad", "warns"), [(1, False), (2, True)])
def test_invalid_cells_of_a_column_warn_above_one_in_a_hundred(settings, night, bad, warns):
    night(0, [*["many"] * bad, *[1000] * (100 - bad)])
    assert failed(check(settings, 0)) == ({"share_of_cells_invalid"} if warns else set())


def test_a_damaged_raw_file_is_named_before_it_is_read(settings, night):
    night(0, FULL)
    next(settings.raw.rglob("snapshot_date=*/*.parquet")).write_bytes(b"damaged")
    with pytest.raises(ContractError, match="damaged or gone"):
        check(settings, 0)


def test_an_empty_frame_is_no_pass(settings, night, monkeypatch):
    night(0, FULL)
    whole = checkpoints._frame
    monkeypatch.setattr(checkpoints, "_frame", lambda suite: whole(suite).iloc[:0])
    with pytest.raises(ContractError, match="frame_is_complete"):
        check(settings, 0)


def test_an_exception_inside_gx_fails_critically_even_for_a_warning(settings, night, recorded, monkeypatch):
    night(0, FULL)
    whole = checkpoints._frame
    monkeypatch.setattr(checkpoints, "_frame", lambda suite: whole(suite).assign(header_drift="text"))
    with pytest.raises(ContractError, match="header_drift: the check itself failed"):
        check(settings, 0)
    rows = recorded("r1")
    assert (rows["header_drift"]["severity"], rows["header_drift"]["passed"]) == ("critical", 0)
    assert rows["arrival"]["passed"] == 1


def test_gx_that_cannot_start_fails_every_check(settings, night, recorded, monkeypatch):
    def broken(_: Settings) -> None:
        raise OSError("no space left")

    night(0, FULL)
    monkeypatch.setattr(context, "open_context", broken)
    with pytest.raises(ContractError, match="no space left"):
        check(settings, 0)
    rows = recorded("r1").values()
    assert len(rows) == 16
    assert not any(row["passed"] for row in rows)


def test_data_docs_open_without_a_network_and_hold_no_more_than_the_last_runs(settings, night, monkeypatch):
    monkeypatch.setattr(context, "KEEP_RUNS", 2)
    night(0, FULL)
    for _ in range(3):
        check(settings, 0, run_id="scheduled__2026-01-01T00:00:00+00:00/../x")
        context.write_docs(settings)
    docs = context.data_docs(settings)
    assert (docs / "index.html").exists()
    pages = list(docs.rglob("*.html"))
    for page in pages:
        assert not re.search(r"<(script|link|img)[^>]+(src|href)=[\"'](https?:)?//", page.read_text(), re.DOTALL), page
    for file in (*pages, *docs.rglob("*.css")):
        assert not re.search(r"url\([\"']?(https?:)?//", file.read_text()), file
    validations = [page for page in pages if "validations" in page.parts]
    assert len(validations) == 2
    listed = re.findall(r"<li><a href='([^']+)'", (docs / "index.html").read_text())
    assert sorted(listed) == sorted(str(page.relative_to(docs)) for page in validations)
    text = validations[0].read_text()
    assert bounds.NULL_FOLLOWERS.observed in text
    assert dead_links(docs) == {context.GLANCE}  # the report is not made here
    validations[0].unlink()
    assert str(validations[0].relative_to(docs)) in dead_links(docs)
    context.localise(settings)
    assert dead_links(docs) == {context.GLANCE}
    assert "account_snapshots" in (docs / "index.html").read_text()


def dead_links(docs: Path) -> set[str]:
    """Links of Data Docs that lead to no file, as they stand."""
    return {
        link
        for page in docs.rglob("*.html")
        for link in re.findall(r"<a\b[^>]*\bhref=[\"']([^\"'#:]+)[\"']", page.read_text())
        if not (page.parent / link).exists()
    }


def test_results_that_a_night_left_without_a_page_get_one_once(settings, night, monkeypatch):
    night(0, FULL)
    check(settings, 0)
    check(settings, 0, run_id="r2")
    pages = context.data_docs(settings) / "validations"
    assert not pages.exists()
    context.write_docs(settings)
    assert {page.parts[-3] for page in pages.rglob("*.html")} == {"r1", "r2"}
    monkeypatch.setattr(context, "open_context", None)
    context.write_docs(settings)


def test_nothing_is_written_outside_the_data_folder(settings, night, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    night(0, FULL)
    check(settings, 0)
    context.write_docs(settings)
    assert list(home.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "data"}
