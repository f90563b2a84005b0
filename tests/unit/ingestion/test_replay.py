"""Replay: what is read again, what needs no asking, what cannot be; and that nothing is ever doubled."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingestion import contracts, inventory, landing, ledger, parse, replay
from ingestion.errors import ContractError, LeaseLost
from ingestion.lease import hold
from ingestion.mapping import grammar
from ingestion.mapping.in_use import library_mappings
from tests.mappings import only

from ..conftest import GOOD, HEADER, Yard
from .test_deliveries import NAME, channel, vtuber

BAD = "account_snapshots/bad.csv"
LARGE = "account_snapshots/large.csv"


def steps(yard: Yard, **asked: object) -> list[tuple[str, str]]:
    """Action and file of each step of a replay that is carried out."""
    done = replay.replay(yard.settings, log=yard.said.append, **asked)  # type: ignore[arg-type]
    return [(step.action, step.file) for step in done]


def vtuber_mapping() -> grammar.Mapping:
    return library_mappings()["vtuber"]


def refuse_for_its_size(yard: Yard, path: str = LARGE) -> None:
    """Land a good file under a limit of 10 bytes, then raise the limit: what a run cannot know of by itself."""
    yard.drop(path, GOOD)
    high = yard.settings
    yard.settings = high.model_copy(update={"max_unpacked_bytes": 10})
    yard.land("one")
    yard.settings = high
    assert yard.batch(path)["state"] == "quarantined"
    assert yard.land("two").files_new == 0


def accepted_rows(yard: Yard) -> int:
    return sum(batch["rows_accepted"] for batch in yard.batches() if batch["state"] == "accepted")


def states(yard: Yard, path: str) -> list[str]:
    return sorted(row["state"] for row in yard.query("select state from batches where file = ?", path))


def unchanged(yard: Yard) -> tuple[bytes, list[str]]:
    """Ledger and names of landing, to compare before and after."""
    names = sorted(str(path) for path in yard.settings.landing.rglob("*"))
    return yard.settings.ledger.read_bytes(), names


# --- files quarantined whole


def test_a_file_set_aside_for_a_setting_is_read_again_once(yard: Yard) -> None:
    refuse_for_its_size(yard)
    assert steps(yard) == [(replay.READ_AGAIN, LARGE)]
    assert yard.land("three").rows_accepted == 2
    assert states(yard, LARGE) == ["accepted", "superseded"]
    assert yard.land("four").files_new == 0
    assert steps(yard) == []
    assert accepted_rows(yard) == 2


def test_without_the_replay_it_would_never_come_in(yard: Yard) -> None:
    """Negative test: what the replay is for."""
    refuse_for_its_size(yard)
    for run in range(3):
        assert yard.land(f"again {run}").files_new == 0
    assert accepted_rows(yard) == 0


def test_asking_twice_reads_once(yard: Yard) -> None:
    refuse_for_its_size(yard)
    assert steps(yard) == [(replay.READ_AGAIN, LARGE)]
    assert steps(yard) == [(replay.BY_ITSELF, LARGE)]
    assert steps(yard, feed="account_snapshots") == [(replay.BY_ITSELF, LARGE)]
    yard.land("three")
    assert states(yard, LARGE) == ["accepted", "superseded"]


def test_the_same_bytes_under_two_names_come_in_once(yard: Yard) -> None:
    """Both names lead to one batch; its first name is then removed, so the reading comes from the second."""
    refuse_for_its_size(yard)
    yard.drop("account_snapshots/twin.csv", GOOD)
    assert yard.land("three").files_new == 0
    (yard.settings.landing / LARGE).unlink()
    assert steps(yard) == [(replay.READ_AGAIN, LARGE)]
    yard.land("four")
    yard.drop(LARGE, GOOD)
    yard.land("five")
    assert accepted_rows(yard) == 2
    assert states(yard, LARGE) == ["superseded"]
    assert states(yard, "account_snapshots/twin.csv") == ["accepted"]


def test_a_file_gone_from_landing_is_put_back_from_quarantine_with_its_time(yard: Yard) -> None:
    """A file without a time in its name was landed as of its own time: 2026-01-07T13:00:00Z."""
    yard.drop(LARGE, GOOD)
    os.utime(yard.settings.landing / LARGE, (1_767_790_800, 1_767_790_800))
    refuse = yard.settings.model_copy(update={"max_unpacked_bytes": 10})
    landing.land_files(refuse, "one", yard.said.append)
    target = yard.settings.landing / LARGE
    target.unlink()
    assert steps(yard) == [(replay.PUT_BACK, LARGE)]
    assert target.read_bytes() == GOOD
    assert datetime.fromtimestamp(target.stat().st_mtime, UTC) == datetime(2026, 1, 7, 13, tzinfo=UTC)
    assert [path.name for path in target.parent.iterdir()] == ["large.csv"]
    yard.land("two")
    assert states(yard, LARGE) == ["accepted", "superseded"]
    assert yard.rows(LARGE, "as_of") == [(datetime(2026, 1, 7, 13),)] * 2
    assert yard.land("three").files_new == 0


def test_a_put_back_file_is_never_laid_over_another(yard: Yard) -> None:
    refuse_for_its_size(yard)
    target = yard.drop(LARGE, f"{HEADER}\nyoutube,other,2026-01-05,1\n")
    assert steps(yard) == [(replay.NOTHING, LARGE)]
    with ledger.read_copy(yard.settings) as connection, pytest.raises(ContractError, match="is there again"):
        replay.put_back(yard.settings, replay.find_batch(connection, yard.batch(LARGE)["batch_id"]))
    assert b"other" in target.read_bytes()
    assert [path.name for path in target.parent.iterdir()] == ["large.csv"]


def test_a_put_back_file_never_follows_a_link(yard: Yard, tmp_path: Path) -> None:
    refuse_for_its_size(yard, "account_snapshots/sub/large.csv")
    (yard.settings.landing / "account_snapshots/sub/large.csv").unlink()
    (yard.settings.landing / "account_snapshots/sub").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (yard.settings.landing / "account_snapshots/sub").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ContractError, match="is a link"):
        steps(yard)
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("path", ["../out.csv", "/out.csv", "account_snapshots/../../out.csv"])
def test_a_put_back_file_never_leaves_landing(yard: Yard, path: str) -> None:
    """No landed file has such a name; a ledger that somebody edited might."""
    refuse_for_its_size(yard)
    with ledger.write(yard.settings) as connection:
        connection.execute("update batches set file = ?", (path,))
    with ledger.read_copy(yard.settings) as connection, pytest.raises(ContractError, match="leads out of landing"):
        replay.put_back(yard.settings, replay.find_batch(connection, yard.batches()[0]["batch_id"]))


def test_a_damaged_copy_in_quarantine_is_not_put_back(yard: Yard) -> None:
    refuse_for_its_size(yard)
    (yard.settings.landing / LARGE).unlink()
    kept = inventory.quarantined_file_folder(yard.settings, "account_snapshots", yard.batch(LARGE)["sha256"]) / "file"
    kept.write_bytes(GOOD.replace(b"10", b"11"))
    assert steps(yard) == [(replay.LOST, LARGE)]
    assert not (yard.settings.landing / LARGE).exists()


def test_bytes_that_came_in_under_a_good_name_are_not_put_back(yard: Yard) -> None:
    """A file that no feed claimed was moved to its folder: its old name has no claim any more."""
    yard.drop("nowhere/a.csv", GOOD)
    yard.land("one")
    (yard.settings.landing / "nowhere/a.csv").unlink()
    yard.drop("account_snapshots/a.csv", GOOD)
    yard.land("two")
    assert steps(yard) == [(replay.NOTHING, "nowhere/a.csv")]
    assert not (yard.settings.landing / "nowhere/a.csv").exists()
    assert accepted_rows(yard) == 2


def test_bytes_that_came_in_with_another_time_in_their_name_are_not_put_back(yard: Yard) -> None:
    """Another time in the name makes another batch, so putting the first name back would count its rows twice."""
    refuse_for_its_size(yard)
    (yard.settings.landing / LARGE).unlink()
    yard.drop("account_snapshots/large_2026-01-07.csv", GOOD)
    yard.land("three")
    assert steps(yard) == [(replay.NOTHING, LARGE)]
    yard.land("four")
    assert accepted_rows(yard) == 2


def test_what_no_feed_claims_is_left_with_the_reason(yard: Yard) -> None:
    yard.drop("nowhere/a.csv", GOOD)
    yard.land("one")
    before = yard.query("select * from replays")
    assert steps(yard) == [(replay.NOTHING, "nowhere/a.csv")]
    assert "it would be refused again: no feed is named 'nowhere'" in yard.said[-2]
    assert yard.query("select * from replays") == before


def test_a_link_is_left_with_the_reason(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(GOOD)
    (yard.settings.landing / "account_snapshots").mkdir(parents=True)
    (yard.settings.landing / BAD).symlink_to(tmp_path / "real.csv")
    yard.land("one")
    assert steps(yard) == [(replay.NOTHING, BAD)]


# --- a corrected mapping


def test_a_corrected_mapping_needs_no_replay(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.drop(NAME, vtuber(channel(1, 100)).replace(b"SubscriberCount", b"Subscribers"))
    yard.land("one")
    before = vtuber_mapping()
    columns = {**(before.columns or {}), "followers": grammar.ColumnSource.model_validate({"from": "Subscribers"})}
    corrected = only(before.model_copy(update={"columns": columns}))
    for module in (landing, inventory, replay):
        monkeypatch.setattr(module, "load_mappings", lambda *_: corrected)
    assert steps(yard) == [(replay.BY_ITSELF, NAME)]
    assert yard.query("select * from replays") == []
    yard.land("two")
    assert yard.rows(NAME, "followers") == [(100,)]
    assert states(yard, NAME) == ["accepted", "superseded"]


def test_a_corrected_mapping_and_a_file_that_is_gone(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is put back, and no more than that: another mapping is another batch."""
    yard.drop(NAME, vtuber(channel(1, 100)).replace(b"SubscriberCount", b"Subscribers"))
    yard.land("one")
    (yard.settings.landing / NAME).unlink()
    before = vtuber_mapping()
    columns = {**(before.columns or {}), "followers": grammar.ColumnSource.model_validate({"from": "Subscribers"})}
    corrected = only(before.model_copy(update={"columns": columns}))
    for module in (landing, inventory, replay):
        monkeypatch.setattr(module, "load_mappings", lambda *_: corrected)
    assert steps(yard) == [(replay.PUT_BACK, NAME)]
    assert yard.query("select * from replays") == []
    yard.land("two")
    assert yard.rows(NAME, "followers") == [(100,)]
    assert states(yard, NAME) == ["accepted", "superseded"]


