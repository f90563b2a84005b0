"""Batches: every delivery under its mapping, what became of its rows, and the paths under which it came."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ingestion.config import Settings
from ingestion.contracts import load_feeds
from ingestion.errors import ContractError, UsageError
from ingestion.ledger.store import Connection, Row, read, stamp, write

# In place of a delivery's mapping: its file is read again by the next run, whatever the mapping.
REPLAY_REQUESTED = "replay requested"
# In the reason of a superseded batch: what stood there before, and stands there again when it is revived.
BEFORE = "; before that: "


@dataclass(frozen=True)
class RawFile:
    """One Parquet file of a batch: rows of one UTC day."""

    path: str
    snapshot_date: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class KeyFile:
    """The Parquet file of the keys that a batch's file names in rows that are not loaded."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Arrival:
    """What one coming of a batch's bytes says beside its rows.

    Args:
        file: its name in landing.
        written_at: the file's own modification time; of two files as of one instant the later one counts.
        scope: the constants of the mapping, as JSON: a delivery withdraws only what was loaded under the same ones.
        is_full: whether it delivers all that there is, so that what it no longer holds is withdrawn.
        is_signed: whether a refund below 0 takes one back, and is not just written with a minus.
        keys_unread: rows of which not even the key can be read.
        companions: names in landing of all files of its delivery, where a manifest tells them.
    """

    file: str
    as_of: datetime
    written_at: datetime
    scope: str | None = None
    is_full: bool = False
    is_signed: bool = False
    keys_unread: int = 0
    companions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """One delivery under one mapping, and what became of each of its rows."""

    batch_id: str
    feed: str
    mapping: str
    mapping_fingerprint: str
    sha256: str
    file: str
    bytes: int
    header: list[str] | None
    file_time: datetime | None
    as_of: datetime
    landed_at: datetime
    data_origin: str
    state: str
    reason: str | None
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_duplicate: int
    run_id: str
    raw_files: list[RawFile] = field(default_factory=list)
    rows_left_out: int = 0
    layout: str = ""
    invalid_cells: Mapping[str, int] = field(default_factory=dict)
    arrival: Arrival | None = None
    key_file: KeyFile | None = None
    key_dates: tuple[str, ...] = ()

    @property
    def speaks_of_keys(self) -> bool:
        """Whether marts depend on it even where none of its rows is loaded."""
        return self.key_file is not None or (self.arrival is not None and self.arrival.is_full)


def record_batch(connection: Connection, batch: Batch) -> None:
    """Write a batch, its raw files and the dates it makes dirty; an older reading of the same delivery is superseded.

    The batch takes the place in the order of landing that the first reading of its delivery had.

    Raises sqlite3.IntegrityError when read is not accepted + quarantined + duplicate.
    """
    connection.execute(
        "insert into batches values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch.batch_id, batch.feed, batch.mapping, batch.mapping_fingerprint, batch.sha256, batch.file, batch.bytes,
            None if batch.header is None else json.dumps(batch.header, ensure_ascii=False),
            batch.file_time and stamp(batch.file_time), stamp(batch.as_of), stamp(batch.landed_at), batch.data_origin,
            batch.state, batch.reason, batch.rows_read, batch.rows_accepted, batch.rows_quarantined,
            batch.rows_duplicate, batch.run_id, batch.rows_left_out, _landing_order(connection, batch),
            batch.layout, json.dumps(batch.invalid_cells) if batch.invalid_cells else None,
        ),
    )  # fmt: skip
    connection.executemany(
        "insert into raw_files values (?, ?, ?, ?, ?, ?, ?)",
        [(f.path, batch.batch_id, batch.feed, f.snapshot_date, f.rows, f.bytes, f.sha256) for f in batch.raw_files],
    )
    if batch.key_file:
        held = batch.key_file
        connection.execute(
            "insert into key_files values (?, ?, ?, ?, ?, ?)",
            (held.path, batch.batch_id, batch.feed, held.rows, held.bytes, held.sha256),
        )
    _write_arrival(connection, batch.batch_id, batch.arrival or Arrival(batch.file, batch.as_of, batch.landed_at))
    _mark_dirty(connection, batch.batch_id, "accepted")
    # What a file withdraws changes marts as well, and so does one that is refused while others of its delivery count.
    days = batch.key_dates or (() if batch.raw_files else (str(batch.as_of.date()),))
    connection.executemany(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since) values (?, ?, ?, 'accepted', ?)",
        [(batch.feed, day, batch.batch_id, stamp()) for day in days if batch.speaks_of_keys],
    )
    _supersede_others(connection, batch.batch_id)


