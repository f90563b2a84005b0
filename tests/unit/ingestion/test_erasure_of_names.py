"""An erasure leaves no byte of an account: id, handle and shown name, wherever texts and files can hold them."""

import gzip
import html
import io
import json
import re
import sqlite3
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import pytest
import zstandard

from ingestion import erasure, ledger
from tests.unit.conftest import HEADER, Yard

GONE, HANDLE, SHOWN = "UCgone-of_all", "göne.too", 'Göne "Too" & Söhne'
# The nearest names of others.
NEAR = (f"{GONE}2", f"a{HANDLE}", f"{HANDLE}er")
DAY = "2026-01-02"
AT = f"{DAY}T03:00:00Z"


def plant_rows(yard: Yard) -> None:
    """Rows of the account, and rows of others that name it."""
    doubled = SHOWN.replace('"', '""')
    yard.drop_rows(
        f"accounts/told_{DAY}.csv",
        f'youtube,{GONE},@{HANDLE},"{doubled}",{AT},',
        f"youtube,stays,@stays,Stays,{AT},nothing",
        f'youtube,other,@{HANDLE}er,Göne,{AT},"by @{HANDLE.upper()}"',
        header="platform,account_id,handle,display_name,updated_at,note",
    )
    yard.drop_rows(
        f"post_snapshots/posts_{DAY}.csv",
        f'youtube,p1,stays,{AT},5,@a|@{HANDLE.title()}|@{HANDLE}er,"{doubled}"',
        f"youtube,p2,stays,{AT},6,@{HANDLE},see {GONE}",
        f"tiktok,p3,stays,{AT},7,@a|@{HANDLE},{GONE}2",
        f"youtube,p4,{GONE},{AT},8,@a,",
        f"youtube,p5,stays,{AT},many of {GONE},@a,",
        header="platform,post_id,account_id,captured_at,likes,mentions,partner",
    )
    # Rows that are quarantined and name it by its handle alone, or somebody alike.
    yard.drop_rows(
        f"account_snapshots/rows_{DAY}.csv",
        f"youtube,stays,never,1,@{HANDLE}",
        f"youtube,stays,never,2,@{HANDLE}er",
        f"youtube,stays,{AT},3,@stays",
        header=f"{HEADER},handle",
    )


def plant_files(yard: Yard) -> None:
    """Files that are quarantined whole: none ends its last line, or is what its name says."""
    folder = "account_snapshots"
    yard.drop(f"{folder}/a.csv", f"platform,account_id\nyoutube,{GONE}".encode("utf-16"))
    yard.drop(f"{folder}/b.csv", f"platform;x\nyoutube;{HANDLE}".encode("latin-1"))
    yard.drop(f"{folder}/c.jsonl", json.dumps({"of": SHOWN}))
    yard.drop(f"{folder}/d.csv.gz", gzip.compress(gzip.compress(f"x\n{GONE}\n".encode())))
    yard.drop(f"{folder}/e.csv.zst", zstandard.compress(f"x\n{HANDLE.upper()}\n".encode()))
    yard.drop(f"{folder}/f.csv", 'x\n"' + SHOWN.replace('"', '""') + '"')
    yard.drop(f"{folder}/wide.csv", f"platform,date,{GONE},stays\nyoutube,{DAY},1,2")
    yard.drop(f"{folder}/near.csv", f"x\n{GONE}2 {HANDLE}er a{HANDLE}")
    yard.drop("nobody/g.bin", gzip.compress(b"x" * 5000)[:-3])
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as parts:
        runs = "".join(f"<r><t>{html.escape(sign, quote=False)}</t></r>" for sign in SHOWN)
        parts.writestr("xl/sharedStrings.xml", f"<sst><si>{runs}</si></sst>")
    yard.drop(f"{folder}/h.xlsx", book.getvalue())


