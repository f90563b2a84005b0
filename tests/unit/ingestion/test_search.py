"""A name is found however a file writes it, and is not found within another name."""

import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import time
import unicodedata
import urllib.parse
import zipfile
from collections.abc import Callable
from contextlib import closing
from functools import reduce
from pathlib import Path

import duckdb
import pytest
import zstandard

from ingestion.search import BLOCK, Names, search

ID, HANDLE, SHOWN = "UCgone-of_all", "@gone.too", 'Göran "Gö" & Ägir'
NAMES = Names((ID,), (HANDLE,), (SHOWN,))
# What has to stand in a file for it to name the account, and what names somebody else.
GIVEN = {"id": ID, "handle": "Gone.Too", "shown": SHOWN.upper()}
OTHERS = f"{ID}2 x{ID} gone.too.long agone.too go gone GÖRAN ÄGIR"


def csv(text: str) -> bytes:
    return ('name,x\n"' + text.replace('"', '""') + '",1\n').encode()


def workbook(cell: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", "<workbook/>")
        parts.writestr("xl/sharedStrings.xml", f"<sst><si><t>before</t></si><si>{cell}</si><si><t>after</t></si></sst>")
    return target.getvalue()


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")


def runs(text: str) -> str:
    """Each character in a run of its own, as a workbook has what is dressed in parts."""
    return "".join(f'<r><rPr><b val="1"/></rPr><t xml:space="preserve">{escaped(sign)}</t></r>' for sign in text)


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in members:
            parts.writestr(name, content)
    return target.getvalue()


def parquet(text: str, folder: Path) -> bytes:
    file = folder / "made.parquet"
    duckdb.execute(f"copy (select {{'deep': [$1]}} as nested) to '{file}' (format parquet, compression zstd)", [text])
    return file.read_bytes()


WRITTEN: dict[str, Callable[[str, Path], bytes]] = {
    "CSV": lambda text, _: csv(text),
    "UTF-16 with its mark": lambda text, _: csv(text).decode().encode("utf-16"),
    "UTF-16 without": lambda text, _: csv(text).decode().encode("utf-16-be"),
    "UTF-32": lambda text, _: csv(text).decode().encode("utf-32-le"),
    "Latin-1": lambda text, _: f"name\t{text}\t1\n".encode("latin-1"),
    "decomposed": lambda text, _: unicodedata.normalize("NFD", text).encode(),
    "JSON": lambda text, _: json.dumps({"of": [text]}, ensure_ascii=False).encode(),
    "JSON escaped": lambda text, _: json.dumps({"of": [text]}).encode(),
    "JSON escaped wholly": lambda text, _: ('{"of": "' + "".join(f"\\u{ord(c):04X}" for c in text) + '"}').encode(),
    "JSON in JSON in UTF-16": lambda text, _: json.dumps({"of": json.dumps({"a": text})}).encode("utf-16"),
    "JSON in CSV": lambda text, _: csv(json.dumps({"of": text})),
    "after a line end in JSON": lambda text, _: json.dumps({"of": f"line\n{text}\nline"}).encode(),
    "HTML": lambda text, _: f"<p>{escaped(text)}</p>".encode(),
    "XML by numbers": lambda text, _: ("<t>" + "".join(f"&#x{ord(c):x};" for c in text) + "</t>").encode(),
    "a URL": lambda text, _: ("https://x.test/" + urllib.parse.quote(text) + "?a=1").encode(),
    "gzip": lambda text, _: gzip.compress(csv(text)),
    "gzip in gzip in gzip": lambda text, _: gzip.compress(gzip.compress(gzip.compress(csv(text)))),
    "two gzip frames": lambda text, _: gzip.compress(b"x" * BLOCK) + gzip.compress(csv(text)),
    "Zstandard": lambda text, _: zstandard.compress(csv(text)),
    "Zstandard in bzip2 in xz": lambda text, _: lzma.compress(bz2.compress(zstandard.compress(csv(text)))),
    "UTF-16 in gzip": lambda text, _: gzip.compress(csv(text).decode().encode("utf-16-le")),
    "zip in zip": lambda text, _: zipped(("a.txt", b"x"), ("b.zip", zipped(("c.csv", csv(text))))),
    "gzip in zip without an ending": lambda text, _: zipped(("data", gzip.compress(csv(text)))),
    "a cell of a workbook": lambda text, _: workbook(f"<t>{escaped(text)}</t>"),
    "rich text of a workbook": lambda text, _: workbook(runs(text)),
    "text read aloud": lambda text, _: workbook(f"{runs(text)}<rPh sb='0' eb='1'><t>reading</t></rPh>"),
    "a workbook's own escapes": lambda text, _: workbook(f"<t>{''.join(f'_x{ord(c):04X}_' for c in text)}</t>"),
    "a workbook in gzip": lambda text, _: gzip.compress(workbook(runs(text))),
    "Parquet": parquet,
    "Parquet in gzip": lambda text, folder: gzip.compress(parquet(text, folder)),
    "across blocks": lambda text, _: b"x" * (BLOCK - 12) + b"," + text.encode() + b",",
    "UTF-16 across blocks": lambda text, _: ("x" * (BLOCK // 2 - 6) + f",{text},").encode("utf-16-le"),
}  # fmt: skip


@pytest.mark.parametrize("what", GIVEN)
@pytest.mark.parametrize("way", WRITTEN)
def test_a_name_is_found_however_it_is_written(way: str, what: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(WRITTEN[way](GIVEN[what], tmp_path))
    assert search(file, NAMES) is True


@pytest.mark.parametrize("way", [way for way in WRITTEN if way != "a URL"])
def test_a_name_within_another_is_none(way: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(WRITTEN[way](OTHERS, tmp_path))
    assert search(file, NAMES) is False


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("by @gone.too.", True), ("gone.too!", True), ("with gone.tooと", True), ("tgone.too", False),
        ("gone.too_2", False), ("so.gone.too", False), ("#gone.too", True), ("@GONE.TOO", True),
        (f"チャンネル{ID}の", True), (ID.lower(), False), (f"{ID}é", False),
    ],
)  # fmt: skip
def test_where_a_name_begins_and_ends(text: str, is_named: bool) -> None:
    assert NAMES.are_in(text) is is_named


@pytest.mark.parametrize(
    ("text", "is_named"),
    [("the,ed,x", True), ('["Ed"]', True), ("@ed", True), ("by ed there", False), ("edit", False)],
)
def test_a_name_of_two_letters_is_a_whole_cell(text: str, is_named: bool) -> None:
    assert Names(("1",), ("@ed",)).are_in(text) is is_named


@pytest.mark.parametrize(
    ("text", "is_named"), [("a,100,b", False), ('"100"', False), ("x,@100,y", True), ("@1000", False)]
)
def test_a_handle_of_digits_is_a_count_where_no_sign_says_otherwise(text: str, is_named: bool) -> None:
    assert Names(("UCx",), ("@100",), ("100",)).are_in(text) is is_named


@pytest.mark.parametrize("text", ["1.23456789e8", "123456789.0", "<v>1.23456789E+8</v>", '{"id": 123456789}'])
def test_an_id_of_digits_is_found_as_a_spreadsheet_writes_it(text: str) -> None:
    assert Names(("123456789",)).are_in(text)
    assert not Names(("12345678",)).are_in(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[]", "[]"),
        (f'{{"by": "{ID}", "n": 5, "of": ["a", "@gone.too", null]}}', '{"by": null, "n": 5, "of": ["a", null]}'),
        (f'{{"{ID}": 1, "b": {{"c": "see {ID}"}}}}', '{"b": {"c": null}}'),
        (f"free text of {ID}", None),
        ('{"\\u0067one.too": 1, "ä": "\\u00e4"}', '{"\\u00e4": "\\u00e4"}'),
    ],
)
def test_a_text_without_them_keeps_what_is_of_others(text: str, left: str | None) -> None:
    assert NAMES.out_of(text, None) == left


def test_a_count_is_no_id() -> None:
    text = '{"orders": 12, "id": "12"}'
    assert Names(("12",)).out_of(text, None) == '{"orders": 12, "id": null}'
    assert Names(("1234567",)).out_of('{"a": 1234567}', None) == '{"a": null}'


def test_a_list_loses_the_items_that_name_them() -> None:
    assert NAMES.out_of_list("@a|@Gone.Too|b") == "@a|b"
    assert NAMES.out_of_list("@gone.too") is None


@pytest.mark.parametrize("way", ["cut", "torn", "locked", "deep", "seven", "duckdb"])
def test_what_cannot_be_read_to_its_end_is_neither(way: str, tmp_path: Path) -> None:
    noise = zlib_noise()
    packed = gzip.compress(noise)
    content = {
        "cut": packed[:-400],
        "torn": packed[:2000] + bytes(300) + packed[2300:],
        "deep": reduce(lambda inner, _: gzip.compress(inner), range(12), b"x"),
        "seven": b"7z\xbc\xaf\x27\x1c" + noise,
        "duckdb": noise[:8] + b"DUCK" + noise,
        "locked": locked(noise),
    }[way]
    file = tmp_path / "file"
    file.write_bytes(content)
    assert search(file, NAMES) is None
    # What is plain in it is seen all the same.
    file.write_bytes(content + f",{ID},".encode())
    assert search(file, NAMES) is True


def zlib_noise() -> bytes:
    return random.Random(1).randbytes(5000)


def locked(noise: bytes) -> bytes:
    packed = bytearray(zipped(("a", noise)))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def test_a_bomb_ends_in_words_and_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.search.MAX_BYTES", BLOCK)
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(bytes(4 * BLOCK)))
    assert search(file, NAMES) is None


@pytest.mark.parametrize(
    "part", ["<", "<rPh><t>", "<![CDATA[", "<a:", "&", "&#", "\\u", "%", '"', "''", "1.0e", "_x", "]]>", "</t>", "<si "]
)
def test_time_is_linear_in_the_bytes_whatever_they_hold(part: str, tmp_path: Path) -> None:
    """300 kB take a tenth of a second; where time is quadratic they take minutes."""
    file = tmp_path / "file"
    file.write_text(part * (300_000 // len(part)))
    before = time.process_time()
    assert search(file, Names(("123456789",), (HANDLE,), (SHOWN,))) is False
    assert time.process_time() - before < 5


def test_rows_without_end_end_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.search.SECONDS", 0.05)
    file = tmp_path / "file"
    duckdb.execute(f"copy (select 'é' as x from range(5_000_000)) to '{file}' (format parquet)")
    assert file.stat().st_size < 30_000
    assert search(file, NAMES) is None


@pytest.mark.parametrize(("text", "is_named"), [(ID, True), (SHOWN, True), ("gone.to", False)])
def test_cells_of_sqlite_are_found_whatever_stands_before_them(text: str, is_named: bool, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table t (x)")
        connection.executemany("insert into t values (?)", [(f"{'x' * number}",) for number in range(40)] + [(text,)])
        connection.commit()
    assert search(file, NAMES) is is_named


def test_text_in_cdata_and_a_deep_text(tmp_path: Path) -> None:
    assert NAMES.are_in("<t><![CDATA[UCgone]]>-of<b>_all</b></t>")
    assert not NAMES.are_in("<t><![CDATA[UCgone]]>-of<b>_alle</b></t>")
    deep = "[" * 100_000 + f'"{ID}"' + "]" * 100_000
    assert NAMES.out_of(deep, None) is None


def test_sql_and_python_say_the_same() -> None:
    texts = [*GIVEN.values(), OTHERS, "plain", json.dumps({"a": SHOWN}), "", "&amp;"]
    with duckdb.connect() as reader:
        NAMES.teach(reader)
        rows = reader.execute(f"select x, {NAMES.sql('x')} from (select unnest($1) as x)", [texts]).fetchall()
        assert rows == [(text, NAMES.are_in(text)) for text in texts]
        assert reader.execute(f"select {NAMES.sql('cast(null as varchar)')}").fetchone() == (False,)
