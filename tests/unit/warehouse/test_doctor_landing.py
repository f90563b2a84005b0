"""The doctor between landing and ledger: each finding fires on what it is for, and nothing is touched."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from ingestion import config, inventory, landing, ledger
from ingestion.config import utc_now
from ingestion.lease import hold
from ingestion.mapping import grammar
from warehouse.doctor import landing as doctor
from warehouse.doctor.landing import Context, Finding, Listing

from ..conftest import GOOD, GOOD_FILE, Yard
from ..ingestion.test_deliveries import NAME, channel, vtuber

BAD = "account_snapshots/bad.csv"
ORDERS = "orders/orders.csv"
RESTORE = "restore state/ and raw/ from one backup"


def examine(yard: Yard, is_quick: bool = False, is_running: bool = False) -> list[Finding]:
    files = doctor.list_files(yard.settings)
    with ledger.read_copy(yard.settings) as connection:
        context = Context(yard.settings, connection, is_quick, is_running, files)
        return [finding for check in doctor.CHECKS for finding in check(context)]


def that_say(findings: list[Finding], words: str) -> Finding:
    """The one finding with these words."""
    found = [finding for finding in findings if words in finding.text]
    assert len(found) == 1, [finding.text for finding in findings]
    return found[0]


def levels(findings: list[Finding]) -> set[str]:
    return {finding.level for finding in findings}


@pytest.fixture
def well(yard_with_good: Yard) -> Yard:
    """A warehouse in which nothing is wrong: one good file, landed, its dates released."""
    yard_with_good.land()
    with ledger.write(yard_with_good.settings) as connection:
        connection.execute("delete from dirty_dates")
    return yard_with_good


def test_a_warehouse_that_is_well(well: Yard) -> None:
    assert levels(examine(well)) == {"ok"}


def test_an_empty_warehouse_is_well_and_stays_empty(yard: Yard) -> None:
    assert levels(examine(yard)) == {"ok"}
    assert not yard.settings.data.exists()


# --- landing


def test_a_file_that_no_feed_claims(well: Yard) -> None:
    well.drop("nowhere/a.csv", GOOD)
    finding = that_say(examine(well), "no feed claims")
    assert (finding.level, finding.text) == ("WRONG", "1 file that no feed claims")
    assert finding.details[0].startswith("nowhere/a.csv: no feed is named 'nowhere'")
    assert "config/mappings/" in finding.remedy


def test_a_link_and_a_pipe(well: Yard) -> None:
    (well.settings.landing / BAD).symlink_to("/etc/hostname")
    os.mkfifo(well.settings.landing / "account_snapshots/pipe.csv")
    finding = that_say(examine(well), "that no run opens")
    assert (finding.level, finding.details) == ("WRONG", (BAD, "account_snapshots/pipe.csv"))


def test_a_file_that_may_not_be_read(well: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand, for the tests may run as root, who may read everything."""
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: Path(path).name != "zz_good.csv")
    finding = that_say(examine(well), "may not read")
    assert (finding.level, finding.details) == ("WRONG", (GOOD_FILE,))


def test_files_for_the_next_run(well: Yard) -> None:
    well.drop("account_snapshots/new.csv", GOOD)
    well.age("account_snapshots/new.csv", 120)
    finding = that_say(examine(well), "for the next run")
    assert (finding.level, finding.text) == ("note", "1 file for the next run to read")
    assert (finding.details, finding.remedy) == (("account_snapshots/new.csv",), "make nightly")


def test_a_fresh_file_may_still_grow(well: Yard) -> None:
    well.drop("account_snapshots/new.csv", GOOD)
    assert "1 written within a minute" in that_say(examine(well), "for the next run").text