def plant_state(yard: Yard) -> None:
    """Texts of the ledger, of logs and of Airflow's database, and what only their free pages hold."""
    data = yard.settings.data
    with ledger.write(yard.settings) as connection:
        ids = [row[0] for row in connection.execute("select batch_id from batches where state = 'accepted' order by 1")]
        header = json.dumps(["platform", HANDLE, f"{HANDLE}er"])
        connection.execute("update batches set header = ?, reason = ? where batch_id = ?", (header, SHOWN, ids[0]))
        connection.execute("update arrivals set scope = ? where batch_id = ?", (json.dumps({"x": GONE}), ids[0]))
        connection.execute("insert into releases values ('r1', 'n', ?, null, null, ?, 'c')", (DAY, AT))
        why = ("r1", "r1", AT, f"wrong about {GONE}")
        connection.execute(
            "insert into rollbacks (from_release, to_release, rolled_back_at, why) values (?, ?, ?, ?)", why
        )
        seen = (f"'{HANDLE}' has 9", f"at most 8 for {GONE}", f"seen: @{HANDLE}", AT, json.dumps([{"of": SHOWN}]))
        connection.execute(
            "insert into check_results (run_id, suite, expectation, severity, observed, threshold, passed, detail,"
            " checked_at, failures) values ('n', 's', 'e', 'warning', ?, ?, 0, ?, ?, ?)",
            seen,
        )
    for text in (f"{GONE} " * 4000, "short"):
        with ledger.write(yard.settings) as connection:
            ledger.record_notice(connection, "x", text)
    for path, text in {
        "state/logs/night.log": f"about {json.dumps(HANDLE)}\n",
        "airflow/logs/dag/task.log": f"about {GONE}\n",
        "airflow/logs/near.log": f"about {HANDLE}er\n",
    }.items():
        (data / path).parent.mkdir(parents=True, exist_ok=True)
        (data / path).write_text(text)
    with closing(sqlite3.connect(data / "airflow" / "airflow.db")) as airflow:
        airflow.execute("create table dag_run (dag_id text, conf text)")
        airflow.execute("create table log (extra text, event text)")
        airflow.execute("insert into dag_run values ('nightly', ?)", (json.dumps({"why": SHOWN, "day": "x"}),))
        airflow.execute("insert into log values (?, 'gone')", (f"{GONE} " * 4000,))
        airflow.execute("delete from log")
        airflow.execute("insert into log values (?, 'trigger')", (f"by {HANDLE}",))
        airflow.commit()


def spellings(text: str) -> set[bytes]:
    """The bytes by which a text can be written."""
    escapes = {text, json.dumps(text)[1:-1], text.replace('"', '""'), html.escape(text, quote=False)}
    ways = {way for each in escapes for way in (each, each.lower(), each.upper(), each.title())}
    encoded = {way.encode(code, "ignore") for way in ways for code in ("utf-8", "utf-16-le", "utf-16-be", "latin-1")}
    return {each for each in encoded if len(each) > 4}


def opened(content: bytes, folder: Path) -> bytes:
    """What a file holds, and what is packed in it as often as it is: gzip, Zstandard, zip, cells of Parquet."""
    found = content
    if content[:2] == b"\x1f\x8b":
        with suppress(EOFError):
            found += opened(gzip.decompress(content), folder)
    elif content[:4] == b"\x28\xb5\x2f\xfd":
        found += opened(zstandard.ZstdDecompressor().decompressobj().decompress(content), folder)
    elif content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            members = b"".join(opened(parts.read(name), folder) for name in parts.namelist())
        found += members + re.sub(rb"<[^>]*>", b"", members)
    elif content[:4] == b"PAR1":
        file = folder / "opened.parquet"
        file.write_bytes(content)
        cells = duckdb.execute(
            "select cast(t as varchar) from read_parquet($1, hive_partitioning = false) t", [str(file)]
        )
        found += "\n".join(row[0] for row in cells.fetchall()).encode()
    return found


def holders_of(folder: Path, scratch: Path) -> dict[str, set[str]]:
    """By name of the account the files below a folder that hold it in some bytes, those of names near it left out."""
    near = {spelled for name in NEAR for spelled in spellings(name)}
    found: dict[str, set[str]] = {GONE: set(), HANDLE: set(), SHOWN: set()}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = opened(path.read_bytes(), scratch)
            for spelled in sorted(near, key=len, reverse=True):
                content = content.replace(spelled, b"")
            for name, files in found.items():
                if any(spelled in content for spelled in spellings(name)):
                    files.add(path.relative_to(folder).as_posix())
    return found


@pytest.fixture
def planted(yard: Yard) -> Yard:
    plant_rows(yard)
    plant_files(yard)
    yard.land()
    plant_state(yard)
    return yard


def erase(yard: Yard) -> erasure.Erased:
    """The steps of an erasure before the marts are built anew (`warehouse.pipeline.erase`)."""
    number = erasure.begin(yard.settings, "youtube", GONE)
    found = erasure.remove(yard.settings, number, "youtube", GONE)
    erasure.finish(yard.settings, number, found, 0)
    return found


def test_no_byte_is_left_of_it(planted: Yard, tmp_path: Path) -> None:
    data = planted.settings.data
    before = holders_of(data, tmp_path)
    places = {"/".join(path.split("/")[:2]) for files in before.values() for path in files}
    assert places >= {
        "landing/accounts", "landing/account_snapshots", "raw/accounts", "raw/post_snapshots", "state/ledger.sqlite",
        "quarantine/account_snapshots", "airflow/airflow.db", "airflow/logs", "state/logs",
    }  # fmt: skip
    # Of nine files that are quarantined whole and name it, the test itself sees each.
    named = {
        path for files in before.values() for path in files if path.startswith("quarantine/") and "/files/" in path
    }
    assert len(named) == 8
    found = erase(planted)
    # The handle on another platform is another's.
    left = holders_of(data, tmp_path)
    tiktok = {path for path in left[HANDLE] if path.startswith("raw/post_snapshots")}
    assert len(tiktok) == 1
    left[HANDLE] -= tiktok
    assert left == {GONE: set(), HANDLE: set(), SHOWN: set()}
    assert (found.raw_rows, found.quarantined_rows, found.left) == (2, 1, [])


