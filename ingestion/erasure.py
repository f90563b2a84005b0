"""Forget one account: out of landing, raw and quarantine, and kept out by a list that does not name it.

The list holds keyed hashes (HMAC-SHA-256) of platform and account, and of the account's posts; the key lies beside the
ledger and is readable by its owner alone. Landing asks `withhold` for every file, so a redelivery brings nothing back.
The record of the act counts what was removed and names nobody. Values are looked for in rows, file contents, logs and
check results; names of files are not, since others' rows refer to them.
"""

import hashlib
import hmac
import os
import re
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import duckdb

from ingestion import containers, ledger, names
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.errors import ContractError, FileRefused, UsageError, nearest
from ingestion.raw import KEY_COLUMNS, PARQUET, columns_of, commit_file, stored
from ingestion.readers.table import Reader
from ingestion.sql import listed, quote
from ingestion.user_config import load as user_config

BLOCK = 1 << 20
# Endings of members of a zip whose bytes are not those of their text.
PACKED = (".gz", ".zst", ".xlsx", ".parquet", ".zip")
ACCOUNT, POST = "account", "post"
# Columns that name an account beside `platform`.
OWN_IDS = ("account_id", "author_account_id", "host_id")
KEY_FILE, KEY_BYTES = "suppression.key", 32
# Kind, SQL of the platform, SQL of the id: whether that account or post is meant.
Target = Callable[[str, str, str], str]


@dataclass
class Erased:
    """What was removed, in numbers."""

    raw_rows: int = 0
    quarantined_rows: int = 0
    files: int = 0
    waiting: list[str] = field(default_factory=list)


def require_key(settings: Settings) -> None:
    """Raise ContractError where accounts are on the list and the key that tells them apart is lost."""
    file = settings.ledger.with_name(KEY_FILE)
    if _suppressed(settings) and (not file.exists() or file.stat().st_size != KEY_BYTES):
        raise ContractError(
            f"{file} is {'cut' if file.exists() else 'gone'}, and without it nobody can tell who was erased: erased"
            " accounts would come back with the next delivery. Restore it from a backup of state/; where there is"
            f" none, write a new one (head -c {KEY_BYTES} /dev/urandom > {file}) and erase each of them again"
        )


def _key(settings: Settings) -> bytes:
    """The key of the list, made with its first entry. Raises ContractError where it is lost."""
    require_key(settings)
    file = settings.ledger.with_name(KEY_FILE)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(secrets.token_bytes(KEY_BYTES))
            os.fsync(target.fileno())
    return file.read_bytes()


def digest(settings: Settings, kind: str, platform: str, identity: str) -> str:
    """Keyed hash of an account or a post."""
    message = "\0".join([kind, platform, identity]).encode()
    return hmac.new(_key(settings), message, hashlib.sha256).hexdigest()


def _code(settings: Settings, platform: str) -> str:
    """The code under which rows of a platform come in."""
    former, given = names.former_codes(user_config.load(settings)), platform.lower()
    return next((code for code, others in former.items() if given in others), given)


def codes_of(settings: Settings, platform: str) -> list[str]:
    """All codes under which rows of a platform are kept: rows that were read before it had spellings have another."""
    current = _code(settings, platform)
    return sorted({platform, current, *names.former_codes(user_config.load(settings)).get(current, [])})


def _suppressed(settings: Settings) -> list[str]:
    if not settings.ledger.exists():
        return []
    with ledger.read(settings) as connection:
        return ledger.suppressed(connection)


def erased_among(settings: Settings, kind: str, platform: str, identities: Collection[str]) -> set[str]:
    """Those accounts or posts of a platform that are on the list, under its code or a former one."""
    digests = frozenset(_suppressed(settings))
    if not digests:
        return set()
    codes = codes_of(settings, platform)
    return {each for each in identities if any(digest(settings, kind, code, each) in digests for code in codes)}


def is_suppressed(settings: Settings) -> Target | None:
    """Condition in SQL that an account or post is on the list; null while the list is empty, which costs nothing."""
    digests = _suppressed(settings)
    if not digests:
        return None
    block = _key(settings).ljust(64, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block).hex() for pad in (0x36, 0x5C))
    listed = ", ".join(f"'{each}'" for each in digests)

    former = names.former_codes(user_config.load(settings))

    def is_on(kind: str, platform: str, identity: str) -> str:
        message = f"encode('{kind}' || chr(0) || {platform} || chr(0) || {identity})"
        return f"sha256(unhex('{outer}') || unhex(sha256(unhex('{inner}') || {message}))) in ({listed})"

    def target(kind: str, platform: str, identity: str) -> str:
        # An account may have come on the list under a code that is a spelling now.
        before = (
            f"({platform} = {quote(code)} and {is_on(kind, quote(other), identity)})"
            for code, others in former.items()
            for other in others
        )
        return f"({' or '.join([is_on(kind, platform, identity), *before])})"

    return target


