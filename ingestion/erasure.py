"""Forget one account: out of landing, raw and quarantine, and kept out by a list that does not name it.

The list holds keyed hashes (HMAC-SHA-256) of platform and account, and of the account's posts; the key lies beside the
ledger and is readable by its owner alone. Landing asks `withhold` for every file, so a redelivery brings nothing back.
The record of the act counts what was removed and names nobody. Values are looked for in rows, file contents, logs and
check results, by its id and by every handle and shown name that raw has of it; names of files are not, since others'
rows refer to them.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import duckdb

from ingestion import ledger, names
from ingestion.config import DUCKDB_CONFIG, Settings
from ingestion.contracts import Feed, load_feeds
from ingestion.errors import ContractError, UsageError, nearest
from ingestion.raw import KEY_COLUMNS, PARQUET, columns_of, commit_file, stored
from ingestion.readers.table import Reader
from ingestion.search import BLOCK, SHORTEST_NUMBER, Names, search
from ingestion.sql import listed, quote
from ingestion.user_config import load as user_config

__all__ = ["BLOCK"]

ACCOUNT, POST = "account", "post"
# Columns that name an account beside `platform`.
OWN_IDS = ("account_id", "author_account_id", "host_id")
KEY_FILE, KEY_BYTES = "suppression.key", 32
# Columns of text that may name an account in rows of others, and what stands in place of a text of state that does.
TEXTS, ERASED = ("extra", "invalid_cells"), "(erased)"
# Feeds that tell names of accounts, and whose posts are whose.
TELLING, OF_POSTS = ("accounts", "account_snapshots"), ("post_snapshots",)
# Kind, SQL of the platform, SQL of the id: whether that account or post is meant.
Target = Callable[[str, str, str], str]


@dataclass
class Erased:
    """What was removed, in numbers, and files that a person must know of."""

    raw_rows: int = 0
    quarantined_rows: int = 0
    files: int = 0
    # In landing and not taken in; not to be read to their end, and so removed; not to be written, and so as before.
    waiting: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


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


def references(feed: Feed, target: Target, named: Names | None = None, platforms: Iterable[str] = ()) -> dict[str, str]:
    """What takes the place of a column in rows about somebody else that also name the account.

    Args:
        named: by what it is named in texts, which a reader was taught; without it texts stay.
        platforms: codes of its platform, on which a handle means it.
    """
    taken = {}
    if "referrer_account_id" in feed.columns:
        is_meant = target(ACCOUNT, "platform", "referrer_account_id")
        taken["referrer_account_id"] = f"case when {is_meant} then null else referrer_account_id end"
    if "own_accounts" in feed.columns:
        is_meant = target(ACCOUNT, "split_part(x, ':', 1)", "substr(x, strpos(x, ':') + 1)")
        kept = f"list_filter(string_split(own_accounts, '|'), x -> not {is_meant})"
        taken["own_accounts"] = f"nullif(array_to_string({kept}, '|'), '')"
    if named is not None:
        for name in TEXTS:
            taken[name] = f"case when {named.sql(name)} then json_without_them({name}) else {name} end"
        if "mentions" in feed.columns:
            is_meant = f"platform in ({listed(platforms)}) and {named.sql('mentions')}"
            taken["mentions"] = f"case when {is_meant} then list_without_them(mentions) else mentions end"
    return taken


def _without(
    feed: Feed, target: Target, relation: str, named: Names | None = None, platforms: Iterable[str] = ()
) -> str:
    """Query of a relation without the account: without its own rows, and without it in those of others."""
    own, taken = own_rows(feed, target), references(feed, target, named, platforms)
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
    return keep_back(reader, feed, _without(feed, target, "accepted"), "kept_back")


def keep_back(reader: Reader, feed: Feed, kept: str, table: str) -> int:
    """Let the view `accepted` be what a query keeps of it, in a table of this name; returns how many rows went."""
    before = _one(reader, "select count(*) from accepted")
    columns = ", ".join(columns_of(feed))
    reader.execute(f"create or replace temp table {table} as select {columns} from ({kept})")
    reader.execute(f"create or replace temp view accepted as select * from {table}")
    reader.execute(
        f"create or replace temp macro accepted_within(first_day, last_day) as table select * from {table}"
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


def remove(settings: Settings, number: int, platform: str, account_id: str, also: Collection[str] = ()) -> Erased:
    """Remove the account from quarantine, landing, logs, the texts of state and raw. Safe to run again after a crash.

    Args:
        also: what else it is known by.
    """
    found, codes = Erased(), codes_of(settings, platform)
    target = _is(codes, account_id, posts_of(settings, platform, account_id))
    named = names_of(settings, platform, account_id, also)
    with closing(duckdb.connect(config=DUCKDB_CONFIG)) as reader:
        named.teach(reader)
        held = _held_in_raw(settings, reader, target, named, codes)
        delivered = {file for files in held.values() for _, file, _ in files}
        delivered |= _clean_quarantine(settings, reader, named, found)
        _clean_landing(settings, named, delivered, found)
        _clean_logs(settings, named, found)
        _clean_state(settings, named, found)
        # Last, and of it last the feeds that tell its names and posts: what is killed before begins again with them.
        for feed, files in held.items():
            _clean_raw(settings, reader, number, load_feeds()[feed], target, named, codes, files, found)
    _remove_orphans(settings)
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
    """Handles under which the account was captured, in order."""
    return _told_of(settings, "handle", platform, account_id)


def names_of(settings: Settings, platform: str, account_id: str, also: Collection[str] = ()) -> Names:
    """By what an account is named: its id, and every handle and shown name that raw has of it."""
    handles = dict.fromkeys([*handles_of(settings, platform, account_id), *sorted(set(also) - {account_id})])
    return Names((account_id,), tuple(handles), tuple(_told_of(settings, "display_name", platform, account_id)))


def _told_of(settings: Settings, column: str, platform: str, account_id: str) -> list[str]:
    """Every value of a column in the rows that tell of an account, in order."""
    query = f"select distinct {column} from captured where account_id = $account and {column} is not null"
    found = {value for feed in TELLING for value in _asked_of_raw(settings, feed, platform, account_id, query) if value}
    return sorted(found)


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


def _held_in_raw(
    settings: Settings, reader: duckdb.DuckDBPyConnection, target: Target, named: Names, codes: list[str]
) -> dict[str, list[tuple[str, str, int]]]:
    """By feed the raw files that hold the account: path, the landed file that it came in, and how many rows are its."""
    held = {}
    for name, feed in sorted(load_feeds().items(), key=lambda item: (item[0] in TELLING, item[0] in OF_POSTS, item[0])):
        own, taken = own_rows(feed, target), references(feed, target, named, codes)
        touched = " or ".join(
            [own or "false", *(f"({sql}) is distinct from {column}" for column, sql in taken.items())]
        )
        paths = [settings.raw / path for path in _raw_files(settings, name)]
        found = reader.execute(
            f"select filename, source_file, count(*) filter ({own or 'false'})"
            f" from {stored(columns_of(feed), paths, 'filename = true')} where {touched} group by all order by all"
        ).fetchall() if paths else []  # fmt: skip
        held[name] = [(Path(path).relative_to(settings.raw).as_posix(), file, rows) for path, file, rows in found]
    return held


def _clean_raw(
    settings: Settings,
    reader: duckdb.DuckDBPyConnection,
    number: int,
    feed: Feed,
    target: Target,
    named: Names,
    codes: list[str],
    files: list[tuple[str, str, int]],
    found: Erased,
) -> None:
    """Write each raw file of a feed that holds the account anew, without it."""
    if "account_id" in feed.key:
        _clean_keys(settings, reader, number, feed, target)
    batches = _raw_files(settings, feed.feed)
    for path, _, rows in files:
        source = stored(columns_of(feed), [settings.raw / path])
        _rewrite(settings, reader, number, path, batches[path], _without(feed, target, source, named, codes), rows)
        found.raw_rows += rows


def _clean_keys(settings: Settings, reader: duckdb.DuckDBPyConnection, number: int, feed: Feed, target: Target) -> None:
    """Keys of rows that were not loaded, without the account. The rows themselves are in quarantine."""
    with ledger.read(settings) as connection:
        files = [file for file in ledger.key_files_of_feed(connection, feed.feed) if (settings.raw / file[0]).exists()]
    for path, batch_id in files:
        source = f"read_parquet({quote(str(settings.raw / path))}, hive_partitioning = false)"
        if _one(reader, f"select count(*) from {source} where {own_rows(feed, target)}"):
            # Keys hold no text, so nothing of them names the account but what is its own.
            kept = f"select * from {stored(KEY_COLUMNS, [settings.raw / path])} where not ({own_rows(feed, target)})"
            _rewrite(settings, reader, number, path, batch_id, kept, 0)


def _rewrite(
    settings: Settings,
    reader: duckdb.DuckDBPyConnection,
    number: int,
    path: str,
    batch_id: str,
    kept: str,
    rows: int,
) -> None:
    """One raw file under a new name with what a query keeps of it; then the ledger; then the old file goes."""
    old = settings.raw / path
    new = old.with_name(f"{batch_id}.{number}.parquet")
    partial = new.with_suffix(".partial")
    reader.execute(f"copy ({kept} order by source_line) to '{partial}' ({PARQUET})")
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


def _clean_quarantine(settings: Settings, reader: duckdb.DuckDBPyConnection, named: Names, found: Erased) -> set[str]:
    """Quarantined rows and whole files that name the account go; returns the landed files they had come in."""
    delivered: set[str] = set()
    for partial in settings.quarantine.glob("*/*.partial"):
        partial.unlink()
    for rejects in sorted(settings.quarantine.glob("*/*.parquet")):
        source = f"read_parquet({quote(str(rejects))}, hive_partitioning = false)"
        hit = named.sql('concat_ws(chr(10), column_name, "value", reason, "row")')
        try:
            lines = reader.execute(f"select distinct source_file, source_line from {source} where {hit}").fetchall()
        except (duckdb.IOException, duckdb.InvalidInputException):
            _remove_unread(settings, rejects, found)
            continue
        if not lines:
            continue
        delivered |= {file for file, _ in lines}
        found.quarantined_rows += len(lines)
        partial = rejects.with_suffix(".partial")
        reader.execute(f"copy (select * from {source} where not {hit}) to '{partial}' ({PARQUET})")
        with ledger.write(settings) as connection:
            ledger.take_off_rows(connection, rejects.stem, quarantined=len(lines))
        commit_file(partial, rejects)
    for file in sorted(settings.quarantine.glob("*/files/*/file")):
        is_named = search(file, named)
        if is_named is None:
            found.unread.append(f"{_told_as(file)} in {file.parent.relative_to(settings.data).as_posix()}")
        if is_named is not False:
            shutil.rmtree(file.parent)
            found.files += 1
    for note in settings.quarantine.glob("*/files/*/reason.json"):
        text = json.loads(note.read_text(encoding="utf-8"))
        if named.are_in(text["reason"]):
            told = json.dumps(text | {"reason": ERASED}, ensure_ascii=False, indent=2) + "\n"
            note.write_text(told, encoding="utf-8")
    return delivered


def _told_as(file: Path) -> str:
    """The name under which a file that is quarantined whole was delivered."""
    try:
        return str(json.loads(file.with_name("reason.json").read_text(encoding="utf-8"))["file"])
    except (OSError, ValueError, KeyError, TypeError):
        return file.parent.name[:12]


def _remove_unread(settings: Settings, file: Path, found: Erased) -> None:
    """Remove a file that cannot be read to its end: nobody can say that it does not name the account."""
    found.unread.append(file.relative_to(settings.data).as_posix())
    found.files += 1
    file.unlink()


def _clean_landing(settings: Settings, named: Names, delivered: set[str], found: Erased) -> None:
    """Landed files that name the account go whole: what others have in them is in raw. One not yet landed waits."""
    with ledger.read(settings) as connection:
        known = _with_containers({row["path"] for row in ledger.deliveries(connection)})
    delivered = _with_containers(delivered)
    for file in _files_below(settings.landing):
        label = os.fsencode(file.relative_to(settings.landing)).decode("utf-8", errors="backslashreplace")
        is_named = True if label in delivered else search(file, named)
        if is_named is False:
            continue
        if label not in known and label not in delivered:
            found.waiting.append(label)
        elif is_named is None:
            _remove_unread(settings, file, found)
        else:
            file.unlink()
            found.files += 1


def _clean_logs(settings: Settings, named: Names, found: Erased) -> None:
    """Logs that name the account go; of what else lies beside the state a person is told."""
    logs = (settings.data / "state" / "logs", settings.data / "airflow" / "logs")
    kept = {settings.ledger, settings.ledger.with_name(KEY_FILE), _airflow_database(settings)}
    for file in _files_below(*(folder.parent for folder in logs)):
        if file in kept or file.name.startswith(tuple(f"{path.name}-" for path in kept)):
            continue
        is_named = search(file, named)
        if is_named is not False and any(file.is_relative_to(folder) for folder in logs):
            file.unlink()
            found.files += 1
        elif is_named:
            found.left.append(file.relative_to(settings.data).as_posix())


def _with_containers(paths: set[str]) -> set[str]:
    """Paths under landing, and of parts of files (a member of a zip, a sheet) the file that holds them."""
    return paths | {str(parent) for path in paths for parent in PurePosixPath(path).parents if parent.suffix}


def _clean_state(settings: Settings, named: Names, found: Erased) -> None:
    """Texts that name the account, in the ledger (what a check saw, why a file was quarantined) and in Airflow's."""
    with ledger.write(settings) as connection:
        ledger.erase_texts(connection, named.are_in, lambda text: named.out_of(text, ERASED))
    file = _airflow_database(settings)
    if not file.exists():
        return
    try:
        ledger.erase_from_airflow(file, named.are_in, lambda text: named.out_of(text, ERASED))
    except ledger.Busy:
        found.left.append(f"{file.relative_to(settings.data)} (in use: stop Airflow, and erase again)")
        return
    except ledger.Damaged:
        _remove_unread(settings, file, found)
        return
    # Letters of a short id are in any file.
    if search(file, Names(tuple(each for each in named.ids if len(each) >= SHORTEST_NUMBER))):
        found.left.append(file.relative_to(settings.data).as_posix())


def _airflow_database(settings: Settings) -> Path:
    return settings.data / "airflow" / "airflow.db"


def _files_below(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def pattern_of(account_id: str) -> str:
    """The id as a word of its own: `a1` is not in `a10`."""
    return rf"(^|[^A-Za-z0-9_-]){re.escape(account_id)}([^A-Za-z0-9_-]|$)"


def holds(file: Path, account_id: str, if_unread: bool = True) -> bool:
    """Whether a file's content holds the id as a word, read as its format reads.

    Args:
        if_unread: the answer for a file that cannot be read to its end: nobody can say that it does not hold it.
    """
    is_held = search(file, Names((account_id,)))
    return if_unread if is_held is None else is_held