def test_a_mapping_that_reads_another_time_in_the_name_doubles_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file under the same name, at another instant: the older reading is superseded all the same."""
    yard.drop(NAME, vtuber(channel(1, 100)))
    yard.land("one")
    mapping = vtuber_mapping()
    assert mapping.file_time is not None
    in_utc = mapping.file_time.model_copy(update={"zone": "UTC"})
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping.model_copy(update={"file_time": in_utc})))
    yard.land("two")
    assert states(yard, NAME) == ["accepted", "superseded"]
    assert yard.rows(NAME, "captured_at") == [(datetime(2022, 8, 2, 3, 1, 2),)]


def test_a_changed_feed_reads_its_files_again_by_itself(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """`followers` becomes required, so the row without it goes to quarantine; then the feed is as it was."""
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2026-01-05,")
    yard.land("one")
    before = contracts.load_feeds()
    feed = before["account_snapshots"]
    required = feed.columns["followers"].model_copy(update={"required": True})
    changed = feed.model_copy(update={"columns": {**feed.columns, "followers": required}})
    for module in (parse, grammar, contracts):
        monkeypatch.setattr(module, "load_feeds", lambda: {**before, "account_snapshots": changed})
    assert yard.land("two").rows_quarantined == 1
    assert states(yard, BAD) == ["accepted", "superseded"]
    assert accepted_rows(yard) == 1
    for module in (parse, grammar, contracts):
        monkeypatch.setattr(module, "load_feeds", lambda: before)
    assert steps(yard) == [(replay.BY_ITSELF, BAD)]
    yard.land("three")
    assert accepted_rows(yard) == 2
    assert len(yard.batches()) == 2


def test_what_models_see_of_a_feed_is_no_reason_to_read_it_again(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative test: two descriptions of the same reading have one fingerprint, also of a vendor's mapping."""
    yard_with_good.land("one")
    before = contracts.load_feeds()
    vendor = vtuber_mapping().fingerprint_of(None)
    seen = before["account_snapshots"].model_copy(update={"visible": "all_days"})
    for module in (parse, grammar, contracts):
        monkeypatch.setattr(module, "load_feeds", lambda: {**before, "account_snapshots": seen})
    assert yard_with_good.land("two").files_new == 0
    assert vtuber_mapping().fingerprint_of(None) == vendor


