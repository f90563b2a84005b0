"""JSON lines, Parquet and XLSX: every format gives the same rows, and each kind of bad input its reason."""

import gzip
import io
import json
import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from ingestion.errors import FileRefused

from ..conftest import GOOD_FILE, Yard

HEADER = ["platform", "account_id", "captured_at", "followers", "display_name"]
AT = "2026-01-05T03:00:00Z"
JSON, PARQUET, XLSX = (f"account_snapshots/x.{end}" for end in ("jsonl", "parquet", "xlsx"))


def jsonl(*records: Any) -> bytes:
    return "".join(f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records).encode()


def account(account_id: Any = "a", **more: Any) -> dict[str, Any]:
    return {"platform": "youtube", "account_id": account_id, "captured_at": AT, **more}


def parquet(select: str, options: str = "") -> bytes:
    """A Parquet file with the rows of a query."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        target = Path(folder) / "x.parquet"
        connection.execute(f"copy ({select}) to '{target}' (format parquet{options})")
        return target.read_bytes()


def xlsx(*rows: list[Any], sheets: dict[str, list[list[Any]]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for row in rows:
        first.append(row)
    for name, content in (sheets or {}).items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# --- the same rows in every format


def test_every_format_gives_the_same_rows(yard: Yard) -> None:
    yard.drop("account_snapshots/x.csv", f"{','.join(HEADER)}\nyoutube,a,{AT},12,Ann\nyoutube,b,{AT},,\n")
    yard.drop(JSON, jsonl(account("a", followers=12, display_name="Ann"), account("b")))
    yard.drop(
        "account_snapshots/z.jsonl.gz",
        gzip.compress(jsonl(account("a", followers="12", display_name="Ann"), account("b"))),
    )
    rows = "values ('youtube', 'a', timestamp '2026-01-05 03:00:00', 12, 'Ann'), ('youtube', 'b', timestamp '2026-01-05 03:00:00', null, null)"
    yard.drop(PARQUET, parquet(f"select * from ({rows}) t ({', '.join(HEADER)})"))
    moment = datetime(2026, 1, 5, 3)
    yard.drop(XLSX, xlsx(HEADER, ["youtube", "a", moment, 12, "Ann"], ["youtube", "b", moment, None, None]))
    yard.land()
    for batch in yard.batches():
        found = yard.rows(
            batch["file"], "platform, account_id, captured_at, followers, followers_null_reason, display_name"
        )
        assert found == [
            ("youtube", "a", moment, 12, None, "Ann"),
            ("youtube", "b", moment, None, "not_captured", None),
        ], batch["file"]


# --- JSON lines


def test_json_lines_keep_their_lines_and_name_what_is_wrong(yard: Yard) -> None:
    yard.drop(
        JSON,
        jsonl(
            account("a"),
            "",
            '{"platform": "youtube", ',
            "[1, 2]",
            '"text"',
            '{"platform": "youtube", "platform": "x"}',
            account({"id": 1}),
            account("h", followers=[1]),
            account("i", followers=True),
            account("j"),
        ),
    )
    yard.land()
    assert yard.rows(JSON, "source_line, account_id, invalid_cells") == [
        (1, "a", None), (8, "h", '{"followers":"[1]"}'), (9, "i", '{"followers":"true"}'), (10, "j", None),
    ]  # fmt: skip
    assert [(line, column, reason) for line, column, _, reason, _ in yard.rejects(JSON)] == [
        (3, None, "not JSON"),
        (4, None, "no JSON object"),
        (5, None, "no JSON object"),
        (6, None, "a key stands there twice"),
        (7, "account_id", "an object or list; name its part, like `from: a.b`"),
    ]
    assert "2 of followers (line 8: an object or list; name its part, like `from: a.b`)" in yard.batch(JSON)["reason"]
    assert yard.batch(JSON)["rows_read"] == 9


def test_what_no_column_takes_stays_in_extra(yard: Yard) -> None:
    yard.drop(JSON, jsonl(account("a", note={"x": [1]}, mood=None)))
    yard.land()
    assert yard.rows(JSON, "extra") == [('{"note":{"x":[1]},"mood":null}',)]


def test_lists_of_texts_are_joined(yard: Yard) -> None:
    path = "post_snapshots/p.jsonl"
    post = {"platform": "instagram", "post_id": "p", "account_id": "a", "captured_at": AT, "is_pinned": True}
    yard.drop(path, jsonl({**post, "hashtags": ["tea", "ad"]}, {**post, "post_id": "q", "mentions": [{"a": 1}]}))
    yard.land()
    assert yard.rows(path, "post_id, hashtags, mentions, is_pinned") == [
        ("p", "tea|ad", None, True),
        ("q", None, None, True),
    ]
    assert "1 of mentions (line 2: an object or list; name its part, like `from: a.b`)" in yard.batch(path)["reason"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (json.dumps([account()]).encode()[:-1], "its JSON breaks off before the end of its list"),
        (jsonl(account()) + b'{"platform": "you', "its last line is cut"),
        (jsonl(account()).decode().encode("utf-16"), "it is UTF-16"),
        (jsonl(account()).decode().encode("utf-16-le"), "it is UTF-16"),
        (jsonl({f"k{n}": 1 for n in range(1200)}), "columns, more than 1,000"),
        (jsonl({"acount": 1}), "missing required column 'platform'"),
        (b"\n\n  \n", "missing required column"),
    ],
)
def test_json_that_is_set_aside_whole(yard_with_good: Yard, content: bytes, reason: str) -> None:
    yard_with_good.drop(JSON, content)
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(JSON, reason)


def test_a_last_line_without_an_end_is_whole_when_its_object_is(yard: Yard) -> None:
    yard.drop(JSON, jsonl(account("a"), account("b")).rstrip(b"\n"))
    yard.land()
    assert yard.rows(JSON, "account_id") == [("a",), ("b",)]


def test_lines_that_are_no_text_are_named_by_their_line(yard: Yard) -> None:
    yard.drop(
        JSON, jsonl(account("a")) + b'{"x": "\xff"}\n' + jsonl(account("b")) + b'{"x": "\x1f"}\n' + jsonl(account("c"))
    )
    yard.land()
    assert yard.rows(JSON, "source_line, account_id") == [(1, "a"), (3, "b"), (5, "c")]
    assert [(row[0], row[3]) for row in yard.rejects(JSON)] == [
        (2, "not UTF-8"),
        (4, "a raw control character; JSON writes it as \\u001f"),
    ]


# --- Parquet


def test_parquet_of_other_types_is_read_or_named(yard: Yard) -> None:
    yard.drop(
        PARQUET,
        parquet(
            "select 'youtube' as platform, i as account_id, timestamptz '2026-01-05 11:00:00+08' as captured_at,"
            " cast(i * 10 as double) as followers, cast(-i as smallint) as following, ['x', 'y'] as niche,"
            " {'a': i} as more, date '2026-01-05' as seen from range(2) t (i)"
        ),
    )
    yard.land()
    assert yard.rows(PARQUET, "source_line, account_id, captured_at, followers, niche, extra") == [
        (1, "0", datetime(2026, 1, 5, 3), 0, "x|y", '{"more":"{\\"a\\":0}","seen":"2026-01-05"}'),
        (2, "1", datetime(2026, 1, 5, 3), 10, "x|y", '{"more":"{\\"a\\":1}","seen":"2026-01-05"}'),
    ]
    assert yard.rows(PARQUET, "following, invalid_cells") == [(0, None), (None, '{"following":"-1"}')]
    assert "1 of following (line 2: a negative count)" in yard.batch(PARQUET)["reason"]


def test_a_text_where_a_number_belongs_is_named(yard: Yard) -> None:
    yard.drop(
        PARQUET, parquet(f"select 'youtube' as platform, 'a' as account_id, '{AT}' as captured_at, 'many' as followers")
    )
    yard.land()
    assert yard.rows(PARQUET, "followers, followers_null_reason, invalid_cells") == [
        (None, "invalid", '{"followers":"many"}')
    ]
    assert "1 of followers (line 1: not a whole number)" in yard.batch(PARQUET)["reason"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: b"", "it is empty"),
        (lambda content: content[:-6], "its footer is missing"),
        (lambda content: b"a,b\n1,2\n", "it is no Parquet file"),
        (lambda content: content[:4] + content[-4:], "cannot be read as Parquet"),
        (lambda content: content[: len(content) // 2] + b"\0" * 40 + content[-60:], ""),
    ],
    ids=["empty", "cut", "no parquet", "hollow", "bytes lost"],
)
def test_damaged_parquet_is_set_aside_whole(yard_with_good: Yard, damage: Any, reason: str) -> None:
    content = parquet(
        f"select 'youtube' as platform, 'a' || i as account_id, '{AT}' as captured_at from range(99) t (i)"
    )
    yard_with_good.drop(PARQUET, damage(content))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(PARQUET, reason)


def test_parquet_without_a_required_column_or_with_too_many(yard_with_good: Yard) -> None:
    yard_with_good.drop(PARQUET, parquet("select 1 as acount_id"))
    wide = ", ".join(f"1 as k{n}" for n in range(1100))
    yard_with_good.drop("account_snapshots/wide.parquet", parquet(f"select {wide}"))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(PARQUET, "missing required column 'platform'")
    yard_with_good.assert_quarantined_whole("account_snapshots/wide.parquet", "columns, more than 1,000")


# --- XLSX


def test_dates_as_numbers_and_numbers_as_texts(yard: Yard) -> None:
    """46027.125 is 2026-01-05 03:00 as a spreadsheet stores it: 46,027 days and an eighth since 1899-12-30."""
    yard.drop(
        XLSX,
        xlsx(
            HEADER,
            ["youtube", 42, 46027.125, 12.0, None],
            ["youtube", "0042", "2026-01-05 03:00", "13", None],
            ["youtube", 43, date(2026, 1, 5), 14, "=1/0"],
            ["youtube", 44, time(3, 0), 1, None],
            ["youtube", 45, datetime(2026, 1, 5, 3), "#VALOR!", None],
        ),
    )
    yard.land()
    assert yard.rows(XLSX, "source_line, account_id, captured_at, followers") == [
        (2, "42", datetime(2026, 1, 5, 3), 12),
        (3, "0042", datetime(2026, 1, 5, 3), 13),
        (4, "43", datetime(2026, 1, 5), 14),
        (6, "45", datetime(2026, 1, 5, 3), None),
    ]
    assert "1 of followers (line 6: not a whole number)" in yard.batch(XLSX)["reason"]
    assert [(row[0], row[1], row[2], row[3]) for row in yard.rejects(XLSX)] == [
        (5, "captured_at", "03:00:00", "not an ISO 8601 time like 2026-01-05T03:00:00Z"),
    ]


def test_blank_rows_totals_and_the_header_again(yard: Yard) -> None:
    yard.drop(
        XLSX,
        xlsx(
            HEADER,
            ["youtube", "a", AT, 1, None],
            [None] * 5,
            HEADER,
            ["youtube", "b", AT, 2, None],
            ["Total", None, None, 3, None],
            ["youtube", "c", AT, 3, None, None, "note beside the table"],
        ),
    )
    yard.land()
    assert yard.rows(XLSX, "source_line, account_id") == [(2, "a"), (5, "b")]
    assert [(row[0], row[3]) for row in yard.rejects(XLSX)] == [
        (4, "the header line again"),
        (6, "no known platform; a platform of your own is a row of config/platforms.csv"),
        (7, "more cells than the header"),
    ]


def test_the_first_sheet_is_read_and_the_others_are_named(yard: Yard) -> None:
    yard.drop(XLSX, xlsx(HEADER, ["youtube", "a", AT, 1, None], sheets={"Notes": [["x"]]}))
    yard.land()
    assert yard.rows(XLSX, "account_id") == [("a",)]
    assert yard.batch(XLSX)["reason"] == "read was sheet 'Sheet', not 'Notes'"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no whole XLSX file"),
        (b"a,b\n1,2\n", "no whole XLSX file"),
        (xlsx(HEADER, ["youtube", "a", AT, 1, None])[:-40], "no whole XLSX file"),
        (xlsx(), "holds no header"),
        (xlsx(HEADER), "a header and no row"),
        (xlsx(["a", "b"], [1, 2]), "missing required column 'platform'"),
        (xlsx([f"k{n}" for n in range(1200)]), "columns, more than 1,000"),
    ],
    ids=["empty", "no zip", "cut", "no cell", "no row", "other columns", "too wide"],
)
def test_xlsx_that_is_set_aside_whole(yard_with_good: Yard, content: bytes, reason: str) -> None:
    yard_with_good.drop(XLSX, content)
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(XLSX, reason)


def test_a_workbook_that_unpacks_to_more_than_the_limit(tmp_path: Path) -> None:
    from ingestion import landing

    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 5_000_000)
    assert bomb.stat().st_size < 10_000
    with pytest.raises(FileRefused, match="unpacks to more than 1,000,000 bytes"):
        landing.unpack(bomb, 1_000_000, "xlsx")


def test_a_workbook_whose_checksum_fails(yard_with_good: Yard) -> None:
    content = bytearray(xlsx(HEADER, ["youtube", "a", AT, 1, None]))
    content[content.index(b"xl/worksheets/sheet1.xml") + 60] ^= 0xFF
    yard_with_good.drop(XLSX, bytes(content))
    yard_with_good.land()
    yard_with_good.assert_quarantined_whole(XLSX, "no whole XLSX file")


# --- delimited text


@pytest.mark.parametrize(
    ("lines", "accepted", "rejected"),
    [
        pytest.param(
            ["youtube,a,2026-01-05,1", "platform,account_id,captured_at,followers", "youtube,b,2026-01-05,2"],
            [(2, "a"), (4, "b")],
            [(3, "the header line again")],
            id="header again",
        ),
        pytest.param(
            ["youtube,a,2026-01-05,1", "", "campaign,spend", "spring,300"],
            [(2, "a")],
            [(4, "fewer cells"), (5, "fewer cells")],
            id="two tables",
        ),
        pytest.param(
            ["youtube,a,2026-01-05,1", "Total,,,1"],
            [(2, "a")],
            [(3, "no known platform")],
            id="totals",
        ),
        pytest.param(
            ['youtube,"a ""quoted"" id",2026-01-05,1', 'youtube,a "b" c,2026-01-05,1', "youtube,c,2026-01-05,1,5"],
            [(2, 'a "quoted" id'), (3, 'a "b" c')],
            [(4, "more cells")],
            id="quotes inside quotes, ragged",
        ),
    ],
)
def test_rows_of_other_tables(
    yard: Yard, lines: list[str], accepted: list[tuple[int, str]], rejected: list[tuple[int, str]]
) -> None:
    yard.drop_rows("account_snapshots/x.csv", *lines)
    yard.land()
    assert yard.rows("account_snapshots/x.csv", "source_line, account_id") == accepted
    found = yard.rejects("account_snapshots/x.csv")
    assert [row[0] for row in found] == [line for line, _ in rejected]
    assert all(words in row[3] for row, (_, words) in zip(found, rejected, strict=True))


def test_a_header_again_of_a_feed_of_texts(yard: Yard) -> None:
    """Nothing but the header itself tells such a row from a brand."""
    yard.drop("brands/b.csv", "brand,name\nacme,Acme\nbrand,name\n")
    yard.land()
    assert yard.rows("brands/b.csv", "brand") == [("acme",)]
    assert yard.rejects("brands/b.csv")[0][3] == "the header line again"


def test_rows_of_another_encoding_are_named_with_the_remedy(yard: Yard) -> None:
    yard.drop(
        "account_snapshots/x.csv",
        f"{','.join(HEADER)}\nyoutube,a,{AT},1,plain\n".encode() + f"youtube,b,{AT},1,José\n".encode("cp1252"),
    )
    yard.land()
    assert yard.rows("account_snapshots/x.csv", "account_id") == [("a",)]
    assert yard.rejects("account_snapshots/x.csv")[0][3] == "not UTF-8"
    assert "name it in a mapping" in yard.batch("account_snapshots/x.csv")["reason"]


@pytest.mark.parametrize(
    ("feed", "header", "good", "bad", "reason"),
    [
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05,fee,12.50,usd", "2,2026-01-05,fee,twelve,usd", "not an amount like 1234.50"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05,fee,-1,EUR", "2,2026-01-05,fee,--1,usd", "not an amount like 1234.50"),
        ("orders", "order_id,customer_id,ordered_at,gross_amount,currency", "1,c,2026-01-05,0,EUR", "2,c,2026-01-05,-1,usd", "a negative amount"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05,ads,1,EUR", "2,2026-01-05,beer,1,usd", "not one of fee, product"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05,ads,1.234567,EUR", "2,2026-01-05,ads,1.2345678,usd", "more than 6 decimals"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05,ads,1,EUR", "2,2026-01-05,ads,1,dollar", "three letters like USD"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05T00:00:00,ads,1,EUR", "2,05.01.2026,ads,1,EUR", "say `date_order: dmy` or `date_order: mdy`"),
        ("costs", "cost_id,cost_date,cost_type,amount,currency", "1,2026-01-05T00:00:00Z,ads,1,EUR", "2,2026/01/05,ads,1,EUR", "ISO 8601 date like 2026-01-05"),
        ("fx_rates", "rate_date,currency,rate_to_base", "2026-01-05,EUR,1.08123456", "2026-01-05,GBP,1e3", "not a rate like 1234.50"),
        ("orders", "order_id,customer_id,ordered_at,gross_amount,currency,order_count", "1,c,2026-01-05,1,USD,2.0", "2,c,2026-01-05,1,USD,1.5", "not a whole number"),
    ],
)  # fmt: skip
def test_each_type_names_what_it_refuses(yard: Yard, feed: str, header: str, good: str, bad: str, reason: str) -> None:
    yard.drop_rows(f"{feed}/x.csv", good, bad, header=header)
    yard.land()
    batch = yard.batch(f"{feed}/x.csv")
    assert (batch["rows_accepted"], batch["rows_quarantined"]) == (1, 1), batch["reason"]
    assert reason in yard.rejects(f"{feed}/x.csv")[0][3]


def test_the_good_file_beside_lands(yard_with_good: Yard) -> None:
    yard_with_good.land()
    assert len(yard_with_good.rows(GOOD_FILE)) == 2
