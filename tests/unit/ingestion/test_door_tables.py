"""Layouts of real exports whose tables are hard to find: each lands with YAML alone, or is set aside in words.

The files of `tests/fixtures/door` are made up; each stands for a kind of real export.
"""

import pytest

from ingestion import landing
from ingestion.config import PROJECT_DIR
from ingestion.mapping import grammar
from ingestion.mapping.in_use import Mappings

from ..conftest import Yard
from .test_mapping_traits import HEAD, IDS, PATH, Use, land, use

__all__ = ["use"]

DOOR = PROJECT_DIR / "tests" / "fixtures" / "door"


def deliver(yard: Yard, monkeypatch: pytest.MonkeyPatch, name: str, mapping: str | None) -> str:
    """Land a fixture under a mapping of the fixtures, or under none; returns its path."""
    known = only(grammar.load_mapping(DOOR / f"{mapping}.yml")) if mapping else Mappings()
    monkeypatch.setattr(landing, "load_mappings", lambda *_: known)
    path = f"account_snapshots/{name}" if not mapping else f"door/{name}"
    yard.drop(path, (DOOR / name).read_bytes())
    yard.land()
    return path


# --- lines and headers


def test_a_line_break_in_a_header_cell_and_windows_line_ends(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "01_linefeed_in_header_crlf.csv", "01")
    assert yard.rows(path, "source_line, account_id, followers") == [(3, "anna.bakes", 12_400), (4, "bea_runs", 8_800)]


def test_a_line_break_in_a_header_cell_in_each_kind_of_line_end(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans now}}")
    for number, (inner, outer) in enumerate([("\n", "\n"), ("\n", "\r\n"), ("\r\n", "\n"), ("\r\n", "\r\n")]):
        path = f"account_snapshots/x{number}.csv"
        content = outer.join(["id,", "a,1", 'b,"2"', ""]).replace("id,", f'id,"fans{inner}now"', 1)
        assert land(yard, content, "source_line, account_id, followers", path) == [(3, "a", 1), (4, "b", 2)], path


def test_mixed_line_ends_are_read(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    path = deliver(yard, monkeypatch, "02_mixed_line_ends.csv", None)
    assert yard.rows(path, "source_line, account_id, followers") == [(2, "anna", 1200), (3, "bea", 900)]


def test_line_breaks_within_quotes_stay_what_they_are_among_mixed_line_ends(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  display_name: {{from: name}}")
    content = 'id,name\r\na,"one\r\ntwo"\nb,"x\ny"\r\nc,z\n'
    assert land(yard, content, "source_line, account_id, display_name") == [
        (2, "a", "one\r\ntwo"), (4, "b", "x\ny"), (6, "c", "z"),
    ]  # fmt: skip


def test_json_lines_with_mixed_line_ends_are_read(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}")
    content = '{"id": "a"}\r\n{"id": "b"}\n{"id": "c"}\r\n'
    assert land(yard, content, "source_line, account_id", "account_snapshots/x.jsonl") == [(1, "a"), (2, "b"), (3, "c")]


# --- columns by position


def test_a_column_by_position_holds_the_header_that_it_expects(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deliver(yard, monkeypatch, "07_shift_2026-01-05.csv", "07")
    assert yard.rows(first) == [("anna", 1200), ("bea", 900)]
    second = deliver(yard, monkeypatch, "07_shift_2026-01-06.csv", "07")
    batch = yard.batch(second)
    assert batch["state"] == "quarantined"
    assert batch["reason"] == (
        "at position 3, where followers is read, stands 'Likes', not 'Followers'; 'Followers' stands at 4, 5: its"
        " columns have moved, correct the mapping"
    )


def test_a_third_twin_before_the_one_that_is_meant(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{at: 3, header: fans, twin: 2}}")
    yard.drop(PATH, "fans,id,fans,fans\n1,a,2,3\n")
    use(f"{HEAD}{IDS}  followers: {{at: 3, header: fans, twin: 1}}")
    yard.land()
    assert "stands 'fans', not 'fans' number 1; 'fans' stands at 1, 3, 4" in yard.batch(PATH)["reason"]


def test_a_twin_by_its_order(yard: Yard, use: Use) -> None:
    use(f"{HEAD}{IDS}  followers: {{from: fans, twin: 2}}")
    assert land(yard, "fans,id,fans\n1,a,2\n", "account_id, followers") == [("a", 2)]
    yard.drop("account_snapshots/xx.csv", "fans,id\n1,a\n")
    yard.land()
    assert (
        "header 'fans' stands there 1 times; number 2 of it is missing"
        in (yard.batch("account_snapshots/xx.csv")["reason"])
    )


def test_a_position_without_its_header_is_an_error_of_the_mapping(use: Use) -> None:
    with pytest.raises(grammar.ContractError, match=r"m\.yml: line 10: columns: followers: say which header stands at"):
        use(f"{HEAD}{IDS}  followers: {{at: 3}}")
