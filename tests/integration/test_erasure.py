"""An account is forgotten: nothing kept holds its id, nothing brings it back, the rest is as if it never was."""

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingestion import erasure, landing, ledger
from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, UsageError
from serving import postgres as postgres_target
from tests import postgres as postgres_of_tests
from warehouse import pipeline
from warehouse.doctor.landing import Context, check_erasures
from warehouse.release import diff, releases

from . import night, small
from .conftest import content, reading
from .small import Capture, day, deliver

GONE = "UCgone-of_all"
# Delivery and line differ where a shared file holds fewer lines; every value is the same.
LINEAGE = set(diff.LINEAGE)


pytestmark = pytest.mark.usefixtures("one_parse")


def fill(settings: Settings, with_it: bool) -> None:
    """Three days of two accounts; the one that goes has shared files, a file of its own and a bad row."""
    for number in (1, 2, 3):
        rows = [
            Capture("stays", number, followers=1000 * number, handle="@stays"),
            Capture("other", number, followers=50),
        ]
        if with_it:
            rows.insert(1, Capture(GONE, number, followers=7_000_000 + number, handle="@gone"))
        deliver(settings, f"day{number}", rows)
    if with_it:
        deliver(settings, "own", [Capture(GONE, 2, hour=9, followers=7_500_000)])
        bad = deliver(settings, "bad", [Capture("stays", 1, hour=1, followers=999)])
        bad.write_text(bad.read_text() + f"youtube,{GONE},never,1,,,,\n", encoding="utf-8")
        aside = settings.landing / "account_snapshots" / "cut.csv.gz"
        aside.write_bytes(gzip.compress(f"platform,account_id,captured_at\nyoutube,{GONE},2026-01-01".encode()))
    else:
        deliver(settings, "bad", [Capture("stays", 1, hour=1, followers=999)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, one_parse: None) -> tuple[Settings, Settings]:
    """A world with the account, published twice, and one in which it never was."""
    folder = tmp_path_factory.mktemp("made")
    with_it, without = small.world(folder, "with"), small.world(folder, "without")
    fill(with_it, with_it=True)
    fill(without, with_it=False)
    night.run(with_it, "first", day(2))
    night.run_whole(with_it, "second", day(3))
    night.run(without, "only", day(3))
    return with_it, without


@pytest.fixture
def world(made: tuple[Settings, Settings], tmp_path: Path) -> Settings:
    return small.copy_of(made[0], tmp_path)


@pytest.fixture(scope="module")
def erased(
    made: tuple[Settings, Settings], tmp_path_factory: pytest.TempPathFactory, postgres_socket: Path
) -> Iterator[tuple[Settings, erasure.Erased]]:
    """The world after the account is erased, and what was found of it. Copy it before a change.

    Its releases are in PostgreSQL too, where the account is in two schemas before.
    """
    with postgres_of_tests.database(postgres_socket) as database:
        settings = small.copy_of(made[0], tmp_path_factory.mktemp("erased"))
        settings = postgres_of_tests.settings_for(settings, database.url())
        for release in releases.whole(settings):
            postgres_of_tests.show_release(settings, release.name)
            pipeline.load_postgres(settings, night.quiet)
        assert len(database.schemas()) == 2
        assert GONE in dump_of(settings)
        yield settings, pipeline.erase(settings, "youtube", GONE, night.quiet)


def dump_of(settings: Settings) -> str:
    """All that the database of PostgreSQL holds, as text."""
    assert settings.postgres_url is not None
    url = settings.postgres_url.get_secret_value()
    return subprocess.run([postgres_of_tests.tool("pg_dump"), url], capture_output=True, text=True, check=True).stdout


def test_no_schema_of_postgresql_holds_it(erased: tuple[Settings, erasure.Erased]) -> None:
    dumped = dump_of(erased[0])
    seen = releases.latest(erased[0])
    assert seen is not None
    assert set(re.findall(r"CREATE SCHEMA (release_\w+)", dumped)) == {postgres_target.schema_of(seen.name)}
    assert "stays" in dumped
    assert GONE not in dumped


def values(settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every mart but the operational ones, without where it came from."""
    with reading(settings) as marts:
        return {
            mart: sorted(
                (
                    row
                    for row in marts.execute(
                        f"select {', '.join(name for name in columns if name not in LINEAGE)} from marts.{mart}"
                    ).fetchall()
                ),
                key=repr,
            )
            for mart in content(settings)
            if (columns := [row[0] for row in marts.execute(f"describe marts.{mart}").fetchall()])
        }


def holders_of(settings: Settings, needle: str) -> list[str]:
    """Files below the data folder whose bytes hold a text, gzip unpacked; Parquet by its cells."""
    found = []
    for path in settings.data.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        bytes_ = path.read_bytes()
        if path.suffix == ".parquet":
            cells = duckdb.sql(f"select cast(t as varchar) from read_parquet('{path}', hive_partitioning = false) t")
            bytes_ = "\n".join(row[0] for row in cells.fetchall()).encode()
        elif bytes_[:2] == b"\x1f\x8b":
            bytes_ = gzip.decompress(bytes_)
        if needle.encode() in bytes_:
            found.append(path.relative_to(settings.data).as_posix())
    return sorted(found)


def test_the_account_is_in_everything_before(world: Settings) -> None:
    packages = {path.partition("/")[0] for path in holders_of(world, GONE)}
    assert packages >= {"landing", "raw", "quarantine", "build", "published"}


def test_nothing_holds_it_and_the_rest_is_as_if_it_never_was(
    erased: tuple[Settings, erasure.Erased], made: tuple[Settings, Settings]
) -> None:
    world, found = erased
    assert (found.raw_rows, found.quarantined_rows) == (4, 1)
    assert holders_of(world, GONE) == []
    assert values(world) == values(made[1])
    assert len(list(releases.folder_of(world).iterdir())) == 1
    with ledger.read(world) as connection:
        act = dict(connection.execute("select * from erasures").fetchone())
        assert act["ended_at"]
        assert (act["raw_rows"], act["quarantined_rows"]) == (4, 1)
        # Three shared files, the one of its own, the one with the bad row, and the one cut short, twice: it lay in
        # quarantine as well.
        assert act["files"] == 7
        assert connection.execute("select count(*) from suppressed").fetchone()[0] == 1
    assert (world.ledger.parent / "suppression.key").stat().st_mode & 0o077 == 0


def test_the_marts_go_on_from_there(
    erased: tuple[Settings, erasure.Erased], made: tuple[Settings, Settings], tmp_path: Path
) -> None:
    world = small.copy_of(erased[0], tmp_path)
    without = small.copy_of(made[1], tmp_path)
    for settings in (world, without):
        deliver(settings, "day4", [Capture("stays", 4, followers=4100)])
        night.run(settings, "next", day(4))
    assert values(world) == values(without)


def test_a_redelivery_cannot_bring_it_back(erased: tuple[Settings, erasure.Erased], tmp_path: Path) -> None:
    world = small.copy_of(erased[0], tmp_path)
    before = values(world)
    # The same bytes again, and other bytes with the account in them.
    fill(world, with_it=True)
    deliver(world, "day5", [Capture(GONE, 5, followers=9), Capture("stays", 5, followers=5000)])
    night.run(world, "again", day(5))
    after = values(world)
    assert [row for row in after["fct_account_daily"] if str(row[2]) != "2026-01-05"] == before["fct_account_daily"]
    assert {row[1] for row in after["dim_account"]} == {"stays", "other"}
    assert [path for path in holders_of(world, GONE) if path.startswith(("raw/", "build/", "published/"))] == []


def test_only_this_platform_and_only_the_whole_id(world: Settings) -> None:
    deliver(world, "near", [Capture(GONE, 3, platform="tiktok", followers=1), Capture(f"{GONE}2", 3, followers=2)])
    pipeline.erase(world, "youtube", GONE, night.quiet)
    with reading(world) as marts:
        kept = marts.execute(
            f"select platform, account_id from marts.dim_account where account_id like '{GONE}%'"
        ).fetchall()
    assert sorted(kept) == [("tiktok", GONE), ("youtube", f"{GONE}2")]


def test_a_closed_gate_leaves_it_unfinished_and_again_finishes_it(
    world: Settings, monkeypatch: pytest.MonkeyPatch, made: tuple[Settings, Settings]
) -> None:
    def closed(*_: object) -> None:
        raise ContractError("a gate is closed")

    with monkeypatch.context() as patched:
        patched.setattr("warehouse.pipeline.check_landing", closed)
        with pytest.raises(ContractError, match="a gate is closed"):
            pipeline.erase(world, "youtube", GONE, night.quiet)
    with ledger.read(world) as connection:
        assert connection.execute("select ended_at from erasures").fetchall()[0]["ended_at"] is None
    pipeline.erase(world, "youtube", GONE, night.quiet)
    assert holders_of(world, GONE) == []
    assert values(world) == values(made[1])


@pytest.mark.parametrize(
    ("platform", "account", "words"),
    [
        ("youtube", GONE.upper(), f"nothing is touched. Is it '{GONE}' on 'youtube'"),
        ("youtube", f" {GONE} ", f"Is it '{GONE}' on 'youtube'"),
        ("YouTube", GONE, f"Is it '{GONE}' on 'youtube'"),
        ("tiktok", GONE, f"Is it '{GONE}' on 'youtube'"),
        ("youtub", "nobody", "no platform is 'youtub'; did you mean 'youtube'?"),
        ("youtube", "nobody", "nothing holds 'nobody' on 'youtube'"),
    ],
)
def test_an_account_that_nothing_holds_is_asked_about(
    made: tuple[Settings, Settings], platform: str, account: str, words: str
) -> None:
    """A world that other tests copy: nothing of it may change."""
    before = sorted(path.as_posix() for path in made[0].data.rglob("*"))
    with pytest.raises(UsageError, match=re.escape(words)):
        pipeline.erase(made[0], platform, account, night.quiet)
    assert sorted(path.as_posix() for path in made[0].data.rglob("*")) == before
    with ledger.read(made[0]) as connection:
        assert connection.execute("select count(*) from suppressed").fetchone()[0] == 0
        assert connection.execute("select count(*) from erasures").fetchone()[0] == 0


def test_what_waits_in_landing_alone_may_be_erased(tmp_path: Path) -> None:
    settings = small.world(tmp_path, "empty")
    aside = settings.landing / "account_snapshots" / "cut.csv.gz"
    aside.parent.mkdir(parents=True)
    aside.write_bytes(gzip.compress(f"platform,account_id,captured_at\nyoutube,{GONE},2026-01-01".encode()))
    assert pipeline.erase(settings, "youtube", GONE, night.quiet).files == 2
    assert holders_of(settings, GONE) == []


@pytest.mark.parametrize("left", [None, b"", b"short"], ids=["gone", "empty", "cut"])
def test_without_its_key_the_list_stops_landing_and_doctor_says_why(settings: Settings, left: bytes | None) -> None:
    erasure.begin(settings, "youtube", GONE)
    key = settings.ledger.with_name("suppression.key")
    whole = key.read_bytes()
    if left is None:
        key.unlink()
    else:
        key.write_bytes(left)
    deliver(settings, "again", [Capture(GONE, 1, followers=9)])
    with pytest.raises(ContractError, match=r"suppression\.key is (gone|cut).*Restore it from a backup"):
        landing.land_files(settings, "night", night.quiet)
    assert not list(settings.raw.rglob("snapshot_date=*/*.parquet"))
    with ledger.read(settings) as connection:
        (found,) = check_erasures(Context(settings, connection))
    assert found.level == "WRONG"
    assert "Restore it from a backup" in found.remedy
    key.write_bytes(whole)
    landing.land_files(settings, "next", night.quiet)
    assert not list(settings.raw.rglob("snapshot_date=*/*.parquet"))
    with ledger.read(settings) as connection:
        assert [found.level for found in check_erasures(Context(settings, connection))] == ["ok"]


def test_the_list_speaks_one_language_in_python_and_in_sql(settings: Settings) -> None:
    assert erasure.is_suppressed(settings) is None
    erasure.begin(settings, "youtube", 'it\'s "one"')
    target = erasure.is_suppressed(settings)
    assert target is not None
    rows = duckdb.execute(
        "select account_id from (values ('youtube', $1), ('tiktok', $1), ('youtube', 'two')) t(platform, account_id)"
        f" where {target('account', 'platform', 'account_id')}",
        ['it\'s "one"'],
    ).fetchall()
    assert rows == [('it\'s "one"',)]


def test_a_co_authored_post_goes_with_its_author_and_stays_when_a_co_author_goes(tmp_path: Path) -> None:
    """`hers` is named Ann's, `plain` is Bob's alone, `shared` is shown by both and named nobody's."""
    settings = small.world(tmp_path, "posts")
    folder = settings.landing / "post_snapshots"
    folder.mkdir(parents=True)
    (folder / f"older_{day(1)}.csv").write_text(
        "platform,post_id,account_id,captured_at\ntiktok,plain,bob,2026-01-01T03:00:00Z\n"
    )
    (folder / f"posts_{day(2)}.csv").write_text(
        "platform,post_id,account_id,author_account_id,captured_at\n"
        "tiktok,hers,ann,ann,2026-01-02T03:00:00Z\n"
        "tiktok,hers,bob,ann,2026-01-02T04:00:00Z\n"
        "tiktok,shared,ann,,2026-01-02T03:00:00Z\n"
        "tiktok,shared,bob,,2026-01-02T03:00:00Z\n"
    )
    assert landing.land_files(settings, "one", night.quiet).rows_accepted == 5
    assert erasure.posts_of(settings, "tiktok", "ann") == ["hers", "shared"]
    assert erasure.posts_of(settings, "tiktok", "bob") == ["plain", "shared"]
    for gone, left in (("bob", [("hers", "ann", "ann")]), ("ann", [])):
        number = erasure.begin(settings, "tiktok", gone)
        erasure.remove(settings, number, "tiktok", gone)
        files = [str(path) for path in settings.raw.glob("post_snapshots/*/*.parquet")]
        empty = settings.raw / "post_snapshots" / "_schema.parquet"
        rows = duckdb.execute(
            "select post_id, account_id, author_account_id from read_parquet($files, union_by_name = true)",
            {"files": [str(empty), *files]},
        ).fetchall()
        assert rows == left


def test_rows_about_others_lose_only_the_reference() -> None:
    target = erasure._is(["youtube"], GONE, ["p1"])
    feeds = load_feeds()
    with duckdb.connect() as connection:
        connection.execute(
            "create table contest_entries as select * from (values"
            f" ('youtube', 'stays', null, '{GONE}'), ('youtube', '{GONE}', null, null),"
            " ('youtube', 'stays', 'p1', 'x'),"
            f" ('tiktok', 'stays', 'p1', '{GONE}')) t(platform, account_id, post_id, referrer_account_id)"
        )
        connection.execute(
            f"create table brands as select 'b' as brand, 'youtube:{GONE}|tiktok:{GONE}|youtube:x' as own_accounts"
        )
        for table, rows in {
            "contest_entries": [("youtube", "stays", None, None), ("tiktok", "stays", "p1", GONE)],
            "brands": [("b", f"tiktok:{GONE}|youtube:x")],
        }.items():
            assert connection.execute(erasure._without(feeds[table], target, table)).fetchall() == rows


@pytest.mark.parametrize("name", ["plain.csv", "packed.csv.gz", "cells.parquet", "sheet.xlsx"])
def test_a_file_of_any_kind_is_searched(name: str, tmp_path: Path) -> None:
    import zipfile

    for holds, text in ((True, GONE), (False, f"{GONE}2")):
        file = tmp_path / f"{holds}-{name}"
        if name.endswith(".gz"):
            file.write_bytes(gzip.compress(b"x" * 2_000_000 + f",{text},".encode()))
        elif name.endswith(".parquet"):
            duckdb.sql(f"copy (select '{text}' as account_id) to '{file}' (format parquet)")
        elif name.endswith(".xlsx"):
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as sheet:
                sheet.writestr("xl/sharedStrings.xml", f"<t>{text}</t>")
        else:
            file.write_bytes(b"x" * (erasure.BLOCK - 5) + f",{text},".encode())
        assert erasure.holds(file, GONE) is holds


@pytest.mark.parametrize("name", ["cut.xlsx", "locked.zip", "cut.csv.gz", "torn.csv.gz", "cut.csv.zst", "cut.parquet"])
def test_a_file_that_cannot_be_read_to_its_end_stops_no_erasure(name: str, tmp_path: Path) -> None:
    import os
    import zipfile

    import zstandard

    noise = os.urandom(5000)
    file = tmp_path / name
    if name.endswith((".xlsx", ".zip")):
        with zipfile.ZipFile(file, "w") as parts:
            parts.writestr("a", noise)
        packed = bytearray(file.read_bytes())
        if name == "locked.zip":
            # The bit that says "encrypted", in the member's own header and in the directory's.
            packed[6] |= 1
            packed[packed.index(b"PK\x01\x02") + 8] |= 1
        file.write_bytes(packed if name == "locked.zip" else packed[:-100])
    elif name == "torn.csv.gz":
        torn = bytearray(gzip.compress(noise + b"x" * 5000))
        torn[2000:2200] = bytes(200)
        file.write_bytes(torn)
    elif name.endswith(".gz"):
        file.write_bytes(gzip.compress(noise)[:-500])
    elif name.endswith(".zst"):
        file.write_bytes(zstandard.compress(noise)[:-500])
    else:
        file.write_bytes(b"PAR1" + noise)
    assert erasure.holds(file, GONE)
