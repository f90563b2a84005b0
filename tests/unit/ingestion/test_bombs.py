"""Small files that would become very much when they are read: each is quarantined with a reason, and the next one loads.

What ends a process (a stack that is too deep, memory that is refused in Rust) cannot be caught, so it is seen before.
What nobody foresaw ends one run, and is tried alone by the next.
"""

import json
from pathlib import Path
from textwrap import dedent

import pytest

from ingestion import trial
from ingestion.config import Settings
from ingestion.errors import FileRefused
from ingestion.mapping.in_use import load_mappings
from ingestion.readers.csv import read_csv
from tests.unit.conftest import GOOD, GOOD_FILE, Yard

from .bombs import BOMBS, HEADER, KEY, Bomb, deep, nested, parquet_of
from .test_formats import xlsx

BOMB = "account_snapshots/bomb"


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_quarantined_and_the_next_file_loads(yard: Yard, bomb: Bomb) -> None:
    yard.drop(BOMB + bomb.ending, bomb.content())
    yard.drop(GOOD_FILE, GOOD)
    yard.land()
    yard.assert_quarantined_whole(BOMB + bomb.ending, bomb.reason)
    assert len(yard.rows(GOOD_FILE)) == 2
    assert trial.suspect(yard.settings) is None


def test_equal_rows_count_as_what_they_are_when_read(yard: Yard, settings: Settings) -> None:
    """Stored once, 200,000 rows of seven equal columns take a few kilobytes."""
    columns = ", ".join(f"'{text}' as {name}" for name, text in KEY.items())
    content = parquet_of(
        f"select {columns}, 1 as followers, 2 as posts, 3 as following, 4 as niche from range(200_000)"
    )
    assert len(content) < 100_000
    yard.settings = settings.model_copy(update={"max_unpacked_bytes": 5_000_000})
    yard.drop(f"{BOMB}.parquet", content)
    yard.drop(GOOD_FILE, GOOD)
    yard.land()
    yard.assert_quarantined_whole(f"{BOMB}.parquet", "unpacks to more than 5,000,000 bytes")


@pytest.mark.parametrize("levels", [1, 499])
def test_what_is_not_too_deep_loads(yard: Yard, levels: int) -> None:
    """Brackets within texts are no levels, however many there are; a quote within them ends no text."""
    text = json.dumps({**KEY, "handle": '"[{' * 1_000})
    yard.drop(f"{BOMB}.jsonl", deep(levels - 1, "[", "]") + text.replace('"a"', '"b"') + "\n")
    yard.land()
    assert len(yard.rows(f"{BOMB}.jsonl")) == 2


def test_a_wide_sheet_and_a_nested_parquet_load(yard: Yard) -> None:
    yard.drop(f"{BOMB}.xlsx", xlsx([*HEADER, *(f"x{n}" for n in range(50))], ["youtube", "a", "2026-01-05", 1]))
    yard.drop(f"{BOMB}.parquet", nested(20))
    yard.land()
    assert len(yard.rows(f"{BOMB}.xlsx")) == len(yard.rows(f"{BOMB}.parquet")) == 1


def test_a_quote_that_is_never_closed_is_seen_before_any_reader_is_asked(yard: Yard) -> None:
    """With many doubled quotes after it DuckDB took 12.8 GB for 56 MB; here there is none to ask."""
    path = "account_snapshots/a.csv"
    file = yard.drop(path, f"{','.join(HEADER)}\n" + 'youtube,"open,2026-01-05,1\n' + 'zz,"",\n' * 1_000)
    mapping = load_mappings(yard.settings).choose(path, None)
    assert mapping is not None
    with pytest.raises(FileRefused, match="a quote opened in line 2 is never closed"):
        read_csv(None, file, mapping, set(), is_whole=False)  # type: ignore[arg-type]


def test_quotes_of_an_odd_number_that_are_all_closed_load(yard: Yard) -> None:
    yard.drop_rows("account_snapshots/a.csv", 'youtube,5" tall,2026-01-05,1', 'youtube,"b,""c""",2026-01-05,2')
    yard.land()
    assert yard.rows("account_snapshots/a.csv") == [('5" tall', 1), ('b,"c"', 2)]


# --- what nobody foresaw

# A reader that a certain text ends, or holds for ever, as compiled code may.
ENDS = """
    import os, time
    from ingestion import parse

    read = parse.open_file

    def open_file(reader, plain, *others):
        if b"ends" in plain.read_bytes():
            os.abort()
        if b"holds" in plain.read_bytes():
            time.sleep(600)
        return read(reader, plain, *others)

    parse.open_file = open_file
"""


def left_by_a_run_that_ended(yard: Yard, path: str) -> None:
    """The note of the run that was reading a file when it ended."""
    import hashlib

    yard.settings.ledger.parent.mkdir(parents=True, exist_ok=True)
    trial.begin(yard.settings, hashlib.sha256((yard.settings.landing / path).read_bytes()).hexdigest())


@pytest.mark.parametrize(("text", "reason"), [("ends", "ends the process that reads it"), ("holds", "not read within")])
def test_a_file_that_ended_a_run_is_tried_alone(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(dedent(ENDS))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(trial, "SECONDS", 30 if text == "ends" else 3)
    yard.drop(GOOD_FILE, GOOD)
    path = f"{BOMB}.csv"
    yard.drop(path, GOOD.replace(b"good-1", text.encode()))
    left_by_a_run_that_ended(yard, path)
    yard.land()
    yard.assert_quarantined_whole(path, reason)
    assert trial.suspect(yard.settings) is None
    assert not yard.settings.inbox.exists()


def test_a_run_that_was_killed_for_another_reason_leaves_nothing_out(yard: Yard) -> None:
    yard.drop(GOOD_FILE, GOOD)
    left_by_a_run_that_ended(yard, GOOD_FILE)
    yard.land()
    assert len(yard.rows(GOOD_FILE)) == 2


def test_the_note_stands_while_a_file_is_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is the machine's ends the run, and says which file was being read."""
    from ingestion import parse

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    yard.drop(GOOD_FILE, GOOD)
    with monkeypatch.context() as patched:
        patched.setattr(parse, "open_file", full)
        with pytest.raises(OSError, match="No space left"):
            yard.land()
    assert trial.suspect(yard.settings) is not None
    yard.land()
    assert len(yard.rows(GOOD_FILE)) == 2
    assert trial.suspect(yard.settings) is None
