"""Properties: valid rows survive any format, layout and split; a changed cell is read as it stands or named; no bytes
break the run or lose a row.
"""

import csv
import gzip
import io
import json
import re
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import landing
from ingestion.config import Settings
from ingestion.mapping import grammar
from tests.mappings import only

from ..conftest import Yard
from .test_formats import xlsx

NAMES = ["platform", "account_id", "captured_at", "followers", "display_name"]
PATH = "account_snapshots/x.csv"

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"'), max_size=12)
rows = st.lists(
    st.tuples(st.integers(0, 10**12), texts.map(lambda text: text.strip())), min_size=1, max_size=8
)  # fmt: skip


def fresh_yard(folder: str) -> Yard:
    return Yard(Settings(_env_file=None, data=Path(folder) / "data", settle_seconds=0.0))  # type: ignore[call-arg]


@settings(max_examples=25, deadline=None)
@given(
    rows=rows,
    order=st.permutations(NAMES),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    bom=st.booleans(),
)
def test_valid_rows_survive_any_layout(rows: list[tuple[int, str]], order: list[str], quoting: int, bom: bool) -> None:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, order, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writeheader()
    for number, (followers, name) in enumerate(rows):
        writer.writerow(dict(zip(NAMES, ["youtube", f"a{number}", "2026-01-05", followers, name], strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        yard.drop(PATH, ("\ufeff" if bom else "") + out.getvalue())
        yard.land()
        want = [(f"a{number}", followers, name or None) for number, (followers, name) in enumerate(rows)]
        # Landing trims blanks at the ends of a cell; Python trims a few more kinds of them.
        found = [(a, f, n.strip() if n else n) for a, f, n in yard.rows(PATH, "account_id, followers, display_name")]
        assert found == [(a, f, n) for a, f, n in want]


@settings(max_examples=100, deadline=None)
@given(
    head=st.sampled_from([b"platform,account_id,captured_at,followers\n", b""]),
    body=st.lists(
        st.sampled_from(
            [
                b"youtube,",
                b"a",
                b",",
                b'"',
                b"\n",
                b"\r\n",
                b"\0",
                b"\xff",
                b"2026-01-05",
                b"1",
                b"-1",
                b";",
                b"\xef\xbb\xbf",
            ]
        ),
        max_size=40,
    ),
)
def test_no_bytes_break_the_run_or_lose_a_row(head: bytes, body: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        yard.drop(PATH, head + b"".join(body))
        yard.land()  # the yard checks the equation of every batch
        assert len(yard.batches()) == 1


# --- any format, split at any row

FORMATS = ["csv", "csv.gz", "tsv", "jsonl", "jsonl.gz", "parquet", "xlsx"]
COLUMNS = ["order_id", "customer_id", "ordered_at", "gross_amount", "currency", "order_count", "city"]
# What a workbook cannot hold is left out: control characters, and texts that are formulas.
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), max_size=10).filter(
    lambda text: not text.startswith(("=", "_x")) and text == text.strip()
)
orders = st.lists(
    st.tuples(
        st.datetimes(datetime(2006, 1, 1), datetime(2025, 12, 31)).map(lambda moment: moment.replace(microsecond=0)),
        st.decimals(0, 10**9, places=2),
        st.sampled_from(["USD", "eur", "Gbp"]),
        st.none() | st.integers(0, 10**12),
        st.none() | names,
    ),
    min_size=1,
    max_size=7,
)


def record(number: int, order: tuple[Any, ...]) -> dict[str, Any]:
    moment, amount, currency, count, city = order
    values = [f"o{number}", f"c{number}", moment.isoformat(), f"{amount:.2f}", currency, count, city or None]
    return dict(zip(COLUMNS, values, strict=True))


def write(form: str, records: list[dict[str, Any]], order: list[str], quoting: int) -> bytes:
    """Records in a format, columns in an order."""
    if form.startswith("jsonl"):
        content = "".join(f"{json.dumps({name: r[name] for name in order})}\n" for r in records).encode()
    elif form == "parquet":
        content = parquet_of(records, order)
    elif form == "xlsx":
        content = xlsx(order, *([r[name] for name in order] for r in records))
    else:
        out = io.StringIO(newline="")
        writer = csv.DictWriter(
            out, order, quoting=quoting, lineterminator="\n", delimiter="\t" if form == "tsv" else ","
        )  # type: ignore[arg-type]
        writer.writeheader()
        writer.writerows(records)
        content = out.getvalue().encode()
    return gzip.compress(content) if form.endswith(".gz") else content


def parquet_of(records: list[dict[str, Any]], order: list[str]) -> bytes:
    kinds = {"ordered_at": "timestamp", "gross_amount": "decimal(18, 2)", "order_count": "bigint"}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        columns = ", ".join(f"{name} {kinds.get(name, 'varchar')}" for name in order)
        connection.execute(f"create table t ({columns})")
        marks = ", ".join("?" * len(order))
        connection.executemany(f"insert into t values ({marks})", [[r[name] for name in order] for r in records])
        connection.execute(f"copy t to '{folder}/t.parquet' (format parquet)")
        return (Path(folder) / "t.parquet").read_bytes()


TSV = grammar.Mapping.model_validate(
    {
        "mapping": "tabs", "pattern": "*.tsv", "delimiter": "\t", "feed": "orders",
        "columns": {name: {"from": name} for name in COLUMNS},
    }
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    orders=orders,
    forms=st.lists(st.sampled_from(FORMATS), min_size=1, max_size=3),
    order=st.permutations(COLUMNS),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    cut=st.integers(0, 7),
)
def test_rows_survive_any_format_and_split(
    orders: list[tuple[Any, ...]], forms: list[str], order: list[str], quoting: int, cut: int
) -> None:
    records = [record(number, made) for number, made in enumerate(orders)]
    pieces = [piece for piece in (records[:cut], records[cut:]) if piece]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "load_mappings", lambda *_: only(TSV))
        yard = fresh_yard(folder)
        for number, piece in enumerate(pieces):
            form = forms[number % len(forms)]
            yard.drop(f"orders/{number}.{form}", write(form, piece, list(order), quoting))
        landed = yard.land()
        assert (landed.rows_read, landed.rows_accepted) == (len(records), len(records)), yard.said
        found = sorted(
            (row for batch in yard.batches() for row in yard.rows(batch["file"], ", ".join(COLUMNS))),
            key=lambda r: int(r[0][1:]),
        )
        assert found == [
            (
                r["order_id"], r["customer_id"], datetime.fromisoformat(r["ordered_at"]), Decimal(r["gross_amount"]),
                r["currency"].upper(), r["order_count"], r["city"],
            )
            for r in records
        ]  # fmt: skip


# --- a changed cell

printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=14)
cells = st.one_of(
    printable, st.integers(-(10**14), 10**14).map(str), st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.datetimes().map(lambda moment: moment.isoformat()), st.sampled_from(["", " ", "hidden", "null", "1e3", "42.0", "0x1f", "１２"]),
)  # fmt: skip


