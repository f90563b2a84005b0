"""Who follows whom on the played days, and what must be counted of it.

A follow is a record in the follower's own repository, whose `createdAt` is the played instant. The AppView lists
followers by `sortAt`, which it makes of `createdAt` and of the instant at which it saw the record, whichever is
earlier. A played instant is past, so it is the played one: no table of the AppView is written for a date.

Nobody follows an account in the same millisecond as another: their records would be equal to the byte, and the AppView
would skip the rest of them where one of its pages ends.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.live.network import Network, NotThere

RECORD = "app.bsky.graph.follow"
# Followers come until a capture of that hour, and to the next one from then on.
EVENING = 22
PATIENCE_SECONDS = 60
MILLISECOND = timedelta(milliseconds=1)


def on(day: int, clock: str) -> timedelta:
    """A time of a played day, from 1, since the first of them began; days up to 0 are before it."""
    return timedelta(days=day - 1) + (datetime.fromisoformat(f"2000-01-01T{clock}") - datetime(2000, 1, 1))


@dataclass(frozen=True)
class Follow:
    """That one account follows another from an instant on; until another one, if it leaves."""

    follower: int
    creator: int
    since: timedelta
    until: timedelta | None = None


def _one_by_one(creator: int, since: timedelta, *followers: int) -> tuple[Follow, ...]:
    return tuple(Follow(each, creator, since + number * MILLISECOND) for number, each in enumerate(followers))


# Creators 2 and 6 to 29 have no follower at any time; 30 to 34 are watched by nobody, and follow alone.
FOLLOWS = (
    # Some on some days: pages that end within a day, and pages that run over two days and more, also at the very end.
    *_one_by_one(0, on(-400, "09:00:00.000"), 1, 30),
    *_one_by_one(0, on(-30, "12:00:00.000"), 2, 3),
    *_one_by_one(0, on(0, "12:00:00.000"), 4, 5, 6, 7, 8, 9, 10, 11, 31),
    *_one_by_one(0, on(2, "12:00:00.000"), 12, 13, 14, 15, 32),
    # A millisecond on either side of a midnight, and both after the capture of the second day.
    *_one_by_one(0, on(2, "23:59:59.999"), 16),
    *_one_by_one(0, on(3, "00:00:00.000"), 17),
    *_one_by_one(0, on(5, "08:30:00.000"), 18, 19, 20, 21, 22, 23, 24, 33),
    *_one_by_one(0, on(9, "21:59:59.998"), 25, 26),
    *_one_by_one(0, on(12, "10:00:00.000"), 27, 28, 34),
    # One of four leaves; the only one of a day does, and comes back; the first of all does.
    Follow(30, 1, on(-5, "06:00:00.000"), until=on(10, "12:00:00.000")),
    Follow(0, 1, on(3, "10:00:00.000"), until=on(6, "11:00:00.000")),
    *_one_by_one(1, on(3, "11:00:00.000"), 2, 3, 31),
    Follow(32, 1, on(4, "12:00:00.000"), until=on(7, "12:00:00.000")),
    Follow(32, 1, on(8, "12:00:00.000")),
    # One alone, and two.
    Follow(4, 3, on(5, "12:00:00.000")),
    Follow(33, 4, on(5, "12:00:00.000")),
    Follow(5, 4, on(6, "12:00:00.000")),
    # All leave.
    Follow(6, 5, on(2, "10:00:00.000"), until=on(4, "10:00:00.000")),
    Follow(7, 5, on(2, "11:00:00.000"), until=on(4, "11:00:00.000")),
    Follow(34, 5, on(2, "12:00:00.000"), until=on(4, "12:00:00.000")),
)


@dataclass
class Played:
    """Follows on the servers.

    Args:
        first: date of the first played day.
        records: address of the record of each follow that is there.
        names: addresses and hashes of all records that ever were.
    """

    servers: Network
    first: date
    records: dict[Follow, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def clear(self) -> None:
        """Take away what the servers' program has let the accounts follow: it is all of today."""
        for number, user in enumerate(self.servers.users):
            with self.servers.session(number) as client:
                named = {"repo": user, "collection": RECORD}
                answer = client.get("/xrpc/com.atproto.repo.listRecords", params={**named, "limit": 100})
                for record in answer.raise_for_status().json()["records"]:
                    key = {**named, "rkey": record["uri"].rpartition("/")[2]}
                    client.post("/xrpc/com.atproto.repo.deleteRecord", json=key).raise_for_status()

    def play(self, day: int) -> None:
        """Write what has happened up to the evening of a played day, and wait until the AppView lists it."""
        evening = evening_of(self.first, day)
        there = {follow for follow in FOLLOWS if is_there(follow, self.first, evening)}
        changed = defaultdict(list)
        for follow in sorted(there ^ set(self.records), key=lambda each: each.since):
            changed[follow.follower].append(follow)
        for number, follows in changed.items():
            with self.servers.session(number) as client:
                named = {"repo": self.servers.users[number], "collection": RECORD}
                for follow in follows:
                    if follow in there:
                        record = {
                            "$type": RECORD,
                            "subject": self.servers.users[follow.creator],
                            "createdAt": f"{datetime_of(self.first, follow.since).isoformat(timespec='milliseconds')}Z",
                        }
                        body = {**named, "record": record}
                        made = client.post("/xrpc/com.atproto.repo.createRecord", json=body).raise_for_status().json()
                        self.records[follow] = made["uri"]
                        self.names |= {made["uri"], made["cid"]}
                    else:
                        key = {**named, "rkey": self.records.pop(follow).rpartition("/")[2]}
                        client.post("/xrpc/com.atproto.repo.deleteRecord", json=key).raise_for_status()
        self._wait(there)

    def _wait(self, there: set[Follow]) -> None:
        expected = defaultdict(set)
        for follow in there:
            expected[follow.creator].add(self.servers.users[follow.follower])
        until = time.monotonic() + PATIENCE_SECONDS
        for creator, user in enumerate(self.servers.users):
            while self.servers.followers(user) != expected[creator]:
                if time.monotonic() > until:
                    raise NotThere(f"the AppView does not list the followers of creator{creator} that were played")
                time.sleep(0.5)


def datetime_of(first: date, since: timedelta) -> datetime:
    """A played instant as one of the calendar, UTC without zone."""
    return datetime(first.year, first.month, first.day) + since


def evening_of(first: date, day: int) -> datetime:
    """The instant of a played day's capture."""
    return datetime_of(first, on(day, f"{EVENING}:00:00.000"))


def is_there(follow: Follow, first: date, at: datetime) -> bool:
    """Whether a follow has come by an instant and has not gone."""
    until = follow.until
    return datetime_of(first, follow.since) <= at and (until is None or datetime_of(first, until) > at)


def arrivals_on(first: date, day: int) -> Iterator[tuple[int, date, int]]:
    """What a capture of the evening of a played day must count: creator, day of arrival, followers.

    The AppView does not say where its last page ends, so that the first of those that are there is in no count.
    """
    evening = evening_of(first, day)
    arrivals = defaultdict(list)
    for follow in FOLLOWS:
        if is_there(follow, first, evening):
            arrivals[follow.creator].append(datetime_of(first, follow.since))
    for creator, instants in arrivals.items():
        for arrival, count in Counter(each.date() for each in sorted(instants)[1:]).items():
            yield creator, arrival, count
