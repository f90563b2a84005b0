"""Capture, nightly and marts on Bluesky's own servers: `make live-test BLUESKY_TOOLS=/path/to/folder`.

Thirty accounts over twelve played days. Each evening their counts are asked for through the real API, and when their
followers came; the real DAG builds the first night, the tenth with those missed since, and the last two; one account has
bought followers on the eleventh day. Not part of `make test`: it needs 700 MB of servers, and some minutes.

Posts and follows are written as their authors write them, with played instants. Counts of followers and likes, which
nobody could play by hand, are written into the AppView's tables of them; they are no count of the follows.
"""

import gzip
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb

from ingestion.config import PROJECT_DIR, Settings, utc_now
from ingestion.sources.capture import capture
from ingestion.sources.clock import Clock
from ingestion.sources.journal import Journal
from ingestion.sources.settings import load_sources
from tests.live.follows import EVENING, PATIENCE_SECONDS, Played, arrivals_on
from tests.live.network import APPVIEW, Network, NotThere, network, tools_of
from warehouse.cli.capture import summary

# The first of them are watched; the others only follow.
ACCOUNTS, OTHERS = 30, 5
# A burst is told from seven known changes before the three days that are tested: from the eleventh day on.
DAYS = 12
NIGHTS = (1, 10, 11, 12)
BUYER, BOUGHT, BOUGHT_ON = 7, 9_000, 11
KEPT = ("GROUNDSWELL", "AIRFLOW", "MAKE")


@dataclass
class Told:
    """What people are told, and what the journals of captures held before they ended."""

    lines: list[str] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)

    def log(self, line: str) -> None:
        print(line, flush=True)
        self.lines.append(line)

    def end(self, journal: Journal) -> None:
        """End a journal, and keep what it held."""
        self.journals.append(journal.file.read_text())
        _END(journal)


_END = Journal.end


def followers_of(number: int, day: int) -> int:
    """Followers of an account on a played day, from 1: a steady growth of its own that wavers, and what was bought."""
    base = 20_000 + 1_000 * number
    wavers = (7 * number + 13 * day) % 11
    return base + day * (20 + number) + wavers + (BOUGHT if number == BUYER and day >= BOUGHT_ON else 0)


def likes_of(number: int, day: int) -> int:
    """Likes of an account's one post on a played day."""
    return 400 + 10 * number + 25 * day


def main() -> int:
    """Play the days; returns the exit code."""
    try:
        tools = tools_of(dict(os.environ))
    except NotThere as error:
        print(error, file=sys.stderr)
        return 2
    # By a signal, too, the servers end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="groundswell-live-") as name:
        folder = Path(name)
        # Another user runs PostgreSQL below it.
        folder.chmod(0o711)
        began = time.monotonic()
        with network(tools, folder, ACCOUNTS + OTHERS) as servers:
            print(f"Bluesky's servers answer after {time.monotonic() - began:,.0f} s", flush=True)
            return _play(servers, folder)


def _play(servers: Network, folder: Path) -> int:
    first = utc_now().date() - timedelta(days=DAYS)
    played, told = Played(servers, first), Told()
    _write_posts(servers, first)
    played.clear()
    settings = _settings(servers, folder)
    for day in range(1, DAYS + 1):
        date_of_day = first + timedelta(days=day - 1)
        played.play(day)
        _play_counts(servers, day)
        with patch.object(Journal, "end", lambda journal: told.end(journal)):
            _capture(settings, date_of_day, told.log)
        if day in NIGHTS and not _nightly(settings, date_of_day, told):
            return 1
    wrong = [*_wrong(settings, servers, first), *_named(settings, played, told)]
    for line in wrong:
        print(f"WRONG: {line}")
    print("the live test failed" if wrong else "the live test passed")
    return int(bool(wrong))


