"""Landmarks: what a process remembers of listings, so that a page far in costs what the first does.

A database finds the row at offset 500,000 by walking there, and knows how many rows there are by
counting them. So each listing (one user's files, filtered and sorted) is remembered as its total
and a few landmarks: positions in the order with the number of files before them. A page is
then a seek to the nearest landmark, or either end, and a short walk.

What is promised: a page and its total are always those of the reader's own snapshot. A remembered
listing is as of one value of `users.files_version` and a span of time in which no file of the
user expires. When files came or went since (the journal tells, see writers/changes.py) or have
expired, totals and offsets are moved by exactly those files. When too many did, or the journal
does not carry the listing's sort value, the listing is counted anew. Forgetting is always
allowed; the cache is bounded and holds no file, only ids and sort values.
"""

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from itertools import accumulate
from threading import Lock
from typing import Any, NamedTuple

LISTINGS = 128
LANDMARKS = 256  # of one listing; at about 250 bytes each, 8 MB in all

Rank = tuple[bool, Any, str]


def rank(value: Any, file_id: str) -> Rank:
    """Where a file stands in ascending order: without a value first, then by value, then by id."""
    return (value is not None, 0 if value is None else value, file_id)


class Landmark(NamedTuple):
    """A position with the number of the listing's files that stand before it."""

    offset: int
    rank: Rank


class Change(NamedTuple):
    """A file that came (sign 1) or went (sign -1), and where it stands or stood."""

    rank: Rank
    sign: int


class Known(NamedTuple):
    """A listing as of a version and of every moment of `since <= now < until`.

    Attributes:
        version: Value of `users.files_version`.
        since: Milliseconds since the epoch.
        until: When the next of the user's files expires; infinity if none will.
        total: Files in the listing.
        landmarks: In ascending order.
    """

    version: int
    since: int
    until: float
    total: int
    landmarks: tuple[Landmark, ...] = ()

    def holds(self, version: int, now: int) -> bool:
        """Whether this is the listing as of that version and moment."""
        return self.version == version and self.since <= now < self.until

    def before(self, offset: int) -> Landmark | None:
        """The last landmark with at most `offset` files before it."""
        at = bisect_right(self.landmarks, offset, key=_offset)
        return self.landmarks[at - 1] if at else None

    def after(self, offset: int) -> Landmark | None:
        """The first landmark with at least `offset` files before it."""
        at = bisect_left(self.landmarks, offset, key=_offset)
        return self.landmarks[at] if at < len(self.landmarks) else None

    def learned(self, found: Iterable[Landmark]) -> "Known":
        """The same with more landmarks; every second old one gives way when there are too many."""
        known = set(self.landmarks)
        fresh = [landmark for landmark in found if landmark not in known]
        if not fresh:
            return self
        kept = list(self.landmarks)
        if len(kept) + len(fresh) > LANDMARKS:
            kept = kept[::2]
        for landmark in fresh:
            insort(kept, landmark, key=_rank)
        return self._replace(landmarks=tuple(kept))

    def moved(self, version: int, now: int, until: float, changes: Iterable[Change]) -> "Known":
        """The listing after some files came and went."""
        ordered = sorted(changes)
        ranks = [change.rank for change in ordered]
        sums = [0, *accumulate(change.sign for change in ordered)]
        landmarks = tuple(
            Landmark(offset + sums[bisect_left(ranks, place)], place)
            for offset, place in self.landmarks
        )
        return Known(version, now, until, self.total + sums[-1], landmarks)


class Landmarks:
    """Remembered listings, the least recently used forgotten first. For any number of threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, Known] = OrderedDict()
        self._lock = Lock()

    def recall(self, listing: Hashable) -> Known | None:
        """What is remembered of a listing, of whatever version."""
        with self._lock:
            known = self._known.get(listing)
            if known:
                self._known.move_to_end(listing)
            return known

    def remember(self, listing: Hashable, known: Known) -> None:
        """Keep what is known, unless what is kept is newer."""
        with self._lock:
            kept = self._known.get(listing)
            if kept and (kept.version, kept.since) > (known.version, known.since):
                return
            self._known[listing] = known
            self._known.move_to_end(listing)
            while len(self._known) > LISTINGS:
                self._known.popitem(last=False)


def _offset(landmark: Landmark) -> int:
    return landmark.offset


def _rank(landmark: Landmark) -> Rank:
    return landmark.rank