def test_rows_of_others_stay_without_it(planted: Yard) -> None:
    erase(planted)
    assert planted.rows(f"post_snapshots/posts_{DAY}.csv", "post_id, likes, mentions, extra, invalid_cells") == [
        ("p1", 5, f"@a|@{HANDLE}er", '{"partner":null}', None),
        ("p2", 6, None, '{"partner":null}', None),
        ("p3", 7, f"@a|@{HANDLE}", f'{{"partner":"{GONE}2"}}', None),
        ("p5", None, "@a", '{"partner":null}', '{"likes":null}'),
    ]
    assert planted.rows(f"accounts/told_{DAY}.csv", "account_id, handle, extra") == [
        ("stays", "@stays", '{"note":"nothing"}'),
        ("other", f"@{HANDLE}er", '{"note":null}'),
    ]
    [kept] = planted.settings.quarantine.glob("account_snapshots/*.parquet")
    assert duckdb.execute("select source_line from read_parquet($1)", [str(kept)]).fetchall() == [(3,)]
    assert planted.batch(f"account_snapshots/rows_{DAY}.csv")["rows_quarantined"] == 1
    assert (planted.settings.landing / "account_snapshots" / "near.csv").exists()
    assert planted.kept_bytes("account_snapshots/near.csv")
    assert (planted.settings.data / "airflow" / "logs" / "near.log").exists()


def test_texts_of_state_stay_without_it(planted: Yard) -> None:
    erase(planted)
    [batch] = planted.query("select header, reason from batches where reason = '(erased)'")
    assert json.loads(batch["header"]) == ["platform", "(erased)", f"{HANDLE}er"]
    assert [row["scope"] for row in planted.query("select scope from arrivals where scope like '%erased%'")] == [
        '{"x": "(erased)"}'
    ]
    assert planted.query("select why from rollbacks") == [{"why": "(erased)"}]
    assert planted.query("select observed, threshold, detail, failures from check_results") == [
        {"observed": "(erased)", "threshold": "(erased)", "detail": "(erased)", "failures": '[{"of": "(erased)"}]'}
    ]
    with closing(sqlite3.connect(planted.settings.data / "airflow" / "airflow.db")) as airflow:
        conf = json.dumps({"why": "(erased)", "day": "x"})
        assert airflow.execute("select * from dag_run").fetchall() == [("nightly", conf)]
        assert airflow.execute("select * from log").fetchall() == [("(erased)", "trigger")]


def test_what_cannot_be_read_is_passed_and_named(planted: Yard) -> None:
    """A file cut in quarantine and in landing, rows in quarantine, Airflow's database: each is removed and named."""
    rows = planted.settings.quarantine / "account_snapshots" / "cut.parquet"
    rows.write_bytes(b"PAR1 and no more")
    airflow = planted.settings.data / "airflow" / "airflow.db"
    airflow.write_bytes(b"SQLite format 3\0 and no more" * 200)
    found = erase(planted)
    sha256 = planted.batch("nobody/g.bin")["sha256"]
    assert found.unread == [
        "quarantine/account_snapshots/cut.parquet",
        f"nobody/g.bin in quarantine/unknown/files/{sha256}",
        "landing/nobody/g.bin",
        "airflow/airflow.db",
    ]
    assert not rows.exists()
    assert not airflow.exists()
    assert not (planted.settings.landing / "nobody" / "g.bin").exists()


def test_airflow_at_work_is_named_and_left(planted: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger.erasures, "WAIT_SECONDS", 0.1)
    with closing(sqlite3.connect(planted.settings.data / "airflow" / "airflow.db")) as airflow:
        airflow.execute("begin immediate")
        assert erase(planted).left == ["airflow/airflow.db (in use: stop Airflow, and erase again)"]
    assert erase(planted).left == []


def test_what_is_killed_before_the_end_begins_again_with_all_names(
    planted: Yard, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed at each raw file that is written anew: what comes before it knows the names, and is done."""
    rewrite, done = erasure._rewrite, 0

    def killed(*arguments: object) -> None:
        nonlocal done
        if done:
            raise KeyboardInterrupt
        done += 1
        rewrite(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_rewrite", killed)
        for _ in range(5):
            done = 0
            try:
                erase(planted)
            except KeyboardInterrupt:
                continue
            break
    erase(planted)
    left = holders_of(planted.settings.data, tmp_path)
    left[HANDLE] -= {path for path in left[HANDLE] if path.startswith("raw/post_snapshots")}
    assert left == {GONE: set(), HANDLE: set(), SHOWN: set()}
