"""A maker of hostile small files: valid ones of each format, cut, mutated, glued, re-encoded or made of tokens.

The same seed makes the same files. `python -m tests.unit.ingestion.hostile --files 20000` lands so many and says how it
went (1 where a file took too long); the test beside it lands fewer.
"""

import argparse
import gzip
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from textwrap import dedent

import duckdb

from ingestion import ledger, parse, raw
from ingestion.config import Settings
from ingestion.landing import Landed, land_files

from .bombs import BOMBS

HEADER = ["platform", "account_id", "captured_at", "followers", "display_name"]
TOKENS = [
    *(mark.encode() for mark in (",", '"', '""', "\n", "\r\n", "\r", "\0", ";", "\t", "{", "}", "[", "'", "\\", "--")),
    *(text.encode() for text in ("youtube,", "a", "2026-01-05", "1", "-1", "null", "1e999", "NaN", "=1+1", "#VALOR!")),
    *(b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1f", "é".encode("latin-1"), "日本".encode(), b"\0\1"),
    *(b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"9" * 20, b"x" * 300, b'{"platform":"x"}'),
    b"platform,account_id,captured_at,followers\n",
]

NAMES = {
    "csv": ["x.csv", "x[1].csv", "x.csv.gz", "ig_2022_00.csv", "twice.csv"],
    "jsonl": ["x.jsonl", "x.json", "x.ndjson.gz"],
    "parquet": ["x.parquet"],
    "xlsx": ["x.xlsx", "sheets.xlsx"],
    "wide": ["wide.csv", "wide.jsonl", "wide.csv.zst"],
    "nested": ["nested.json", "nested.jsonl"],
    "document": ["doc.json", "x.json"],
    "preamble": ["pre.csv", "pre.txt"],
    "zip": ["x.zip", "wide.zip"],
}
# A small file that takes longer hangs its reader.
SECONDS = 2
# What a bomb may take: seconds of CPU and memory, imports included.
BOMB_SECONDS, BOMB_KIB = 10, 1 << 20
ACCOUNT = "captured_at: {constant: 2026-01-05T00:00}, platform: {constant: youtube}"
# What a user's mappings ask of such files.
MAPPINGS = {
    "wide": """
        feed: account_snapshots
        pattern: "wide.[cj]*"
        unpivot: {name: day, values: {fans: '2026-.*', likes: '(2026-.*) likes'}}
        columns: {platform: {constant: youtube}, account_id: {from: account_id}, captured_at: {from: day},
          followers: {from: fans}}
        """,
    "nested": f"""
        pattern: "nested.*"
        feeds:
          - feed: account_snapshots
            columns: {{account_id: {{from: account_id}}, {ACCOUNT}}}
          - feed: post_snapshots
            explode: posts
            columns: {{account_id: {{from: account_id}}, post_id: {{from: posts.id}}, likes: {{from: posts.likes}}, {ACCOUNT}}}
        """,
    "document": f"""
        feed: account_snapshots
        pattern: "doc.*"
        rows_at: data
        skip_totals: true
        columns: {{account_id: {{from: account_id}}, followers: {{from: followers, optional: true}}, {ACCOUNT}}}
        """,
    "preamble": f"""
        feed: account_snapshots
        pattern: "pre.*"
        header: [account_id, followers]
        comment: "#"
        ends_at_blank_line: true
        columns: {{account_id: {{from: account_id}}, followers: {{from: followers}}, display_name: {{line_number: true}},
          {ACCOUNT}}}
        """,
    "twice": f"""
        pattern: "twice.*"
        feeds:
          - feed: account_snapshots
            columns: {{account_id: {{from: account_id}}, followers: {{from: followers}}, {ACCOUNT}}}
          - feed: account_snapshots
            columns: {{account_id: {{from: display_name}}, {ACCOUNT.replace("youtube", "tiktok")}}}
        """,
    "sheets": f"""
        feed: account_snapshots
        pattern: "sheets.xlsx"
        sheet: "*"
        columns: {{account_id: {{from: account_id}}, {ACCOUNT}}}
        """,
}


def _rows(dice: random.Random) -> list[list[object]]:
    names = ["Ann", 'say "hi"', "a,b", "line\nbreak", "日本", "", " blank ", "=cmd", "x" * 400]
    return [
        ["youtube", f"id{dice.randrange(6)}", f"2026-01-0{dice.randrange(1, 9)}T03:00:00Z", dice.randrange(10**6),
         dice.choice(names)]
        for _ in range(dice.randrange(0, 7))
    ]  # fmt: skip


def _csv(dice: random.Random, rows: list[list[object]]) -> bytes:
    import csv

    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=dice.choice(",,,;\t"), quoting=dice.choice([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
        lineterminator=dice.choice(["\n", "\n", "\r\n"]),
    )  # fmt: skip
    writer.writerow(HEADER)
    writer.writerows(rows)
    if dice.random() < 0.1:
        writer.writerow(HEADER)
        writer.writerow(["Total", "", "", len(rows), ""])
    return out.getvalue().encode(
        dice.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]), "replace"
    )