def _is(platforms: list[str], account_id: str, posts: list[str]) -> Target:
    """Condition in SQL that this account, or one of its posts, is meant."""

    def target(kind: str, platform_sql: str, identity_sql: str) -> str:
        ids = [account_id] if kind == ACCOUNT else posts
        return (
            f"coalesce({platform_sql} in ({listed(platforms)}) and {identity_sql} in ({listed(ids) or 'null'}), false)"
        )

    return target


def own_rows(feed: Feed, target: Target) -> str | None:
    """Condition of the rows of a feed that are about the account; null where it has none such."""
    if "platform" not in feed.columns:
        return None
    conditions = [target(ACCOUNT, "platform", name) for name in OWN_IDS if name in feed.columns]
    conditions += [target(POST, "platform", "post_id")] if "post_id" in feed.columns else []
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or None


def references(feed: Feed, target: Target) -> dict[str, str]:
    """What takes the place of a column in rows about somebody else that also name the account."""
    taken = {}
    if "referrer_account_id" in feed.columns:
        named = target(ACCOUNT, "platform", "referrer_account_id")
        taken["referrer_account_id"] = f"case when {named} then null else referrer_account_id end"
    if "own_accounts" in feed.columns:
        named = target(ACCOUNT, "split_part(x, ':', 1)", "substr(x, strpos(x, ':') + 1)")
        kept = f"list_filter(string_split(own_accounts, '|'), x -> not {named})"
        taken["own_accounts"] = f"nullif(array_to_string({kept}, '|'), '')"
    return taken


def _without(feed: Feed, target: Target, relation: str) -> str:
    """Query of a relation without the account."""
    own, taken = own_rows(feed, target), references(feed, target)
    replaced = ", ".join(f"{sql} as {name}" for name, sql in taken.items())
    return (
        f"select *{f' replace ({replaced})' if replaced else ''} from {relation} where not ({own if own else 'false'})"
    )


def withhold(settings: Settings, reader: Reader, feed: Feed) -> int:
    """Take suppressed accounts out of the view `accepted` before raw is written; returns how many rows went.

    They count neither as read nor as anything else: for the warehouse the file never held them.
    """
    target = is_suppressed(settings)
    if target is None or (own_rows(feed, target) is None and not references(feed, target)):
        return 0
    before = _one(reader, "select count(*) from accepted")
    columns = ", ".join(columns_of(feed))
    reader.execute(
        f"create or replace temp table kept_back as select {columns} from ({_without(feed, target, 'accepted')})"
    )
    reader.execute("create or replace temp view accepted as select * from kept_back")
    reader.execute(
        "create or replace temp macro accepted_within(first_day, last_day) as table select * from kept_back"
        " where snapshot_date between first_day and last_day order by snapshot_date, source_line"
    )
    return before - _one(reader, "select count(*) from accepted")


def withhold_keys(settings: Settings, reader: Reader, feed: Feed) -> None:
    """Take suppressed accounts out of the keys `set_aside` before they are written."""
    target = is_suppressed(settings)
    if target is not None and "account_id" in feed.key:
        reader.execute(f"delete from set_aside where {own_rows(feed, target)}")