def _write_arrival(connection: Connection, batch_id: str, arrival: Arrival) -> None:
    connection.execute(
        "insert or replace into arrivals values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            batch_id, arrival.file, stamp(arrival.as_of), stamp(arrival.written_at), arrival.scope, arrival.is_full,
            arrival.is_signed, arrival.keys_unread, json.dumps(arrival.companions) if arrival.companions else None,
        ),
    )  # fmt: skip


def record_arrival(connection: Connection, batch_id: str, arrival: Arrival) -> None:
    """Note that known bytes came again. Where other files have said something else in between, they count once more.

    Dirty are then the dates of its rows on which another file has some as well, or all of them where a row that is
    corrected may move to another day. What the reading of the bytes found holds for each of their comings.
    """
    known = connection.execute("select * from arrivals where batch_id = ? order by as_of, written_at", (batch_id,))
    before = known.fetchall()
    came = (arrival.file, stamp(arrival.as_of), stamp(arrival.written_at))
    if not before or any((row["file"], row["as_of"], row["written_at"]) == came for row in before):
        return
    first = before[0]
    found = {"scope": first["scope"], "is_signed": bool(first["is_signed"]), "keys_unread": first["keys_unread"]}
    if arrival.is_full and not first["is_full"]:
        # Rows in quarantine were not asked for their keys then, so nobody knows what is held back.
        query = "select rows_quarantined from batches where batch_id = ?"
        (found["keys_unread"],) = connection.execute(query, (batch_id,)).fetchone()
    _write_arrival(connection, batch_id, replace(arrival, **found))
    connection.execute(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since)"
        " select distinct mine.feed, mine.snapshot_date, mine.batch_id, 'accepted', ? from raw_files mine"
        " join raw_files theirs on theirs.feed = mine.feed and theirs.batch_id <> mine.batch_id"
        " join batches b on b.batch_id = theirs.batch_id and b.state = 'accepted'"
        " join arrivals a on a.batch_id = theirs.batch_id and (a.as_of, a.written_at) >= (?, ?)"
        " where mine.batch_id = ? and (theirs.snapshot_date = mine.snapshot_date or not ?)",
        (stamp(), first["as_of"], first["written_at"], batch_id, _has_time(connection, batch_id)),
    )


def _has_time(connection: Connection, batch_id: str) -> bool:
    """Whether rows of a batch's feed carry the instant at which they were captured."""
    (feed,) = connection.execute("select feed from batches where batch_id = ?", (batch_id,)).fetchone()
    return feed in load_feeds() and load_feeds()[feed].time is not None


def _landing_order(connection: Connection, batch: Batch) -> int:
    """Place in the order of landing: that of the first reading of the same delivery, else the next one.

    The same bytes are one delivery under one name, or under several with one time in them.
    """
    order: int = connection.execute(
        "select coalesce((select min(landing_order) from batches where sha256 = ? and (file = ? or file_time is ?)),"
        " (select max(landing_order) + 1 from batches), 1)",
        (batch.sha256, batch.file, batch.file_time and stamp(batch.file_time)),
    ).fetchone()[0]
    return order