# --- rows


def test_quarantined_rows_under_the_mapping_of_today_are_read_again_only_when_named(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,many")
    yard.land("one")
    first = yard.batch(BAD)["batch_id"]
    assert steps(yard) == [(replay.NAME_IT, BAD)]
    assert yard.land("two").files_new == 0
    assert steps(yard, batch_prefix=first[:12]) == [(replay.READ_AGAIN, BAD)]
    assert yard.land("three").rows_accepted == 1
    assert states(yard, BAD) == ["accepted", "superseded"]
    assert yard.rows(BAD) == [("a", 1)]


def test_what_stands_in_raw_is_never_written_over(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,many")
    yard.land("one")
    [before] = yard.query("select * from raw_files")
    content = (yard.settings.raw / before["path"]).read_bytes()
    steps(yard, feed="account_snapshots")
    yard.land("two")
    assert len(yard.query("select * from raw_files")) == 2
    assert (yard.settings.raw / before["path"]).read_bytes() == content


def test_rows_of_a_file_that_is_gone_cannot_be_read_again(yard: Yard) -> None:
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,many")
    yard.land("one")
    (yard.settings.landing / BAD).unlink()
    assert steps(yard, feed="account_snapshots") == [(replay.LOST, BAD)]
    assert "deliver it again under the same name" in yard.said[-2]


def test_a_damaged_raw_file_is_made_anew_from_its_landed_file(yard: Yard) -> None:
    """A batch without any quarantined row is read again when it is named."""
    yard.drop("account_snapshots/a.csv", GOOD)
    yard.land("one")
    [stored] = yard.query("select * from raw_files")
    (yard.settings.raw / stored["path"]).unlink()
    assert steps(yard, feed="account_snapshots") == []
    assert steps(yard, batch_prefix=stored["batch_id"]) == [(replay.READ_AGAIN, "account_snapshots/a.csv")]
    yard.land("two")
    assert yard.rows("account_snapshots/a.csv") == [("good-1", 10), ("good-2", 20)]
    assert accepted_rows(yard) == 2


# --- taken back


def test_a_rejected_batch_counts_again_only_when_revived(yard_with_good: Yard) -> None:
    yard = yard_with_good
    yard.land("one")
    batch_id = yard.batches()[0]["batch_id"]
    ledger.reject(yard.settings, batch_id, "a mistake")
    assert steps(yard, batch_prefix=batch_id) == [(replay.NOTHING, "account_snapshots/zz_good.csv")]
    assert yard.batches()[0]["state"] == "rejected"
    assert steps(yard, batch_prefix=batch_id, revive=True) == [(replay.REVIVE, "account_snapshots/zz_good.csv")]
    batch = yard.batches()[0]
    assert (batch["state"], batch["reason"]) == ("accepted", "counts again; had been rejected: a mistake")
    causes = [row["cause"] for row in yard.query("select cause from dirty_dates order by id")]
    assert causes == ["accepted", "rejected", "accepted"]
    with pytest.raises(ContractError, match="is accepted, not rejected"):
        steps(yard, batch_prefix=batch_id, revive=True)


def test_a_rejected_batch_does_not_count_beside_another_reading_of_its_bytes(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.drop(NAME, vtuber(channel(1, 0), channel(2, 100)))
    yard.land("one")
    first = yard.batch(NAME)["batch_id"]
    ledger.reject(yard.settings, first, "zeros")
    mapping = vtuber_mapping().model_copy(update={"zero_is_null": ("views_total",)})
    monkeypatch.setattr(landing, "load_mappings", lambda *_: only(mapping))
    yard.land("two")
    with pytest.raises(ContractError, match="the same bytes count already"):
        steps(yard, batch_prefix=first, revive=True)
    with ledger.write(yard.settings) as connection, pytest.raises(ContractError, match="the same bytes count already"):
        ledger.count_again(connection, first)
    assert accepted_rows(yard) == 2


def test_a_rejected_batch_whose_raw_file_is_damaged_does_not_count(yard_with_good: Yard) -> None:
    yard = yard_with_good
    yard.land("one")
    [stored] = yard.query("select * from raw_files")
    ledger.reject(yard.settings, stored["batch_id"], "a mistake")
    (yard.settings.raw / stored["path"]).write_bytes(b"not what was written")
    with pytest.raises(ContractError, match="damaged or gone"):
        steps(yard, batch_prefix=stored["batch_id"], revive=True)
    assert yard.batches()[0]["state"] == "rejected"


# --- asking


def test_a_dry_run_changes_nothing(yard: Yard) -> None:
    refuse_for_its_size(yard)
    yard.drop_rows(BAD, "youtube,a,2026-01-05,1", "youtube,b,2004-12-31,many")
    yard.land("three")
    (yard.settings.landing / LARGE).unlink()
    before = unchanged(yard)
    wanted = [(replay.READ_AGAIN, BAD), (replay.PUT_BACK, LARGE)]
    assert steps(yard, feed="account_snapshots", dry_run=True) == wanted
    assert unchanged(yard) == before
    assert "nothing was changed" in yard.said[-1]
    assert steps(yard, feed="account_snapshots") == wanted
    assert unchanged(yard) != before


def test_of_many_alike_the_first_are_shown() -> None:
    many = [replay.Step(replay.NAME_IT, str(number), "orders", "a\x1b.csv", "why") for number in range(23)]
    lines = replay.table([*many, replay.Step(replay.LOST, "x", "orders", "b.csv", "why")])
    assert len(lines) == 22
    assert lines[0].split() == ["when", "named", "0", "a\\x1b.csv", "why"]
    assert lines[20].split() == ["when", "named", "and", "3", "more"]
    assert lines[21].split() == ["bytes", "gone", "x", "b.csv", "why"]


def test_a_dry_run_makes_no_ledger(yard: Yard) -> None:
    assert steps(yard, dry_run=True) == []
    assert not yard.settings.ledger.exists()
    assert yard.said == ["no file is quarantined and no row quarantined: nothing to replay"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"feed": "order"}, "no feed is named 'order'"),
        ({"batch_prefix": "nothing"}, "0 batches begin with 'nothing'"),
        ({"batch_prefix": ""}, "1 batches begin with ''"),
        ({"revive": True}, "name the batch that should count again"),
    ],
)
def test_what_is_not_there_is_refused(yard_with_good: Yard, asked: dict[str, object], message: str) -> None:
    yard_with_good.land()
    with pytest.raises(ContractError, match=message):
        steps(yard_with_good, **asked)