def test_a_changed_file_and_a_corrected_mapping_are_for_the_next_run(
    well: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    well.age(GOOD_FILE, 60)
    assert that_say(examine(well), "for the next run").details == (GOOD_FILE,)
    well.land()
    with ledger.write(well.settings) as connection:
        connection.execute("delete from dirty_dates")
    assert levels(examine(well)) == {"ok"}
    monkeypatch.setattr(grammar.CanonicalMapping, "fingerprint_of", lambda *_: "another")
    assert that_say(examine(well), "for the next run").details == (GOOD_FILE,)


@pytest.mark.parametrize(("age", "level"), [(3500, "note"), (3700, "WRONG")])
@pytest.mark.parametrize("ending", landing.NOT_DELIVERIES)
def test_an_upload_breaks_off_after_an_hour(well: Yard, age: int, level: str, ending: str) -> None:
    well.drop(f"account_snapshots/up.csv{ending}", b"half")
    well.age(f"account_snapshots/up.csv{ending}", age)
    words = "under way" if level == "note" else "broke off"
    assert that_say(examine(well), words).level == level


def test_an_upload_that_is_renamed_between_two_looks_is_no_matter(well: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_under", lambda folder: iter(["account_snapshots/up.csv.part"]))
    assert list(doctor._half_uploads(well.settings)) == []


def test_a_mapping_that_cannot_be_read(well: Yard, tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "bad.yml").write_text("mapping: [")
    well.settings = well.settings.model_copy(update={"config": tmp_path})
    finding = that_say(examine(well), "a mapping cannot be read")
    assert finding.level == "WRONG"
    assert finding.details[0].startswith("bad.yml: line 1: not valid YAML")


def test_a_landed_file_that_is_gone(well: Yard) -> None:
    (well.settings.landing / GOOD_FILE).unlink()
    finding = that_say(examine(well), "no longer there")
    assert (finding.level, finding.details) == ("note", (GOOD_FILE,))
    assert "raw keeps their 2 rows" in finding.text


def test_a_file_that_waits_for_its_manifest(well: Yard) -> None:
    well.settings = well.settings.model_copy(update={"manifest_feeds": ("account_snapshots", "acounts")})
    well.drop(BAD, GOOD + b"youtube,x,2026-01-05,1\n")
    finding = that_say(examine(well), "until a manifest names it")
    assert (finding.level, len(finding.details)) == ("WRONG", 1)
    assert finding.details[0].startswith(f"{BAD}: its feed asks for a manifest")
    assert that_say(list(doctor.check_settings(well.settings)), "MANIFEST_FEEDS names feeds").details == ("acounts",)


# --- quarantine


def test_a_file_set_aside_is_wrong_while_it_lies_in_landing(well: Yard) -> None:
    well.drop(ORDERS, "order_id\n1\n")
    well.land()
    finding = that_say(examine(well), "quarantined whole")
    assert (finding.level, finding.text) == ("WRONG", "1 file quarantined whole, 1 of them still in landing")
    assert finding.details[0].startswith(f"{well.batch(ORDERS)['batch_id'][:12]}  orders  {ORDERS}: missing required")
    (well.settings.landing / ORDERS).unlink()
    assert that_say(examine(well), "quarantined whole").level == "note"


def test_rows_set_aside_are_counted_by_reason(well: Yard) -> None:
    well.drop_rows(
        BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,1", "youtube,c,2004-12-30,1", "youtube,,2026-01-05,1"
    )
    well.land()
    finding = that_say(examine(well), "rows quarantined")
    assert (finding.level, finding.text) == ("note", "3 rows quarantined, of 1 file")
    assert finding.details[0].strip() == f"2  account_snapshots.captured_at: before 2005-01-01  (as in {BAD})"
    assert all(BAD in line for line in finding.details)


def test_a_record_that_quarantine_has_lost(well: Yard) -> None:
    well.drop(ORDERS, "order_id\n1\n")
    well.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,1")
    well.land()
    assert "record in quarantine" not in " ".join(finding.text for finding in examine(well))
    for path in well.settings.quarantine.rglob("*"):
        if path.is_file():
            path.unlink()
    finding = that_say(examine(well), "record in quarantine is gone")
    assert (finding.level, finding.text) == ("WRONG", "2 batches whose record in quarantine is gone")
    assert "make replay BATCH=" in finding.remedy


def test_quarantined_rows_that_cannot_be_read(well: Yard) -> None:
    well.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,1")
    well.land()
    inventory.quarantined_rows_file(well.settings, "account_snapshots", well.batch(BAD)["batch_id"]).write_bytes(
        b"broken"
    )
    findings = examine(well)
    assert that_say(findings, "quarantined rows cannot be read").level == "WRONG"
    assert that_say(findings, "as the ledger has them").level == "ok"


def test_a_leftover_in_quarantine_that_no_batch_names(well: Yard) -> None:
    for name in ("orders/abc.parquet", "orders/files/abc/file", "orders/files/abc/reason.json"):
        (well.settings.quarantine / name).parent.mkdir(parents=True, exist_ok=True)
        (well.settings.quarantine / name).touch()
    finding = that_say(examine(well), "of a crash")
    assert (finding.level, finding.details) == ("note", ("orders/abc.parquet", "orders/files/abc"))
    assert levels(examine(well, is_running=True)) == {"ok"}


# --- ledger and raw


def overwrite(yard: Yard, *statements: str) -> None:
    """Change the ledger past its own guards."""
    connection = sqlite3.connect(yard.settings.ledger, isolation_level=None)
    connection.execute("pragma ignore_check_constraints = on")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_row_without_what_it_refers_to(well: Yard) -> None:
    overwrite(well, "update raw_files set batch_id = 'nobody'")
    finding = that_say(examine(well), "without what they refer to")
    assert (finding.level, finding.remedy) == ("WRONG", RESTORE)
    assert finding.details == ("raw_files row 1: its batches is missing",)


def test_a_damaged_page(well: Yard) -> None:
    """The schema has lost an index, whose pages now belong to nobody."""
    overwrite(
        well,
        "pragma writable_schema = on",
        "delete from sqlite_master where name = 'batches_sha256'",
    )
    findings = examine(well)
    assert (that_say(findings, "the file is damaged").level, that_say(findings, "damaged").remedy) == ("WRONG", RESTORE)


@pytest.mark.parametrize("column", ["rows_read", "rows_accepted", "rows_quarantined", "rows_duplicate"])
def test_a_batch_whose_rows_do_not_add_up(well: Yard, column: str) -> None:
    overwrite(well, f"update batches set {column} = {column} + 1")
    finding = that_say(examine(well), "fails in 1 of 1 readings")
    assert finding.level == "WRONG"
    assert GOOD_FILE in finding.details[0]


def test_a_batch_that_counts_rows_which_raw_does_not_hold(well: Yard) -> None:
    overwrite(well, "update raw_files set rows = rows - 1")
    assert "2 accepted (1 in raw)" in that_say(examine(well), "fails in 1 of 1 readings").details[0]


def raw_file(yard: Yard) -> Path:
    return yard.settings.raw / str(yard.query("select path from raw_files")[0]["path"])


def test_a_raw_file_that_is_gone(well: Yard) -> None:
    raw_file(well).unlink()
    finding = that_say(examine(well, is_quick=True), "damaged or gone")
    assert (finding.level, finding.text) == ("WRONG", "1 file of 1 damaged or gone, 1 of them accepted")
    assert finding.details[0].endswith(": gone")
    batch = well.batches()[0]["batch_id"][:12]
    assert f"make replay BATCH={batch}" in finding.remedy
    assert f"make reject BATCH={batch}" in finding.remedy


def test_a_raw_file_of_another_size_is_noticed_by_a_quick_look(well: Yard) -> None:
    with raw_file(well).open("ab") as target:
        target.write(b"x")
    assert "bytes, " in that_say(examine(well, is_quick=True), "damaged or gone").details[0]


def test_a_flipped_bit_is_noticed_by_a_thorough_look_alone(well: Yard) -> None:
    data = bytearray(raw_file(well).read_bytes())
    data[len(data) // 2] ^= 1
    raw_file(well).write_bytes(bytes(data))
    assert that_say(examine(well), "damaged or gone").details[0].endswith("its bytes differ")
    assert that_say(examine(well, is_quick=True), "as the ledger has them").text.endswith("(sizes)")


def test_a_raw_file_of_a_rejected_batch_does_not_matter_as_much(well: Yard) -> None:
    overwrite(well, "update batches set state = 'rejected'")
    raw_file(well).unlink()
    assert that_say(examine(well), "damaged or gone").level == "note"


def test_a_raw_file_that_the_ledger_does_not_know(well: Yard) -> None:
    (well.settings.raw / "orders/stray.parquet").touch()
    finding = that_say(examine(well), "of a crash")
    assert (finding.level, finding.details) == ("note", ("orders/stray.parquet",))
    assert that_say(examine(well, is_running=True), "of the run that is under way").level == "ok"


def test_a_raw_file_that_is_committed_between_the_looks_is_no_orphan(well: Yard) -> None:
    """Files are listed before the ledger is copied: what comes in between is known to the ledger alone."""
    with ledger.read_copy(well.settings) as connection:
        late = Context(well.settings, connection, files=Listing())
        assert list(doctor._orphans_of_raw(late)) == []


# --- dirty dates, lease, settings


def dirty(yard: Yard, day: str, hours: float) -> None:
    since = ledger.stamp(utc_now() - timedelta(hours=hours))
    overwrite(yard, f"insert into dirty_dates values (null, 'orders', '{day}', 'b', 'accepted', '{since}')")


def test_dirty_dates_say_which_since_when_and_why(well: Yard) -> None:
    dirty(well, "2026-01-05", 1)
    dirty(well, "2026-01-07", 3)
    finding = that_say(examine(well), "wait for a release")
    assert (finding.level, finding.text) == ("note", "2 dates wait for a release")
    assert finding.details[0].startswith("orders: 2 dates, 2026-01-05 .. 2026-01-07, accepted, since ")


@pytest.mark.parametrize(("hours", "level"), [(47, "note"), (49, "WRONG")])
def test_dirty_dates_are_wrong_after_two_nights(well: Yard, hours: float, level: str) -> None:
    dirty(well, "2026-01-05", hours)
    assert that_say(examine(well), "for a release").level == level


def test_a_date_that_is_not_over_may_wait(well: Yard) -> None:
    dirty(well, str(utc_now().date()), 49)
    assert that_say(examine(well), "for a release").level == "note"


def test_a_live_writer_is_named_and_not_waited_for(well: Yard) -> None:
    with hold(well.settings, "night", "build_marts", well.said.append):
        finding = that_say(examine(well), "a run is under way")
    assert finding.level == "ok"
    assert f"build_marts of run night, process {os.getpid()} on " in finding.text


def test_a_dead_writer_is_named(well: Yard) -> None:
    with hold(well.settings, "night", "build_marts", well.said.append):
        overwrite(well, "update leases set process_start = '1'")
        finding = that_say(examine(well), "its holder is dead")
    assert finding.level == "note"
    assert finding.details[0].startswith("build_marts of run night, process")


def test_keys_that_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GROUNDSWELL_")]:
        monkeypatch.delenv(name)
    env = tmp_path / ".env"
    env.write_text("# GROUNDSWELL_COMMENT=1\ngroundswell_data=x\nGROUNDSWELL_KEEP=7\nexport AIRFLOW__CORE__X = 1\n")
    monkeypatch.setenv("GROUNDSWELL_DEFAULT_SHEME", "kol")
    monkeypatch.setenv("GROUNDSWELL_KEEP_RELEASES", "3")
    assert config.unread_keys(env) == {
        "AIRFLOW__CORE__X": ".env",
        "GROUNDSWELL_DEFAULT_SHEME": "the environment",
        "GROUNDSWELL_KEEP": ".env",
    }
    assert config.unread_keys(tmp_path / "none") == {"GROUNDSWELL_DEFAULT_SHEME": "the environment"}


def test_a_misspelt_key_is_shown_with_the_right_one(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "unread_keys", lambda: {"GROUNDSWELL_DEFAULT_SHEME": ".env", "X": ".env"})
    [finding] = doctor.check_settings(yard.settings)
    assert (finding.level, finding.details) == (
        "WRONG",
        ("GROUNDSWELL_DEFAULT_SHEME in .env: did you mean GROUNDSWELL_DEFAULT_SCHEME?", "X in .env"),
    )


def test_a_config_that_cannot_be(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "tier_schemes.csv").write_text("scheme,tear\nours,nano\n")
    settings = yard.settings.model_copy(update={"config": tmp_path})
    finding = that_say(list(doctor.check_settings(settings)), "is refused, nothing is built")
    assert finding.level == "WRONG"
    assert finding.details == (f"{tmp_path}/tier_schemes.csv:1: unknown column 'tear'; did you mean 'tier'?",)


def test_files_of_a_mapping_that_is_switched_off(yard: Yard, tmp_path: Path) -> None:
    yard.drop(NAME, vtuber(channel(1, 100)))
    yard.land("one")
    yard.settings = yard.settings.model_copy(update={"config": tmp_path})
    finding = that_say(examine(yard), "switched off or gone")
    assert (finding.level, finding.details) == ("note", ("vtuber",))
    assert "write `use: <name>`" in finding.remedy


def test_a_required_feed_that_does_not_exist(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "unread_keys", dict)
    wrong = yard.settings.model_copy(update={"required_feeds": ("orders", "order")})
    [finding] = doctor.check_settings(wrong)
    assert finding.level == "WRONG"
    assert "GROUNDSWELL_REQUIRED_FEEDS: no feed is named 'order'; did you mean 'orders'?" in finding.text
    assert [found.level for found in doctor.check_settings(yard.settings)] == ["ok"]


# --- the ledger's copy


def test_a_look_leaves_the_ledger_and_its_folder_as_they_are(well: Yard) -> None:
    before = {path: path.stat().st_mtime_ns for path in well.settings.data.rglob("*")}
    examine(well)
    assert {path: path.stat().st_mtime_ns for path in well.settings.data.rglob("*")} == before


def test_details_end_with_how_many_are_left() -> None:
    assert doctor.some(str(number) for number in range(8)) == tuple("01234567")
    assert doctor.some(str(number) for number in range(10)) == (*"01234567", "and 2 more")