def _jsonl(dice: random.Random, rows: list[list[object]]) -> bytes:
    lines = []
    for row in rows:
        record: dict[str, object] = dict(zip(HEADER, row, strict=True))
        if dice.random() < 0.2:
            record[dice.choice(HEADER)] = dice.choice([{"a": 1}, [1, [2]], None, True, 1e300, ["x", "y"]])
        lines.append(json.dumps(record, ensure_ascii=dice.random() < 0.5))
    text = "\n".join(lines)
    return (f"[{','.join(lines)}]" if dice.random() < 0.1 else text + dice.choice(["\n", ""])).encode()


def _parquet(dice: random.Random, rows: list[list[object]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        kinds = [
            dice.choice(["varchar", "varchar", kind])
            for kind in ("varchar", "varchar", "timestamp", "bigint", "varchar")
        ]
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(HEADER, kinds, strict=True))
        connection.execute(f"create table t ({columns})")
        if rows:
            connection.executemany("insert into t values (?, ?, ?, ?, ?)", rows)
        target = Path(folder) / "t.parquet"
        compression = dice.choice(["uncompressed", "snappy", "zstd"])
        connection.execute(f"copy t to '{target}' (format parquet, compression {compression})")
        return target.read_bytes()


def _xlsx(dice: random.Random, rows: list[list[object]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    for row in rows:
        cells = [None if cell == "" else cell for cell in row]
        cells[2] = dice.choice([cells[2], datetime(2026, 1, 5, 3), 46027.125, "#N/A"])
        sheet.append(cells)
    if dice.random() < 0.2:
        sheet.merge_cells("A1:B1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _wide(dice: random.Random, rows: list[list[object]]) -> bytes:
    days = [f"2026-01-0{day}{dice.choice(['', ' likes'])}" for day in range(1, dice.randrange(2, 7))]
    cells = [[row[1], *(dice.choice([row[3], "", "x"]) for _ in days)] for row in rows]
    if dice.random() < 0.4:
        records = [json.dumps(dict(zip(["account_id", *days], row, strict=True))) for row in cells]
        return "".join(f"{record}\n" for record in records).encode()
    lines = [["account_id", *days], *cells]
    return "".join(f"{','.join(map(str, line))}\n" for line in lines).encode()


def _records(dice: random.Random, rows: list[list[object]]) -> list[dict[str, object]]:
    records = []
    for row in rows:
        posts: object = [{"id": f"p{n}", "likes": dice.choice([1, None, "x"])} for n in range(dice.randrange(4))]
        odd = [posts, posts, posts, None, "none", {}, [1, None, [2]]]
        records.append({**dict(zip(HEADER, row, strict=True)), "posts": dice.choice(odd)})
    return records


def _nested(dice: random.Random, rows: list[list[object]]) -> bytes:
    records = _records(dice, rows)
    if dice.random() < 0.5:
        return json.dumps(records, indent=dice.choice([None, 2])).encode()
    return "".join(f"{json.dumps(record)}\n" for record in records).encode()


def _document(dice: random.Random, rows: list[list[object]]) -> bytes:
    document = dice.choice([{"data": _records(dice, rows)}, {"data": {}}, _records(dice, rows), {"x": {"data": []}}])
    return json.dumps(document, indent=dice.choice([None, None, 1])).encode()


def _preamble(dice: random.Random, rows: list[list[object]]) -> bytes:
    end = dice.choice(["\n", "\r\n"])
    lines = ["# made by us", "Report, of", "", 'a "title"'][: dice.randrange(5)]
    lines += ["account_id,followers", *(f"{row[1]},{row[3]}" for row in rows)]
    lines.insert(dice.randrange(len(lines) + 1), dice.choice(["# note", "", "Total,9"]))
    lines += ["", "day,views", "2026-01-01,5"][: dice.randrange(4)]
    return "".join(f"{line}{end if dice.random() < 0.95 else chr(10)}" for line in lines).encode()


def _zip(dice: random.Random, rows: list[list[object]]) -> bytes:
    names = ["a.csv", "wide.csv", "nested.json", "deep/b.jsonl", "../evil.csv", "in.zip", "__MACOSX/a.csv", "c.csv.gz"]
    makers = {".csv": _csv, ".json": _nested, ".jsonl": _jsonl}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", dice.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name in dice.sample(names[: dice.choice([4, 4, 4, 8])], dice.randrange(4)):
            content = makers.get(Path(name).suffix, _csv)(dice, rows)
            archive.writestr(name, _mutate(dice, content) if dice.random() < 0.3 else content)
    return out.getvalue()


MADE = {
    "csv": _csv, "jsonl": _jsonl, "wide": _wide, "nested": _nested, "document": _document, "preamble": _preamble,
    "zip": _zip,
}  # fmt: skip
MADE_ONCE = {"parquet": _parquet, "xlsx": _xlsx}


def _mutate(dice: random.Random, content: bytes) -> bytes:
    """Cut, flip, repeat, insert or drop bytes somewhere."""
    body = bytearray(content)
    for _ in range(dice.randrange(0, 4)):
        place = dice.randrange(len(body) + 1)
        match dice.randrange(5):
            case 0:
                del body[place:]
            case 1 if body:
                body[place % len(body)] = dice.randrange(256)
            case 2:
                body[place:place] = dice.choice(TOKENS)
            case 3:
                del body[place : place + dice.randrange(1, 20)]
            case _:
                body += body[place : place + 60]
    return bytes(body)


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _zstd(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


def with_mappings(settings: Settings) -> Settings:
    """The settings of a user who has mappings of such files."""
    folder = settings.data.parent / "hostile-config"
    (folder / "mappings").mkdir(parents=True, exist_ok=True)
    for name, text in MAPPINGS.items():
        content = f"mapping: {name}\n{dedent(text)}"
        (folder / "mappings" / f"{name}.yml").write_text(content, encoding="utf-8")
    return settings.model_copy(update={"config": folder})


def files(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """So many hostile files, as path in landing and content."""
    dice = random.Random(seed)
    # Workbooks and Parquet files take long to make: a few of each are mutated again and again.
    made = {kind: [maker(dice, _rows(dice)) for _ in range(12)] for kind, maker in MADE_ONCE.items()}
    for number in range(count):
        kind = dice.choice([*NAMES, "csv", "jsonl"])
        if dice.random() < 0.15:
            content = b"".join(dice.choice(TOKENS) for _ in range(dice.randrange(40)))
        elif kind in made:
            content = dice.choice(made[kind])
        else:
            content = MADE[kind](dice, _rows(dice))
        content = _mutate(dice, content)
        if dice.random() < 0.1:
            content = _mutate(dice, dice.choice([_gzip, _zstd])(content))
        name = dice.choice(NAMES[kind] if dice.random() < 0.9 else [name for names in NAMES.values() for name in names])
        yield f"account_snapshots/{number}/{name}", content


def land(settings: Settings, seed: int, count: int) -> tuple[Landed, float, str]:
    """Land so many hostile files. Returns what was done, the CPU seconds of the slowest file, and what was said of it.

    CPU, not wall: a busy machine makes every file slow, and a file that hangs a parser burns CPU. An empty file comes
    first: its time holds the look at all of landing, and is left out.
    """
    settings = with_mappings(settings)
    for path, content in [("account_snapshots/!first.csv", b""), *files(seed, count)]:
        target = settings.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    slowest: list[tuple[float, str]] = []
    last = time.process_time()

    def watch(said: str) -> None:
        nonlocal last
        now = time.process_time()
        slowest.append((now - last, said))
        last = now

    landed = land_files(settings, "hostile", watch)
    return landed, *max(slowest[1:])


def account(settings: Settings) -> Counter[str]:
    """Batches by state. Raises AssertionError where a row is not accounted for."""
    states: Counter[str] = Counter()
    with ledger.read(settings) as connection, parse.connect(settings) as reader:
        for batch in connection.execute("select * from batches").fetchall():
            states[batch["state"]] += 1
            parts = batch["rows_accepted"] + batch["rows_quarantined"] + batch["rows_duplicate"]
            assert batch["rows_read"] == parts, dict(batch)
            paths = [
                str(settings.raw / row["path"])
                for row in connection.execute("select path from raw_files where batch_id = ?", (batch["batch_id"],))
            ]
            in_raw = reader.execute("select count(*) from read_parquet(?)", [paths]).fetchone() if paths else (0,)
            assert in_raw == (batch["rows_accepted"],), dict(batch)
            rejects = settings.quarantine / batch["feed"] / f"{batch['batch_id']}.parquet"
            whole = settings.quarantine / batch["feed"] / "files" / batch["sha256"]
            set_aside = reader.execute(f"select count(*) from '{rejects}'").fetchone() if rejects.exists() else None
            assert (
                set_aside == (batch["rows_quarantined"],)
                if set_aside
                else (whole.exists() or batch["rows_quarantined"] == 0)
            ), dict(batch)
    return states


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(_env_file=None, data=Path(folder) / "data", settle_seconds=0.0)  # type: ignore[call-arg]
        raw.write_empty_schemas(settings)
        started = time.monotonic()
        landed, slowest, said = land(settings, asked.seed, asked.files)
        states = account(settings)
        print(
            f"{landed.files_seen:,} files in {time.monotonic() - started:.0f} s; the slowest took {slowest:.2f} s of CPU"
        )
        print(f"slowest    {said[:300]}")
        print(f"files      {', '.join(f'{count:,} {state}' for state, count in sorted(states.items()))}")
        print(
            f"rows       {landed.rows_read:,} read = {landed.rows_accepted:,} accepted"
            f" + {landed.rows_quarantined:,} quarantined + {landed.rows_duplicate:,} duplicate"
        )
    bombs = [alone(name) for name in BOMBS]
    return int(slowest > SECONDS or not all(bombs))


def alone(name: str) -> bool:
    """Land a bomb in a process of its own, under limits. Returns whether it became what it should within them."""
    command = [sys.executable, "-m", "tests.unit.ingestion.bombs", name]
    child = subprocess.Popen(command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (60, 60)))
    _, status, used = os.wait4(child.pid, 0)
    # Memory of a run that reads nothing large, and time with the imports.
    within = status == 0 and used.ru_maxrss < BOMB_KIB and used.ru_utime + used.ru_stime < BOMB_SECONDS
    verdict = "quarantined" if within else f"status {status}, OUT OF ITS LIMITS"
    print(f"bomb       {name}: {verdict} ({used.ru_utime + used.ru_stime:.1f} s, {used.ru_maxrss / 1024:.0f} MiB)")
    return within


if __name__ == "__main__":
    sys.exit(main())