def _supersede_others(connection: Connection, batch_id: str) -> None:
    """Other readings of the same delivery are superseded by this one.

    The same delivery is the same bytes under the same name, or under another name with the same time in it.
    Under one name the time differs only when another mapping reads it elsewhere.

    What the same mapping reads of it into other feeds stays.
    """
    others = connection.execute(
        "select other.batch_id, other.reason from batches this join batches other on other.sha256 = this.sha256"
        " and other.batch_id <> this.batch_id"
        " and (other.feed = this.feed or other.mapping <> this.mapping"
        " or other.mapping_fingerprint <> this.mapping_fingerprint)"
        " where this.batch_id = ? and other.state in ('accepted', 'quarantined') and (other.file = this.file"
        " or other.file_time is this.file_time and exists"
        " (select 1 from deliveries d join batches seen on seen.batch_id = d.batch_id where d.path = this.file"
        " and seen.sha256 = other.sha256 and seen.mapping = other.mapping"
        " and seen.mapping_fingerprint = other.mapping_fingerprint))",
        (batch_id,),
    ).fetchall()
    for row in others:
        note = f"read again as {batch_id[:12]} under another mapping"
        before = f"{BEFORE}{row['reason']}" if row["reason"] else ""
        retire_batch(connection, row["batch_id"], "superseded", note + before)


def revive_batch(connection: Connection, batch_id: str) -> bool:
    """Whether a batch is known; one that another mapping had superseded counts again, as its mapping does."""
    row = connection.execute("select * from batches where batch_id = ?", (batch_id,)).fetchone()
    if row is not None and row["state"] == "superseded":
        state = "accepted" if row["rows_accepted"] else "quarantined"
        reason = row["reason"].partition(BEFORE)[2] or None
        connection.execute("update batches set state = ?, reason = ? where batch_id = ?", (state, reason, batch_id))
        _mark_dirty(connection, batch_id, "accepted")
        _supersede_others(connection, batch_id)
    return row is not None


def retire_batch(connection: Connection, batch_id: str, state: str, reason: str) -> None:
    """Take a batch back: its rows leave the marts with the next run; raw keeps them."""
    connection.execute("update batches set state = ?, reason = ? where batch_id = ?", (state, reason, batch_id))
    _mark_dirty(connection, batch_id, state)


def let_batch_go(connection: Connection, batch_id: str, reason: str) -> None:
    """A batch counts no more, and its days are not built without it: they are past, and leave the marts at once."""
    connection.execute("update batches set state = 'rejected', reason = ? where batch_id = ?", (reason, batch_id))


def retire_delivery(connection: Connection, path: str, why: str) -> None:
    """Forget what was read under a name in landing, with all feeds that it filled, where no other name has it too."""
    batches = connection.execute(
        "select other.batch_id from deliveries d join batches this using (batch_id) join batches other"
        " using (sha256, mapping, mapping_fingerprint) where d.path = ? and other.file = this.file"
        " and other.state in ('accepted', 'quarantined') and not exists"
        " (select 1 from deliveries also where also.batch_id = d.batch_id and also.path <> d.path)",
        (path,),
    ).fetchall()
    for row in batches:
        retire_batch(connection, row["batch_id"], "superseded", why)
    connection.execute("delete from deliveries where path = ?", (path,))


def _mark_dirty(connection: Connection, batch_id: str, cause: str) -> None:
    connection.execute(
        "insert into dirty_dates (feed, snapshot_date, batch_id, cause, since)"
        " select feed, snapshot_date, batch_id, ?, ? from raw_files where batch_id = ?",
        (cause, stamp(), batch_id),
    )


def reject(settings: Settings, batch_prefix: str, why: str) -> str:
    """Reject one accepted batch by the start of its id. Returns a line for people.

    Raises UsageError when no accepted batch, or more than one, begins so.
    """
    with write(settings) as connection:
        found = connection.execute(
            "select batch_id, file, rows_accepted from batches where substr(batch_id, 1, ?) = ? and state = 'accepted'",
            (len(batch_prefix), batch_prefix),
        ).fetchall()
        if len(found) != 1 or not batch_prefix:
            raise UsageError(
                f"{len(found)} accepted batches begin with {batch_prefix!r}; the ids stand in marts.fct_landed_file"
            )
        retire_batch(connection, found[0]["batch_id"], "rejected", why)
    return f"rejected {found[0]['file']}: its {found[0]['rows_accepted']} rows leave the marts with the next run"


