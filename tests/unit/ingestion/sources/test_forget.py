"""Erasure reaches raw answers, the cache, a capture under way, the watchlist and the names in state."""

from decimal import Decimal
from pathlib import Path

import pytest

from ingestion import erasure, ledger
from ingestion.ledger.captures import Outcome
from ingestion.sources.capture import folder_of
from ingestion.sources.forget import forget, land_what_is_open
from ingestion.sources.journal import Journal
from ingestion.user_config.watchlist import load_watchlist
from tests.unit.conftest import Yard
from tests.unit.ingestion.sources.conftest import World, bluesky

ANNA = "did:plc:anna"


def erase(world: World, account: str = ANNA) -> erasure.Erased:
    """The steps of an erasure before the marts are built anew (`warehouse.pipeline.erase`)."""
    number = erasure.begin(world.settings, "bluesky", account)
    land_what_is_open(world.settings, "bluesky")
    Yard(world.settings).land()
    forget(world.settings, "bluesky", account)
    found = erasure.remove(world.settings, number, "bluesky", account)
    erasure.finish(world.settings, number, found, 0)
    return found


def everything(world: World) -> bytes:
    """All bytes of the data folder and of the configuration, unpacked where they are packed."""
    folders = (world.settings.data, world.config)
    held = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return b"".join(file.read_bytes() for file in held if not erasure.holds(file, ANNA)) + b"".join(
        ANNA.encode() for file in held if erasure.holds(file, ANNA)
    )


def test_an_erased_account_is_nowhere_and_stays_out(world: World) -> None:
    bluesky(world)
    world.watch("anna.test", "ben.test")
    done = world.capture()
    Yard(world.settings).land()
    with ledger.write(world.settings) as connection:
        rows = [Outcome("bluesky", "post", f"at://{ANNA}/app.bsky.feed.post/0", "not_found")]
        ledger.record_capture(connection, "bluesky", world.time.at.replace(day=4), (1, 1, Decimal(0)), rows)
    cache = folder_of(world.settings, "bluesky") / "etags" / "a.json"
    cache.parent.mkdir(parents=True)
    cache.write_text(f'{{"etag": "x", "body": "{ANNA}"}}')
    found = erase(world)
    assert found.raw_rows == 3
    assert found.files >= 2
    text = everything(world)
    assert ANNA.encode() not in text
    assert b"anna.test" not in text
    assert [row.account for row in load_watchlist(world.settings).rows] == ["ben.test"]
    # Whoever writes it in again gets no answer of it into landing.
    world.watch("anna.test", ANNA, "ben.test", "cleo.test")
    world.time.at = world.time.at.replace(day=6)
    done = world.capture()
    assert [line["handle"] for line in world.landed()[done.files[0]]] == ["ben.test", "cleo.test"]
    assert ANNA not in str(world.landed())


def test_a_capture_under_way_is_landed_without_the_account(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bluesky(world)
    world.watch("anna.test", "ben.test")
    append = Journal.append

    class Killed(BaseException):
        pass

    def killed(self: Journal, record: object) -> None:
        append(self, record)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(Journal, "append", killed)
    with pytest.raises(Killed):
        world.capture()
    monkeypatch.setattr(Journal, "append", append)
    erase(world)
    assert ANNA.encode() not in everything(world)
    assert not list(Path(folder_of(world.settings, "bluesky")).glob("*.journal"))
    yard = Yard(world.settings)
    [batch] = [batch for batch in yard.batches() if batch["rows_accepted"]]
    assert yard.rows(batch["file"], "account_id") == [("did:plc:ben",)]


def test_other_accounts_lines_stay_as_they_are(world: World) -> None:
    bluesky(world)
    text = (
        '# ours\nplatform,account,tags\nbluesky,anna.test,a\n\n# theirs\nbluesky,anna.test2,"x,y"\nyoutube,anna.test,\n'
    )
    (world.config / "watchlist.csv").write_text(text)
    world.capture()
    Yard(world.settings).land()
    erase(world)
    kept = (world.config / "watchlist.csv").read_text()
    assert kept == text.replace("bluesky,anna.test,a\n", "")