def id_of(text: str) -> str:
    """An id without the quoting of an export, and without the decimals of a double."""
    text = text.strip(" \u00a0\u200b\u202f\ufeff")
    if quoted := re.fullmatch('="([^"]*)"', text):
        text = quoted[1]
    text = text.removeprefix("'").strip(" \u00a0\u200b\u202f\ufeff") if not quoted else text.strip()
    return re.sub(r"^([0-9]+)\.0+$", r"\1", text)


@settings(max_examples=60, deadline=None)
@given(column=st.sampled_from(COLUMNS), cell=cells, form=st.sampled_from(["csv", "jsonl"]))
def test_a_changed_cell_is_read_as_it_stands_or_named(column: str, cell: str, form: str) -> None:
    kept = record(0, (datetime(2026, 1, 5), Decimal(1), "USD", 1, "TW"))
    changed = {**record(1, (datetime(2026, 1, 5), Decimal(1), "USD", 1, "TW")), column: cell}
    with tempfile.TemporaryDirectory() as folder:
        yard = fresh_yard(folder)
        path = f"orders/x.{form}"
        yard.drop(path, write(form, [kept, changed], COLUMNS, csv.QUOTE_ALL))
        yard.land()
        batch = yard.batch(path)
        assert batch["rows_read"] == 2
        if batch["rows_quarantined"]:
            line, name, shown, reason, _ = yard.rejects(path)[-1]
            assert (line, name) == (3 if form == "csv" else 2, column)
            assert reason
            assert shown is None or shown == cell[:200]
            return
        value = yard.rows(path, column)[-1][0]
        text = cell.strip(" ")
        match column:
            case "gross_amount":
                # What is a float's way of writing six decimals is read as these.
                assert abs(value - Decimal(text)) <= abs(value) * Decimal("1e-9")
            case "order_count":
                assert (value is None) if not text else (value == Decimal(text))
            case "ordered_at":
                moment = datetime.fromisoformat(text)
                assert value == (moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment)
            case "currency":
                assert value == text.upper()
            case "order_id" | "customer_id":
                assert value == id_of(text)
            case _:
                assert value == (text or None)