def request_replay(connection: Connection, batch_id: str) -> None:
    """Have the next run read a batch's file again, under a new id: what stands in raw is never written over.

    A delivery names one of the batches of its file, so it is found by any of them; what the file gave to other feeds
    is known, and stays as it is.
    """
    connection.execute(
        "insert into replays select sha256, feed, batch_id, ? from batches where batch_id = ?", (stamp(), batch_id)
    )
    connection.execute(
        "update deliveries set mapping_fingerprint = ? where batch_id in (select other.batch_id from batches this"
        " join batches other using (sha256, mapping, mapping_fingerprint) where this.batch_id = ?)",
        (REPLAY_REQUESTED, batch_id),
    )


def times_requested(settings: Settings, sha256: str, feed: str) -> int:
    """How often a replay of these bytes was requested for a feed: part of the batch's id."""
    with read(settings) as connection:
        row = connection.execute(
            "select count(*) from replays where sha256 = ? and feed = ?", (sha256, feed)
        ).fetchone()
        return int(row[0])


def count_again(connection: Connection, batch_id: str) -> None:
    """Let a rejected batch count again, as it did before it was rejected. The caller has verified its raw files.

    Raises ContractError when it is not rejected, or its bytes count already under another reading.
    """
    row = connection.execute("select * from batches where batch_id = ?", (batch_id,)).fetchone()
    check_revivable(connection, row)
    reason = f"counts again; had been rejected: {row['reason']}"
    connection.execute("update batches set state = 'accepted', reason = ? where batch_id = ?", (reason, batch_id))
    _mark_dirty(connection, batch_id, "accepted")


def check_revivable(connection: Connection, batch: Row) -> None:
    """Raise ContractError unless a batch is rejected and its bytes do not count under another reading."""
    if batch["state"] != "rejected":
        raise ContractError(f"batch {batch['batch_id'][:12]} is {batch['state']}, not rejected: leave out REVIVE")
    other = connection.execute(
        "select batch_id from batches where sha256 = ? and feed = ? and state = 'accepted'",
        (batch["sha256"], batch["feed"]),
    ).fetchone()
    if other is not None:
        raise ContractError(f"the same bytes count already, as batch {other['batch_id'][:12]}: nothing to revive")


def is_empty(settings: Settings) -> bool:
    """Whether nothing was ever landed."""
    if not settings.ledger.exists():
        return True
    with read(settings) as connection:
        return connection.execute("select 1 from batches limit 1").fetchone() is None


# --- what is asked


def find_batches(connection: Connection, prefix: str) -> list[Row]:
    """Batches whose id begins so."""
    query = "select * from batches where substr(batch_id, 1, ?) = ?"
    return connection.execute(query, (len(prefix), prefix)).fetchall()


def batches_of_run(connection: Connection, run_id: str, feed: str | None = None) -> list[Row]:
    """Batches that a run has landed, of one feed or of all, in the order of their ids."""
    query = "select * from batches where run_id = ? and feed = coalesce(?, feed) order by batch_id"
    return connection.execute(query, (run_id, feed)).fetchall()


def batches_of_source(connection: Connection, source: str, mappings: Sequence[str]) -> list[Row]:
    """Batches that a source's mappings read, or that lay in its folder of landing, whatever became of them."""
    return connection.execute(
        f"select * from batches where mapping in ({', '.join('?' * len(mappings))}) or substr(file, 1, ?) = ?"
        " order by batch_id",
        (*mappings, len(source) + 1, f"{source}/"),
    ).fetchall()


def unreleased_batches(connection: Connection, run_id: str) -> list[Row]:
    """Batches that count or are quarantined whole, of a run or landed after the newest release, by their ids.

    What a blocked night has landed is among them until a release holds it.
    """
    return connection.execute(
        "select * from batches where state in ('accepted', 'quarantined') and (run_id = ?"
        " or landed_at > coalesce((select max(published_at) from releases), '')) order by batch_id",
        (run_id,),
    ).fetchall()


def empty_deliveries(connection: Connection, feed: str, first: str, last: str) -> list[Row]:
    """Files of a feed that hold a header and no row: their date, by `as_of`, within these."""
    return connection.execute(
        "select batch_id, file, as_of, date(as_of) as snapshot_date from batches where feed = ? and state = 'accepted'"
        " and rows_read = 0 and date(as_of) between ? and ? order by as_of, batch_id",
        (feed, first, last),
    ).fetchall()