def _write_posts(servers: Network, first: date) -> None:
    """Leave each account one post, of noon of the first day, in place of those that it has."""
    for number, user in enumerate(servers.users[:ACCOUNTS]):
        with servers.session(number) as client:
            named = {"repo": user, "collection": "app.bsky.feed.post"}
            held = client.get("/xrpc/com.atproto.repo.listRecords", params=named).raise_for_status().json()["records"]
            for record in held:
                key = {**named, "rkey": record["uri"].rpartition("/")[2]}
                client.post("/xrpc/com.atproto.repo.deleteRecord", json=key).raise_for_status()
            text = f"{first}, by creator{number} #groundswell"
            record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": f"{first}T12:00:00.000Z"}
            client.post("/xrpc/com.atproto.repo.createRecord", json={**named, "record": record}).raise_for_status()
    until = time.monotonic() + 60
    while not all(_has_only_its_post(servers, user, first) for user in servers.users[:ACCOUNTS]):
        if time.monotonic() > until:
            raise NotThere("the AppView does not show the posts that were written")
        time.sleep(0.5)


def _has_only_its_post(servers: Network, user: str, first: date) -> bool:
    own = [post for post in servers.feed(user) if post["author"]["did"] == user]
    return len(own) == 1 and own[0]["record"]["text"].startswith(str(first))


def _settings(servers: Network, folder: Path) -> Settings:
    config = folder / "config"
    config.mkdir()
    (config / "sources.yml").write_text(f"bluesky:\n  base_url: {APPVIEW}\n  arrivals: true\n")
    watched = "".join(f"bluesky,{user},contract\n" for user in servers.users[:ACCOUNTS])
    (config / "watchlist.csv").write_text(f"platform,account,legal_basis\n{watched}")
    return Settings(_env_file=None, data=folder / "data", config=config)  # type: ignore[call-arg]


def _play_counts(servers: Network, day: int) -> None:
    """Let the AppView show a day's counts: until it no longer counts the follows of the day, which it does by itself."""
    until = time.monotonic() + PATIENCE_SECONDS
    expected = [followers_of(number, day) for number in range(ACCOUNTS)]
    while True:
        servers.play(_counts(servers, day))
        time.sleep(1)
        if [servers.counts(user) for user in servers.users[:ACCOUNTS]] == expected:
            return
        if time.monotonic() > until:
            raise NotThere("the AppView does not keep the counts that were played")


def _counts(servers: Network, day: int) -> str:
    """SQL that plays a day's counts."""
    statements = []
    for number, user in enumerate(servers.users[:ACCOUNTS]):
        followers, likes = followers_of(number, day), likes_of(number, day)
        statements += [
            f"update bsky.profile_agg set \"followersCount\" = {followers} where did = '{user}'",
            # A post that nobody has liked has no row yet.
            'insert into bsky.post_agg (uri, "likeCount")'
            f" select uri, {likes} from bsky.post where creator = '{user}'"
            ' on conflict (uri) do update set "likeCount" = excluded."likeCount"',
        ]
    return ";".join(statements)


def _capture(settings: Settings, day: date, log: Callable[[str], None]) -> None:
    """Capture in the evening of a played day: the clock of names is played, that of waiting is real."""
    evening, began = datetime(day.year, day.month, day.day, EVENING), time.monotonic()
    clock = Clock(now=lambda: evening + timedelta(seconds=time.monotonic() - began))
    done = capture(settings, "bluesky", load_sources(settings)["bluesky"], lambda _: None, log, clock)
    for line in (*done.problems, *summary(done, time.monotonic() - began)):
        log(f"{day}  {line}")


def _nightly(settings: Settings, day: date, told: Told) -> bool:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(KEPT)}
    environment |= {"GROUNDSWELL_DATA": str(settings.data), "GROUNDSWELL_CONFIG": str(settings.config)}
    command = [sys.executable, "-m", "warehouse.cli", "nightly", "--day", str(day)]
    began = time.monotonic()
    done = subprocess.run(command, env=environment, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)
    told.lines += [done.stdout, done.stderr]
    told.log(f"{day}  nightly: exit code {done.returncode}, {time.monotonic() - began:,.0f} s")
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    return done.returncode == 0