def test_a_replay_waits_for_the_run_under_way_and_a_dry_run_does_not(yard: Yard) -> None:
    yard.land()
    impatient = yard.settings.model_copy(update={"lease_wait_seconds": 0.0})
    with hold(yard.settings, "night", "land_files", yard.said.append):
        with pytest.raises(LeaseLost, match="land_files of run night"):
            replay.replay(impatient, log=yard.said.append)
        assert replay.replay(impatient, dry_run=True, log=yard.said.append) == []


def test_an_older_ledger_gets_the_table_of_replays(yard: Yard) -> None:
    refuse_for_its_size(yard)
    with ledger.write(yard.settings) as connection:
        for table in (
            "replays",
            "plan_ranges",
            "rollbacks",
            "suppressed",
            "erasures",
            "verified_files",
            "arrivals",
            "key_files",
            "acknowledged_checks",
            "day_measures",
            "source_captures",
            "source_outcomes",
            "source_targets",
            "notices",
            "let_go",
            "let_go_releases",
        ):
            connection.execute(f"drop table {table}")
        connection.execute("drop index batches_landing_order")
        for column in ("landing_order", "layout", "invalid_cells"):
            connection.execute(f"alter table batches drop column {column}")
        for column in ("failures", "is_acknowledged"):
            connection.execute(f"alter table check_results drop column {column}")
        connection.execute("pragma user_version = 2")
    assert steps(yard) == [(replay.READ_AGAIN, LARGE)]
    assert yard.land("three").rows_accepted == 2