# --- any locale, through the mapping that says so

ENCODINGS = ["utf-8", "utf-16", "latin-1", "cp1252", "cp1251", "shift_jis"]
GROUPED = {".": [",", " ", "'", "", "indian"], ",": [".", " ", "'", ""]}


@st.composite
def locales(draw: st.DrawFn) -> dict[str, Any]:
    mark = draw(st.sampled_from([".", ","]))
    return {
        "mark": mark,
        "group": draw(st.sampled_from(GROUPED[mark])),
        "order": draw(st.sampled_from(["dmy", "mdy", "ymd"])),
        "between": draw(st.sampled_from(["/", ".", "-"])),
        "encoding": draw(st.sampled_from(ENCODINGS)),
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "quoting": draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
        "parse": draw(st.booleans()),
    }


def number_in(locale: dict[str, Any], number: Decimal | int) -> str:
    """A number as a locale writes it."""
    whole, _, decimals = f"{number:f}".partition(".")
    if locale["group"] == "indian":
        head, tail = whole[:-3], whole[-3:]
        parts = [head[max(0, at - 2) : at] for at in range(len(head), 0, -2)][::-1]
        whole = ",".join([*parts, tail])
    elif locale["group"]:
        whole = f"{int(whole):,}".replace(",", locale["group"])
    return f"{whole}{locale['mark']}{decimals}" if decimals else whole


def moment_in(locale: dict[str, Any], moment: datetime) -> str:
    parts = {"d": f"{moment.day:02d}", "m": f"{moment.month:02d}", "y": str(moment.year)}
    return f"{locale['between'].join(parts[letter] for letter in locale['order'])} {moment:%H:%M:%S}"


@settings(max_examples=40, deadline=None)
@given(locale=locales(), data=st.data())
def test_rows_survive_any_locale(locale: dict[str, Any], data: st.DataObject) -> None:
    controls = ["Cs", "Cc", "Zs", "Zl", "Zp"]
    cities = st.text(st.characters(codec=locale["encoding"], exclude_categories=controls), max_size=8)  # type: ignore[arg-type]
    # What a codec does not bring back as it was is no text of that encoding.
    cities = cities.filter(lambda text: text.encode(locale["encoding"]).decode(locale["encoding"]) == text)
    made = data.draw(
        st.lists(
            st.tuples(
                st.datetimes(datetime(2006, 1, 1), datetime(2025, 12, 31)).map(lambda m: m.replace(microsecond=0)),
                st.integers(0, 6).flatmap(lambda places: st.decimals(0, 10**9, places=places)),
                st.integers(0, 10**12),
                st.none() | cities,
            ),
            min_size=1,
            max_size=6,
        )
    )
    parse = {"parse": "number"} if locale["parse"] else {}
    mapping = grammar.Mapping.model_validate(
        {
            "mapping": "locale", "pattern": "*.csv", "feed": "orders", "encoding": locale["encoding"],
            "delimiter": locale["delimiter"], "decimal_mark": locale["mark"], "date_order": locale["order"],
            "columns": {
                "order_id": {"from": "id"}, "customer_id": {"from": "id"}, "ordered_at": {"from": "when"},
                "gross_amount": {"from": "sum", **parse}, "order_count": {"from": "count", **parse},
                "city": {"from": "city"}, "currency": {"constant": "USD"},
            },
        }
    )  # fmt: skip
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=locale["delimiter"], quoting=locale["quoting"], lineterminator="\n")
    writer.writerow(["id", "when", "sum", "count", "city"])
    for number, (moment, amount, count, city) in enumerate(made):
        cells = [moment_in(locale, moment), number_in(locale, amount), number_in(locale, count), city or ""]
        writer.writerow([f"o{number}", *cells])
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing, "load_mappings", lambda *_: only(mapping))
        yard = fresh_yard(folder)
        yard.drop("orders/x.csv", out.getvalue().encode(locale["encoding"]))
        yard.land()
        assert yard.rows("orders/x.csv", "ordered_at, gross_amount, order_count, city") == [
            (moment, amount, count, city or None) for moment, amount, count, city in made
        ], (out.getvalue(), yard.said)