def _wrong(settings: Settings, servers: Network, first: date) -> Iterator[str]:
    """What the marts hold otherwise than it was played."""
    days = [first + timedelta(days=number) for number in range(DAYS)]
    played = {
        (user, day): (followers_of(number, place), likes_of(number, place))
        for number, user in enumerate(servers.users[:ACCOUNTS])
        for place, day in enumerate(days, 1)
    }
    arrived = sorted(
        (servers.users[creator], day, arrival, followers)
        for place, day in enumerate(days, 1)
        for creator, arrival, followers in arrivals_on(first, place)
    )
    with duckdb.connect(str(settings.published / "groundswell.duckdb"), read_only=True) as marts:

        def rows(query: str) -> list[tuple[object, ...]]:
            return marts.execute(query).fetchall()

        held = rows("select account_id, snapshot_date, followers from marts.fct_account_daily")
        if sorted(held) != sorted((*key, followers) for key, (followers, _) in played.items()):
            yield f"fct_account_daily: {len(held)} rows are not the {len(played)} counts that were played"
        held = rows("select account_id, snapshot_date, likes from marts.fct_post_daily")
        if sorted(held) != sorted((*key, likes) for key, (_, likes) in played.items()):
            yield f"fct_post_daily: {len(held)} rows are not the {len(played)} counts that were played"
        held = rows(
            "select account_id, snapshot_date, arrival_date, surviving_followers from marts.fct_follower_arrival"
        )
        print(f"fct_follower_arrival: {len(held)} rows of {sum(followers for *_, followers in held):,} followers")
        yield from (f"fct_follower_arrival: {row} was played, and is not there" for row in sorted({*arrived} - {*held}))
        yield from (f"fct_follower_arrival: {row} is there, and was not played" for row in sorted({*held} - {*arrived}))
        if sorted(held) != arrived:
            yield f"fct_follower_arrival: {len(held)} rows are not the {len(arrived)} that were played"
        captured = rows(
            "select snapshot_date, accounts_asked, accounts_received from marts.fct_capture_daily order by 1"
        )
        if captured != [(day, ACCOUNTS, ACCOUNTS) for day in days]:
            yield f"fct_capture_daily: {captured}"
        flags = rows("select account_id, signal, first_flagged, explanation from marts.fct_follower_flag")
        for account, signal, raised, explanation in flags:
            print(f"flag: {account} {signal}, first on {raised}: {explanation}")
        if [flag[:3] for flag in flags] != [(servers.users[BUYER], "burst", days[BOUGHT_ON - 1])]:
            yield f"the flags are not that of {servers.users[BUYER]} alone, on {days[BOUGHT_ON - 1]}"
        verdicts = rows(
            f"select verdict, count(*), min(trust_score) from marts.fct_follower_trust_daily"
            f" where snapshot_date = date '{days[-1]}' group by 1 order by 1"
        )
        for verdict, accounts, score in verdicts:
            print(f"verdict on {days[-1]}: {verdict}, {accounts} accounts, lowest score {score}")


def _named(settings: Settings, played: Played, told: Told) -> Iterator[str]:
    """Where something names one who only follows, or a follow."""
    others = range(ACCOUNTS, ACCOUNTS + OTHERS)
    users = played.servers.users
    names = {users[number] for number in others} | {f"creator{number}.test" for number in others} | played.names
    yield from (f"{place} names a follower" for place in named_in(settings.data, names))
    yield from ("a line that people are told names a follower" for line in told.lines if any(n in line for n in names))
    for journal in told.journals:
        if '"arrivals"' not in journal or any(name in journal for name in names):
            yield "the journal of a capture holds no arrivals, or names a follower"
    if len(told.journals) != DAYS:
        yield f"{len(told.journals)} journals have ended, not {DAYS}"


def named_in(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Files below a folder, and tables of databases, that hold one of the names; each is read as it is packed."""
    names = sorted(names)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            for place, text in _texts(path):
                if any(name in text for name in names):
                    yield f"{path.relative_to(folder)} {place}".strip()


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if path.suffix == ".parquet":
        cells = duckdb.sql(f"select cast(t as varchar) from read_parquet('{path}', hive_partitioning = false) t")
        yield "", "\n".join(row[0] for row in cells.fetchall())
    elif path.suffix == ".duckdb":
        with closing(duckdb.connect(str(path), read_only=True)) as database:
            tables = "select schema_name, table_name from duckdb_tables() order by all"
            for schema, table in database.execute(tables).fetchall():
                rows = database.execute(f'select cast(t as varchar) from "{schema}"."{table}" t').fetchall()
                yield f"{schema}.{table}", "\n".join(row[0] for row in rows)
    else:
        content = path.read_bytes()
        yield "", (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8", "replace")


if __name__ == "__main__":
    sys.exit(main())