def batches_with_rejects(connection: Connection, feed: str | None = None) -> list[Row]:
    """Batches that count and hold quarantined rows, or are quarantined whole, in the order of feed and file."""
    return connection.execute(
        "select * from batches where (state = 'quarantined' or (state = 'accepted' and rows_quarantined > 0))"
        " and feed = coalesce(?, feed) order by feed, file, batch_id",
        (feed,),
    ).fetchall()


def batches_with_rows_in_raw(connection: Connection) -> list[Row]:
    """Every batch with `in_raw`, the rows that its raw files hold, in the order of landing."""
    return connection.execute(
        "select b.*, coalesce(sum(f.rows), 0) as in_raw from batches b left join raw_files f using (batch_id)"
        " group by b.batch_id order by b.landing_order, b.landed_at, b.batch_id"
    ).fetchall()


def arrivals(connection: Connection) -> list[Row]:
    """Every coming of every batch that counts, or is refused, with what its batch is; in the order in which they count.

    Later `as_of`, then the later file: its own modification time, then the order of landing.
    """
    return connection.execute(
        "select a.*, b.feed, b.mapping, b.state, b.rows_read, b.rows_accepted, b.rows_left_out,"
        " b.rows_duplicate, b.landing_order from arrivals a join batches b using (batch_id)"
        " where b.state <> 'superseded' order by a.as_of, a.written_at, b.landing_order, a.batch_id"
    ).fetchall()


def batch_keys(connection: Connection) -> list[Row]:
    """Id, feed and sha-256 of every batch."""
    return connection.execute("select batch_id, feed, sha256 from batches").fetchall()


def accepted_batch_ids(connection: Connection, feed: str) -> list[str]:
    """Ids of the accepted batches of a feed, in order."""
    query = "select batch_id from batches where feed = ? and state = 'accepted' order by 1"
    return [row["batch_id"] for row in connection.execute(query, (feed,))]


def has_accepted(connection: Connection, feed: str) -> bool:
    """Whether a feed has an accepted batch."""
    query = "select 1 from batches where feed = ? and state = 'accepted' limit 1"
    return connection.execute(query, (feed,)).fetchone() is not None


def accepted_files(connection: Connection) -> list[Row]:
    """File and accepted rows of every accepted batch."""
    return connection.execute("select file, rows_accepted from batches where state = 'accepted'").fetchall()


def accepted_reading(connection: Connection, batch: Row) -> str | None:
    """File of another delivery of the same bytes that is accepted; what this one gave to another feed is none."""
    row = connection.execute(
        "select file from batches where sha256 = ? and state = 'accepted'"
        " and not (file = ? and mapping_fingerprint = ?) order by file",
        (batch["sha256"], batch["file"], batch["mapping_fingerprint"]),
    ).fetchone()
    return row["file"] if row else None


def headers_before(connection: Connection, batch: Row, most: int) -> list[Row]:
    """File and header of the accepted batches of a batch's mapping and feed that landed before it, the last first.

    A file that was read again stands where it landed first.
    """
    return connection.execute(
        "select file, header from batches where state = 'accepted' and feed = ? and mapping = ? and landing_order < ?"
        " and header is not null and rows_read > 0 order by landing_order desc limit ?",
        (batch["feed"], batch["mapping"], batch["landing_order"], most),
    ).fetchall()


def landed_files(connection: Connection) -> list[Row]:
    """The ledger for people: one row per landed file by its sha-256, superseded readings left out."""
    return connection.execute(
        "select sha256, group_concat(distinct feed), max(mapping), max(file), max(landed_at), sum(rows_read),"
        " sum(rows_accepted), sum(rows_quarantined), sum(rows_duplicate), max(state), group_concat(reason, '; '),"
        " max(batch_id), max(run_id)"
        " from (select * from batches where state <> 'superseded' order by landing_order, batch_id) group by sha256"
    ).fetchall()