def test_what_a_file_gave_to_another_feed_stays_when_one_feed_is_requested_for(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file, two feeds: the accounts of it have a bad row and are read again, the snapshots keep their batch."""
    source = {name: {"from": name} for name in ("platform", "account_id")}
    mapping = grammar.Mapping.model_validate(
        {
            "mapping": "both",
            "pattern": "both*.csv",
            "feeds": [
                {"feed": "account_snapshots", "columns": {**source, "captured_at": {"from": "at"}}},
                {"feed": "accounts", "columns": {**source, "updated_at": {"from": "updated"}}},
            ],
        }
    )
    for module in (landing, inventory, replay):
        monkeypatch.setattr(module, "load_mappings", lambda *_: only(mapping))
    path = "mixed/both.csv"
    yard.drop(path, "platform,account_id,at,updated\nyoutube,a,2026-01-05,2026-01-05\nyoutube,b,2026-01-05,never\n")
    yard.land("one")
    before = {batch["feed"]: batch["batch_id"] for batch in yard.batches()}
    assert [step.action for step in replay.replay(yard.settings, "accounts", log=yard.said.append)] == [
        replay.READ_AGAIN
    ]
    yard.land("two")
    after = yard.query("select feed, batch_id, state from batches order by feed, state")
    assert [(row["feed"], row["state"]) for row in after] == [
        ("account_snapshots", "accepted"),
        ("accounts", "accepted"),
        ("accounts", "superseded"),
    ]
    assert after[0]["batch_id"] == before["account_snapshots"]
    assert after[2]["batch_id"] == before["accounts"]
    assert yard.land("three").files_new == 0