def _one(connection: Reader | duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def require_known(settings: Settings, platform: str, account_id: str) -> None:
    """Raise UsageError, naming whom else may be meant, for an account that nothing kept holds. Nothing is touched."""
    if erased_among(settings, ACCOUNT, platform, [account_id]):
        return
    alike = _alike(settings, account_id)
    is_code = platform == platform.strip().lower()
    if is_code and any((code, account_id) in alike for code in codes_of(settings, platform)):
        return
    if alike:
        meant = ", ".join(f"{name!r} on {code!r}" for code, name in sorted(alike)[:8])
        raise UsageError(f"no row is of {account_id!r} on {platform!r}; nothing is touched. Is it {meant}?")
    known = {item.row.platform for item in user_config.load(settings).tables["platforms"]}
    if _code(settings, platform) not in known:
        raise UsageError(f"no platform is {platform!r}{nearest(platform, sorted(known))}; nothing is touched")
    if not any(
        holds(file, account_id, if_unread=False) for file in _files_below(settings.landing, settings.quarantine)
    ):
        raise UsageError(
            f"nothing holds {account_id!r} on {platform!r}, neither raw nor quarantine nor a file in landing; nothing"
            " is touched. An id is meant to the letter; `make account` finds an account by its handle"
        )


def _alike(settings: Settings, account_id: str) -> set[tuple[str, str]]:
    """Platform and id of each account in raw that differs from this id in letter case and blanks alone."""
    found: set[tuple[str, str]] = set()
    named = {name: ("platform", name) for name in (*OWN_IDS, "referrer_account_id")}
    each = "unnest(string_split(own_accounts, '|'))"
    named["own_accounts"] = (f"split_part({each}, ':', 1)", f"substr({each}, strpos({each}, ':') + 1)")
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        for name, feed in load_feeds().items():
            files = [settings.raw / path for path in _raw_files(settings, name)]
            for column in filter(feed.columns.__contains__, named if files else ()):
                platform, identity = named[column]
                rows = reader.execute(
                    f"select distinct platform, id from (select {platform} as platform, {identity} as id"
                    f" from {stored(columns_of(feed), files)}) where lower(trim(id)) = lower(trim($account))",
                    {"account": account_id},
                ).fetchall()
                found |= set(rows)
    return found


def begin(settings: Settings, platform: str, account_id: str) -> int:
    """Put the account on the list and begin the record of its erasure; returns the record's number."""
    posts = posts_of(settings, platform, account_id)
    code = _code(settings, platform)
    digests = [digest(settings, ACCOUNT, code, account_id)]
    digests += [digest(settings, POST, code, post) for post in posts]
    with ledger.write(settings) as connection:
        return ledger.begin_erasure(connection, digests)


def remove(settings: Settings, number: int, platform: str, account_id: str) -> Erased:
    """Remove the account from raw, quarantine, landing, logs and the text of state. Safe to run again after a crash."""
    found = Erased()
    target = _is(codes_of(settings, platform), account_id, posts_of(settings, platform, account_id))
    delivered = _clean_raw(settings, number, target, found)
    delivered |= _clean_quarantine(settings, account_id, found)
    _clean_landing(settings, account_id, delivered, found)
    for log in _files_below(settings.data / "state" / "logs", settings.data / "airflow" / "logs"):
        if holds(log, account_id):
            log.unlink()
            found.files += 1
    _clean_state(settings, account_id)
    return found


def finish(settings: Settings, number: int, found: Erased, releases: int) -> None:
    """End the record of an erasure, and let nothing of what was deleted stay in the ledger's free pages."""
    with ledger.write(settings) as connection:
        ledger.end_erasure(connection, number, found.raw_rows, found.quarantined_rows, found.files, releases)
    ledger.compact(settings)


def posts_of(settings: Settings, platform: str, account_id: str) -> list[str]:
    """Ids of the account's posts: those that name it as their author, or that it shows and no capture names another's.

    A post that others show as well, and of which nobody says whose it is, goes whole.
    """
    query = """
        select post_id from (
            select post_id, bool_or(account_id = $account) as is_shown,
                coalesce(bool_or(author_account_id = $account), false) as is_named,
                count(author_account_id) > 0 as has_author
            from captured group by post_id
        ) where is_named or (is_shown and not has_author) order by 1
    """
    return _asked_of_raw(settings, "post_snapshots", platform, account_id, query)


def handles_of(settings: Settings, platform: str, account_id: str) -> list[str]:
    """Handles under which the account was captured."""
    query = "select distinct handle from captured where account_id = $account and handle is not null order by 1"
    return _asked_of_raw(settings, "account_snapshots", platform, account_id, query)


def _asked_of_raw(settings: Settings, feed: str, platform: str, account_id: str, query: str) -> list[str]:
    """Values of a query over `captured`: all rows of a feed in raw that are of a platform, under any of its codes."""
    files = [settings.raw / path for path in _raw_files(settings, feed)]
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        captured = f"select * from {stored(columns_of(load_feeds()[feed]), files)}"
        rows = reader.execute(
            f"with captured as ({captured} where platform in (select unnest($codes))) {query}",
            {"codes": codes_of(settings, platform), "account": account_id},
        ).fetchall()
    return [row[0] for row in rows]


def _raw_files(settings: Settings, feed: str) -> dict[str, str]:
    """Path and batch of every raw file of a feed, whatever became of its batch."""
    with ledger.read(settings) as connection:
        files = ledger.raw_files_of_feed(connection, feed)
    return {path: batch_id for path, batch_id in files.items() if (settings.raw / path).exists()}


def _clean_raw(settings: Settings, number: int, target: Target, found: Erased) -> set[str]:
    """Write each raw file that holds the account anew, without it; returns the landed files that it had come in."""
    delivered: set[str] = set()
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        for name, feed in load_feeds().items():
            files, own, taken = _raw_files(settings, name), own_rows(feed, target), references(feed, target)
            if not (own or taken):
                continue
            if "account_id" in feed.key:
                _clean_keys(settings, reader, number, feed, target)
            if not files:
                continue
            touched = " or ".join(
                [own or "false", *(f"({sql}) is distinct from {column}" for column, sql in taken.items())]
            )
            paths = [settings.raw / path for path in files]
            hits = reader.execute(
                f"select filename, source_file, count(*) filter ({own or 'false'})"
                f" from {stored(columns_of(feed), paths, 'filename = true')} where {touched} group by all"
            ).fetchall()
            for path, source_file, rows in hits:
                relative = Path(path).relative_to(settings.raw).as_posix()
                _rewrite(settings, reader, number, feed, target, relative, files[relative], rows)
                delivered.add(source_file)
                found.raw_rows += rows
    _remove_orphans(settings)
    return delivered


def _clean_keys(settings: Settings, reader: duckdb.DuckDBPyConnection, number: int, feed: Feed, target: Target) -> None:
    """Keys of rows that were not loaded, without the account. The rows themselves are in quarantine."""
    with ledger.read(settings) as connection:
        files = [file for file in ledger.key_files_of_feed(connection, feed.feed) if (settings.raw / file[0]).exists()]
    for path, batch_id in files:
        source = f"read_parquet({quote(str(settings.raw / path))}, hive_partitioning = false)"
        if _one(reader, f"select count(*) from {source} where {own_rows(feed, target)}"):
            _rewrite(settings, reader, number, feed, target, path, batch_id, 0, is_of_keys=True)


def _rewrite(
    settings: Settings,
    reader: duckdb.DuckDBPyConnection,
    number: int,
    feed: Feed,
    target: Target,
    path: str,
    batch_id: str,
    rows: int,
    is_of_keys: bool = False,
) -> None:
    """One raw file under a new name without the account; then the ledger; then the old file goes."""
    old = settings.raw / path
    new = old.with_name(f"{batch_id}.{number}.parquet")
    partial = new.with_suffix(".partial")
    columns = KEY_COLUMNS if is_of_keys else columns_of(feed)
    source = stored(columns, [old])
    reader.execute(f"copy ({_without(feed, target, source)} order by source_line) to '{partial}' ({PARQUET})")
    left = _one(reader, f"select count(*) from read_parquet('{partial}')")
    size, sha256 = commit_file(partial, new)
    with ledger.write(settings) as connection:
        if left:
            named = new.relative_to(settings.raw).as_posix()
            ledger.replace_raw_file(connection, path, named, left, size, sha256)
        else:
            ledger.forget_raw_file(connection, path)
        ledger.take_off_rows(connection, batch_id, accepted=rows)
    old.unlink()
    if not left:
        new.unlink()


def _remove_orphans(settings: Settings) -> None:
    """Raw files that the ledger does not name: left by a crash, read by nobody, and nobody knows what is in them."""
    with ledger.read(settings) as connection:
        known = ledger.raw_paths(connection)
    for file in _files_below(settings.raw):
        if file.name != "_schema.parquet" and file.relative_to(settings.raw).as_posix() not in known:
            file.unlink()


def _clean_quarantine(settings: Settings, account_id: str, found: Erased) -> set[str]:
    """Quarantined rows and whole files that hold the account's id go; returns the landed files they had come in."""
    delivered: set[str] = set()
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        for rejects in settings.quarantine.glob("*/*.parquet"):
            source = f"read_parquet({quote(str(rejects))}, hive_partitioning = false)"
            hit = f'regexp_matches(concat_ws(\' \', "value", "row"), {quote(pattern_of(account_id))})'
            lines = reader.execute(f"select distinct source_file, source_line from {source} where {hit}").fetchall()
            if not lines:
                continue
            delivered |= {file for file, _ in lines}
            found.quarantined_rows += len(lines)
            partial = rejects.with_suffix(".partial")
            reader.execute(f"copy (select * from {source} where not coalesce({hit}, false)) to '{partial}' ({PARQUET})")
            with ledger.write(settings) as connection:
                ledger.take_off_rows(connection, rejects.stem, quarantined=len(lines))
            commit_file(partial, rejects)
    for file in settings.quarantine.glob("*/files/*/file"):
        if holds(file, account_id):
            shutil.rmtree(file.parent)
            found.files += 1
    return delivered


def _clean_landing(settings: Settings, account_id: str, delivered: set[str], found: Erased) -> None:
    """Landed files that brought the account go whole: what others have in them is in raw. One not yet landed waits."""
    with ledger.read(settings) as connection:
        known = _with_containers({row["path"] for row in ledger.deliveries(connection)})
    delivered = _with_containers(delivered)
    for file in _files_below(settings.landing):
        label = os.fsencode(file.relative_to(settings.landing)).decode("utf-8", errors="backslashreplace")
        if label not in delivered and not holds(file, account_id):
            continue
        if label in known or label in delivered:
            file.unlink()
            found.files += 1
        else:
            found.waiting.append(label)


def _with_containers(paths: set[str]) -> set[str]:
    """Paths under landing, and of parts of files (a member of a zip, a sheet) the file that holds them."""
    return paths | {str(parent) for path in paths for parent in PurePosixPath(path).parents if parent.suffix}


def _clean_state(settings: Settings, account_id: str) -> None:
    """Texts of state that name the account: what a check saw, why a file was quarantined."""
    with ledger.write(settings) as connection:
        ledger.erase_texts(connection, lambda text: re.search(pattern_of(account_id), text) is not None)


def _files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def pattern_of(account_id: str) -> str:
    """The id as a word of its own: `a1` is not in `a10`."""
    return rf"(^|[^A-Za-z0-9_-]){re.escape(account_id)}([^A-Za-z0-9_-]|$)"


def holds(file: Path, account_id: str, if_unread: bool = True) -> bool:
    """Whether a file's content holds the id as a word: plain, packed, a spreadsheet's parts, or Parquet's cells.

    Args:
        if_unread: the answer for a file that cannot be read to its end: nobody can say that it does not hold it.
    """
    with file.open("rb") as source:
        magic = source.read(4)
    pattern = re.compile(pattern_of(account_id).encode())
    try:
        if magic == b"PAR1":
            return _parquet_holds(file, account_id, if_unread)
        if magic[:2] == b"PK":
            with zipfile.ZipFile(file) as parts:
                return any(_part_holds(parts, name, pattern, account_id) for name in parts.namelist())
        if magic == containers.ZSTD:
            return _blocks_hold(containers.zstd_blocks(file), pattern, len(account_id))
        if magic[:2] == b"\x1f\x8b":
            return _blocks_hold(containers.gzip_blocks(file), pattern, len(account_id))
        with file.open("rb") as source:
            return _blocks_hold(containers.blocks(source), pattern, len(account_id))
    except (FileRefused, *containers.BROKEN):
        return if_unread


def _part_holds(parts: zipfile.ZipFile, name: str, pattern: re.Pattern[bytes], account_id: str) -> bool:
    """Whether a member of a zip holds the id; what is packed once more is unpacked first."""
    if not name.lower().endswith(PACKED):
        with parts.open(name) as source:
            return _blocks_hold(containers.blocks(source), pattern, len(account_id))
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "part"
        with parts.open(name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, BLOCK)
        return holds(target, account_id)


def _blocks_hold(blocks: Iterator[bytes], pattern: re.Pattern[bytes], width: int) -> bool:
    tail = b""
    for block in blocks:
        if pattern.search(tail + block):
            return True
        tail = (tail + block)[-(width * 4 + 8) :]
    return False


def _parquet_holds(file: Path, account_id: str, if_unread: bool) -> bool:
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        try:
            source = f"read_parquet({quote(str(file))}, hive_partitioning = false)"
            pattern = quote(pattern_of(account_id))
            return bool(
                _one(reader, f"select count(*) from {source} t where regexp_matches(cast(t as varchar), {pattern})")
            )
        except duckdb.Error:
            return if_unread