def latest_batches(connection: Connection, most: int) -> list[Row]:
    """The batches that were landed last. A reading that a later one of its delivery superseded is not counted twice."""
    return connection.execute(
        "select feed, mapping, file, landed_at, state, reason, batch_id, data_origin,"
        " rows_read, rows_accepted, rows_quarantined, rows_duplicate"
        " from batches where state <> 'superseded' order by landed_at desc, batch_id limit ?",
        (most,),
    ).fetchall()


def batch_totals(connection: Connection) -> Row:
    """Files and rows of all batches that count, by what became of them."""
    row: Row = connection.execute(
        "select count(*) as files, sum(state = 'quarantined') as quarantined_files,"
        " sum(state = 'rejected') as rejected_files, coalesce(sum(rows_read), 0) as rows_read,"
        " coalesce(sum(rows_accepted), 0) as rows_accepted, coalesce(sum(rows_quarantined), 0) as rows_quarantined,"
        " coalesce(sum(rows_duplicate), 0) as rows_duplicate from batches where state <> 'superseded'"
    ).fetchone()
    return row


def totals_of_run(connection: Connection, run_id: str) -> Row:
    """Files and rows that a run has landed, by what became of them."""
    row: Row = connection.execute(
        "select count(*) as files, coalesce(sum(rows_read), 0) as read, coalesce(sum(rows_accepted), 0) as accepted,"
        " coalesce(sum(rows_quarantined), 0) as quarantined, coalesce(sum(rows_duplicate), 0) as duplicate,"
        " coalesce(sum(state = 'quarantined'), 0) as set_aside from batches where run_id = ?",
        (run_id,),
    ).fetchone()
    return row


def take_off_rows(connection: Connection, batch_id: str, accepted: int = 0, quarantined: int = 0) -> None:
    """Count so many rows of a batch less, as if its file had never held them."""
    connection.execute(
        "update batches set rows_read = rows_read - ?, rows_accepted = rows_accepted - ?,"
        " rows_quarantined = rows_quarantined - ? where batch_id = ?",
        (accepted + quarantined, accepted, quarantined, batch_id),
    )


# --- deliveries

# A file that fills several feeds may have been refused for the first, and its header noted with another.
_HEADER = (
    "coalesce(b.header, (select other.header from batches other where other.sha256 = b.sha256"
    " and other.file = b.file and other.landed_at = b.landed_at and other.header is not null limit 1))"
)


def deliveries(connection: Connection) -> list[Row]:
    """Every name in landing that was seen, with its size, time and inode, and what its batch is.

    `header` is that of the file; `loaded_under` names the mapping under which its rows count, null where none do.
    """
    loaded = "case when b.state = 'accepted' then b.mapping end as loaded_under"
    query = f"select d.*, {_HEADER} as header, {loaded} from deliveries d left join batches b using (batch_id)"
    return connection.execute(query).fetchall()


def batches_of_bytes(connection: Connection, sha256: str) -> list[Row]:
    """Every batch of a file's bytes, with the header that the file had: what it was read with and what became of it."""
    query = (
        f"select b.batch_id, b.feed, b.mapping_fingerprint, b.layout, b.state, b.reason, {_HEADER} as header"
        " from batches b where b.sha256 = ? order by b.rowid"
    )
    return connection.execute(query, (sha256,)).fetchall()


def header_of(known: Row) -> list[str] | None:
    """The header of a delivery or batch; null where its file was refused before it was read."""
    header: list[str] | None = None if known["header"] is None else json.loads(known["header"])
    return header


def paths_of_batch(connection: Connection, batch_id: str) -> list[str]:
    """Names in landing under which a batch was delivered."""
    rows = connection.execute("select path from deliveries where batch_id = ?", (batch_id,))
    return [row["path"] for row in rows]


def record_delivery(
    connection: Connection, path: str, identity: tuple[int, int, int], mapping_fingerprint: str, batch_id: str
) -> None:
    """Note under which name a batch lies in landing; `identity` is its size, time in ns and inode."""
    connection.execute(
        "insert or replace into deliveries values (?, ?, ?, ?, ?, ?, ?)",
        (path, *identity, mapping_fingerprint, batch_id, stamp()),
    )
