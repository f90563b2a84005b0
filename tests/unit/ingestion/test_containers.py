"""Files that hold files: members of a zip, sheets of a workbook, tables of a file, and packed bytes."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from ingestion import erasure, inventory, landing, ledger
from ingestion.mapping import grammar
from tests.mappings import only

from ..conftest import HEADER, Yard
from .test_formats import xlsx
from .test_mapping_traits import HEAD, IDS

ROW = "youtube,%s,2026-01-05,%d"
BOX = "account_snapshots/box.zip"
A = f"{HEADER}\n{ROW % ('a', 1)}\n"
B = f"{HEADER}\n{ROW % ('b', 2)}\n{ROW % ('', 3)}\n"


def packed(*files: tuple[str | zipfile.ZipInfo, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *texts: str) -> list[grammar.Mapping]:
    """Mappings of these texts, and no other."""
    mappings = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.yml"
        path.write_text(text, encoding="utf-8")
        mappings.append(grammar.load_mapping(path))
    for module in (landing, inventory):
        monkeypatch.setattr(module, "load_mappings", lambda *_: only(*mappings))
    return mappings


# --- zip


def test_each_member_of_a_zip_is_a_file_of_its_own(yard: Yard) -> None:
    yard.drop(
        BOX, packed(("a.csv", A), ("deep/b.csv", B), ("__MACOSX/._a.csv", "x"), (".DS_Store", "x"), ("deep/", ""))
    )
    assert yard.land().files_seen == 2
    assert yard.rows(f"{BOX}/a.csv", "account_id, followers, source_file, source_line") == [("a", 1, f"{BOX}/a.csv", 2)]
    assert yard.rows(f"{BOX}/deep/b.csv") == [("b", 2)]
    assert yard.rejects(f"{BOX}/deep/b.csv")[0][:2] == (3, "account_id")
    assert yard.land().files_new == 0, "known by the zip's name, size and time"


def test_a_member_is_the_delivery_that_the_same_bytes_are(yard: Yard) -> None:
    yard.drop("account_snapshots/a.csv", A)
    yard.land()
    yard.drop(BOX, packed(("a.csv", A), ("b.csv", B)))
    assert yard.land().files_new == 1
    yard.drop(BOX, packed(("a.csv", A), ("b.csv", B), ("c.csv", A.replace("a,2026", "c,2026"))))
    assert yard.land().files_new == 1, "a zip that has grown by one member"


def test_members_find_their_mappings_by_their_own_names(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = f"{HEAD}{IDS}".replace('"x*"', '"Table data*.csv"').replace(
        "feed:", "skip_members: [Chart data.csv, Totals*]\nfeed:"
    )
    use(monkeypatch, tmp_path, one)
    content = packed(
        ("Table data.csv", "id\na\n"), ("Chart data.csv", "Day\n1\n"), ("Totals.csv", "n\n1\n"), ("b.csv", B)
    )
    yard.drop(BOX, content)
    assert yard.land().files_seen == 2
    assert yard.rows(f"{BOX}/Table data.csv", "account_id") == [("a",)]
    assert yard.rows(f"{BOX}/b.csv") == [("b", 2)], "the feed's own layout, by the folder"


def test_a_zip_of_every_format(yard: Yard) -> None:
    import gzip

    from .test_formats import parquet

    record = '{"platform": "x", "account_id": "%s", "captured_at": "2026-01-05"}\n'
    cells = "'x' as platform, 'p' as account_id, timestamp '2026-01-05' as captured_at"
    files = {
        "j.jsonl": record % "j", "l.json": f"[{record % 'l'}]", "p.parquet": parquet(f"select {cells}"),
        "g.csv.gz": gzip.compress(A.encode()),
        "w.xlsx": xlsx(["platform", "account_id", "captured_at"], ["x", "w", "2026-01-05"]),
    }  # fmt: skip
    yard.drop(BOX, packed(*files.items()))
    yard.land()
    found = {name: yard.rows(f"{BOX}/{name}", "account_id") for name in files}
    assert found == {
        "j.jsonl": [("j",)], "l.json": [("l",)], "p.parquet": [("p",)], "g.csv.gz": [("a",)], "w.xlsx": [("w",)],
    }  # fmt: skip


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def encrypted() -> bytes:
    """A zip whose one member says that it is encrypted."""
    content = bytearray(packed(("a.csv", A)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(packed(("a.csv", A), ("../evil.csv", B)), "a path that leads outside", id="parent"),
        pytest.param(packed(("/etc/evil.csv", B)), "a path that leads outside", id="absolute"),
        pytest.param(packed(("a/..\\evil.csv", B)), "a path that leads outside", id="backslash"),
        pytest.param(packed((linked("a.csv"), "/etc/passwd")), "it holds a link", id="link"),
        pytest.param(
            packed(("a.csv", A), ("in.zip", packed(("b.csv", B)))), "it holds a zip, 'in.zip'", id="zip in zip"
        ),
        pytest.param(encrypted(), "it is encrypted", id="encrypted"),
        pytest.param(packed(("big.csv", b"0" * (70 << 20))), "more than 200 times its size", id="bomb"),
        pytest.param(packed(*((f"{n}.csv", "") for n in range(1001))), "it holds 1,001 files", id="many"),
        pytest.param(packed(("__MACOSX/a.csv", A)), "it holds no file to read", id="nothing"),
        pytest.param(packed(), "it holds no file to read", id="empty"),
        pytest.param(packed(("a.csv", A))[:-30], "it is no whole ZIP file", id="cut"),
        pytest.param(b"not a zip", "it is no whole ZIP file", id="no zip"),
        pytest.param(b"", "it is no whole ZIP file", id="no bytes"),
    ],
)
def test_a_hostile_zip_is_set_aside_whole(yard_with_good: Yard, content: bytes, reason: str) -> None:
    yard_with_good.drop(BOX, content)
    yard_with_good.land()
    batch = yard_with_good.assert_quarantined_whole(BOX, reason)
    assert batch["feed"] == "account_snapshots"
    assert yard_with_good.kept_bytes(BOX) == content
    assert not list(yard_with_good.settings.data.rglob("evil*"))
    assert yard_with_good.land().files_new == 0


def test_a_zip_under_the_limit_of_unpacked_bytes(yard_with_good: Yard) -> None:
    yard_with_good.settings = yard_with_good.settings.model_copy(update={"max_unpacked_bytes": 1000})
    yard_with_good.drop(BOX, packed(*((f"{n}.csv", A) for n in range(20))))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(BOX, "raise GROUNDSWELL_MAX_UNPACKED_BYTES")


def test_a_zip_that_cannot_be_opened_any_more_keeps_what_it_brought(yard: Yard) -> None:
    yard.drop(BOX, packed(("a.csv", A), ("b.csv", B)))
    yard.land()
    yard.settings = yard.settings.model_copy(update={"max_unpacked_bytes": 50})
    yard.land()
    states = {row["file"]: row["state"] for row in yard.batches()}
    assert states == {BOX: "quarantined", f"{BOX}/a.csv": "accepted", f"{BOX}/b.csv": "accepted"}
    yard.settings = yard.settings.model_copy(update={"max_unpacked_bytes": 5000})
    yard.land()
    states = {row["file"]: row["state"] for row in yard.batches()}
    assert states == {BOX: "superseded", f"{BOX}/a.csv": "accepted", f"{BOX}/b.csv": "accepted"}


def test_a_member_that_is_damaged_stops_no_other(yard_with_good: Yard) -> None:
    content = packed(("a.csv", A), ("b.csv", B), method=zipfile.ZIP_STORED)
    yard_with_good.drop(BOX, content.replace(b"youtube,a,", b"youtube,z,"))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(f"{BOX}/a.csv", "it cannot be unpacked from its zip (Bad CRC-32")
    assert yard_with_good.rows(f"{BOX}/b.csv") == [("b", 2)]


def test_a_zip_is_copied_once_for_all_its_members(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    real = landing.copy_in

    def counting(settings: landing.Settings, path: str) -> tuple[Path, str, int]:
        copied.append(path)
        return real(settings, path)

    monkeypatch.setattr(landing, "copy_in", counting)
    yard.drop(BOX, packed(*((f"{n}.csv", A.replace("a,", f"a{n},")) for n in range(5))))
    assert yard.land().rows_accepted == 5
    assert copied == [BOX]


def test_the_time_in_a_zips_name_is_that_of_its_members(yard: Yard) -> None:
    path = "costs/box_2026-01-05.zip"
    costs = "cost_id,cost_date,cost_type,amount,currency\nc,2026-01-01,fee,5,EUR\n"
    yard.drop(path, packed(("a.csv", costs), ("b_2026-01-07.csv", costs.replace("c,", "d,"))))
    yard.land()
    assert yard.rows(f"{path}/a.csv", "as_of::date::varchar") == [("2026-01-05",)]
    assert yard.rows(f"{path}/b_2026-01-07.csv", "as_of::date::varchar") == [("2026-01-07",)]


def test_a_manifest_names_the_zip(yard: Yard) -> None:
    import hashlib
    import json

    content = packed(("a.csv", A.rstrip("\n")))
    entry = {"name": "box.zip", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "rows": 9}
    yard.drop("account_snapshots/_manifest.json", json.dumps({"files": [entry]}))
    yard.drop(BOX, content)
    yard.land()
    assert yard.rows(f"{BOX}/a.csv") == [("a", 1)], "whole, as its manifest says: the last line may lack its end"
    yard.drop(BOX, packed(("a.csv", A)))
    yard.age(BOX, 5000)
    yard.land()
    states = yard.query("select state, reason from batches where file = ?", f"{BOX}/a.csv")
    assert any("its manifest says" in (row["reason"] or "") for row in states)


def test_an_erased_account_takes_the_zip_with_it(yard: Yard) -> None:
    yard.drop(BOX, packed(("a.csv", A), ("b.csv", B)))
    yard.land()
    number = erasure.begin(yard.settings, "youtube", "a")
    found = erasure.remove(yard.settings, number, "youtube", "a")
    assert (found.raw_rows, found.files) == (1, 1)
    assert not (yard.settings.landing / BOX).exists()


def test_an_erased_account_stays_out_of_a_file_of_several_days(yard: Yard) -> None:
    days = f"{HEADER}\n{ROW % ('a', 1)}\n{ROW % ('b', 1)}\n{ROW.replace('05', '06') % ('a', 2)}\n{ROW.replace('05', '06') % ('b', 2)}\n"
    erasure.begin(yard.settings, "youtube", "a")
    yard.drop(BOX, packed(("a.csv", days)))
    yard.land()
    assert yard.rows(f"{BOX}/a.csv") == [("b", 1), ("b", 2)]


def test_what_waits_in_a_zip_is_known_without_landing(yard: Yard) -> None:
    yard.drop(BOX, packed(("a.csv", A), ("b.csv", B)))
    with ledger.read(yard.settings) as connection:
        waiting = [candidate.label for candidate in inventory.waiting_files(yard.settings, connection)]
        assert waiting == [f"{BOX}/a.csv", f"{BOX}/b.csv"]
    yard.land()
    with ledger.read(yard.settings) as connection:
        assert inventory.waiting_files(yard.settings, connection) == []
        names = inventory.landed_names(yard.settings, connection)
    assert {name: seen.is_due for name, seen in names.items()} == {f"{BOX}/a.csv": False, f"{BOX}/b.csv": False}


# --- sheets and tables

BOOK = "account_snapshots/xbook.xlsx"


def book(**hidden: str) -> bytes:
    import openpyxl

    made = openpyxl.Workbook()
    made.active.title = "Notes"
    for month, account in (("2026-01", "jan"), ("2026-02", "feb"), ("2026-03", "mar")):
        sheet = made.create_sheet(month)
        for row in (["id"], [account]):
            sheet.append(row)
        sheet.sheet_state = hidden.get(account, "visible")
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


@pytest.mark.parametrize("sheet", ["'2026-*'", "['2026-01', '2026-02', '2026-03']", "[2, '2026-0[23]']"])
def test_several_sheets_of_a_workbook(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sheet: str) -> None:
    use(monkeypatch, tmp_path, f"{HEAD}sheet: {sheet}{IDS}")
    yard.drop(BOOK, book())
    yard.land()
    found = [yard.rows(f"{BOOK}/2026-0{month}", "account_id, source_line") for month in (1, 2, 3)]
    assert found == [[("jan", 2)], [("feb", 2)], [("mar", 2)]]
    assert yard.land().files_new == 0
    with ledger.read(yard.settings) as connection:
        assert not any(seen.is_due for seen in inventory.landed_names(yard.settings, connection).values())


def test_a_workbook_that_is_read_in_other_parts_counts_once(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def accepted() -> list[str]:
        return [row["file"] for row in yard.batches() if row["state"] == "accepted"]

    yard.drop(BOOK, book())
    shapes = {
        "2026-01": [BOOK], "[2026-01, 2026-02]": [f"{BOOK}/2026-01", f"{BOOK}/2026-02"], "[2026-02]": [f"{BOOK}/2026-02"],
        "2026-02": [BOOK], "'2026-*'": [f"{BOOK}/2026-0{month}" for month in (1, 2, 3)],
    }  # fmt: skip
    for sheet, files in shapes.items():
        use(monkeypatch, tmp_path, f"{HEAD}sheet: {sheet}{IDS}")
        yard.land()
        assert accepted() == files, sheet
        assert yard.land().files_new == 0, sheet


def test_a_workbook_stays_as_loaded_when_its_mapping_is_switched_off(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, tmp_path, f"{HEAD}sheet: [2026-01, 2026-02]{IDS}")
    yard.drop(BOOK, book())
    yard.land()
    use(monkeypatch, tmp_path)
    assert yard.land().files_new == 0
    assert {row["state"] for row in yard.batches()} == {"accepted"}


def test_a_member_that_a_mapping_passes_over_later_leaves(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    yard.drop(BOX, packed(("Table.csv", "id\na\n"), ("b.csv", B)))
    text = f"{HEAD}{IDS}".replace('"x*"', '"Table.csv"')
    use(monkeypatch, tmp_path, text)
    yard.land()
    use(monkeypatch, tmp_path, text.replace("feed:", "skip_members: [b.csv]\nfeed:"))
    yard.land()
    states = {row["file"]: row["state"] for row in yard.batches() if row["state"] != "superseded"}
    assert states == {f"{BOX}/Table.csv": "accepted"}


def test_hidden_sheets_are_read_by_name_alone(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, tmp_path, f"{HEAD}sheet: '2026-*'{IDS}")
    yard.drop(BOOK, book(feb="hidden", mar="veryHidden"))
    yard.land()
    assert [row["file"] for row in yard.batches()] == [f"{BOOK}/2026-01"]
    use(monkeypatch, tmp_path, f"{HEAD}sheet: ['2026-02']{IDS}")
    yard.land()
    assert yard.rows(f"{BOOK}/2026-02", "account_id") == [("feb",)]


def test_sheets_that_are_not_there(yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, tmp_path, f"{HEAD}sheet: '2027-*'{IDS}")
    yard_with_good.drop(BOOK, book())
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(BOOK, "it has no visible sheet like ('2027-*',); it has 'Notes', '2026-01'")
    use(monkeypatch, tmp_path, f"{HEAD}sheet: ['2026-01', Gone]{IDS}")
    yard_with_good.land()
    assert "it has no sheet 'Gone'" in yard_with_good.batch(f"{BOOK}/Gone")["reason"]
    assert yard_with_good.rows(f"{BOOK}/2026-01", "account_id") == [("jan",)]


def test_two_mappings_read_different_sheets_of_one_workbook(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = f"{HEAD}sheet: 2026-01{IDS}"
    second = f"{HEAD}sheet: 2026-02{IDS}".replace("mapping: m", "mapping: n")
    use(monkeypatch, tmp_path, first, second)
    yard.drop(BOOK, book())
    yard.land()
    assert yard.rows(f"{BOOK}/2026-01", "account_id") == [("jan",)]
    assert yard.rows(f"{BOOK}/2026-02", "account_id") == [("feb",)]
    assert {row["mapping"] for row in yard.batches()} == {"m", "n"}
    # The sheet of one mapping is read again when that mapping changes; the other stays as it is.
    use(monkeypatch, tmp_path, first, f"{second}  display_name: {{from: id}}\n")
    assert yard.land().files_new == 1
    assert yard.rows(f"{BOOK}/2026-01", "account_id") == [("jan",)]


def test_two_mappings_that_read_the_same_are_refused(
    yard_with_good: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = f"{HEAD}sheet: 2026-01{IDS}"
    use(monkeypatch, tmp_path, text, text.replace("mapping: m", "mapping: n"))
    yard_with_good.drop(BOOK, book())
    yard_with_good.land()
    assert (
        "mappings m and n both claim this name; narrow one pattern, or name the sheet"
        in (yard_with_good.batch(BOOK)["reason"])
    )


def test_two_mappings_read_two_tables_of_one_file(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = f"{HEAD}header: [id, fans]\nends_at_blank_line: true{IDS}  followers: {{from: fans}}\n"
    second = first.replace("mapping: m", "mapping: n").replace("[id, fans]", "[name, reach]")
    second = second.replace("{from: id}", "{from: name}").replace("{from: fans}", "{from: reach}")
    use(monkeypatch, tmp_path, first, second)
    path = "account_snapshots/x.csv"
    yard.drop(path, "id,fans\na,1\n\nname,reach\nb,2\n")
    yard.land()
    assert yard.rows(f"{path}/m", "source_line, account_id, followers") == [(2, "a", 1)]
    assert yard.rows(f"{path}/n", "source_line, account_id, followers") == [(5, "b", 2)]
    assert yard.land().files_new == 0


def test_the_name_of_a_sheet_fills_a_column(yard: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = f"{HEAD}sheet: '2026-*'{IDS}  niche: {{from_file_name: '^2026-(..)$'}}\n  language: {{from_file_name: '^x(.+)[.]'}}\n"
    use(monkeypatch, tmp_path, text)
    yard.drop(BOOK, book())
    yard.land()
    assert yard.rows(f"{BOOK}/2026-02", "account_id, niche, language") == [("feb", "02", "book")]


# --- Zstandard

ZST = "account_snapshots/a.csv.zst"


def squeezed(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def test_zstandard_is_read_also_in_several_frames(yard: Yard) -> None:
    yard.drop(ZST, squeezed(A.encode()) + squeezed(f"{ROW % ('c', 3)}\n".encode()))
    yard.land()
    assert yard.rows(ZST) == [("a", 1), ("c", 3)]


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_zstandard_that_is_cut(yard_with_good: Yard, cut: int) -> None:
    yard_with_good.drop(ZST, squeezed(A.encode())[:-cut])
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(ZST, "Zstandard is damaged")


def test_zstandard_with_a_flipped_bit(yard_with_good: Yard) -> None:
    content = bytearray(squeezed(A.encode() + b"".join(f"{ROW % (f'n{n}', n)}\n".encode() for n in range(5000))))
    content[len(content) // 2] ^= 1
    yard_with_good.drop(ZST, bytes(content))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(ZST, "Zstandard is damaged")


def test_a_bomb_of_zstandard_stops_at_the_limit(yard_with_good: Yard) -> None:
    yard_with_good.settings = yard_with_good.settings.model_copy(update={"max_unpacked_bytes": 10 << 20})
    yard_with_good.drop(ZST, squeezed(b"0" * (200 << 20)))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(ZST, "unpacks to more than 10,485,760 bytes")
