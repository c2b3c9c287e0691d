"""Pages of a user's files: filtered, sorted by any key, flat in the offset.

Every listing is walked in one order, ascending or its mirror, from the nearest of: its first
file, its last, a remembered landmark (catalog/landmarks.py). Files without a sort value form a
stretch of their own before the others, so that each stretch is a plain range of an index.
The default order and those by name, size and creation have an index; others sort all files.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from msgspec import Struct

from countermark.catalog.landmarks import Change, Known, Landmark, Landmarks, Rank, rank
from countermark.catalog.readers.files import files_by_id
from countermark.catalog.records import FilePage
from countermark.catalog.sorting import Sort, sort_by, sort_keys
from countermark.catalog.tables import file_changes, files, users

__all__ = ["FileQuery", "page", "sort_keys"]

_JOURNALED = {"id", "name", "size", "created_at"}
_MOST_EXPIRED = 4096  # counting anew is cheaper than moving by more

Key = tuple[Any, str]  # sort value and id


class FileQuery(Struct, frozen=True):
    """Which files, in what order, and which of them.

    Attributes:
        user_id: Whose files.
        types: Of file, folder and archive; empty for all.
        pipeline_id: Only this pipeline's; None for all.
        job_id: Only this job's; None for all.
        sort: One of `sort_keys()`.
        direction: 1 ascending, -1 its exact mirror.
        start: Files to skip, 0 or more.
        limit: Files at most, 0 or more.
    """

    user_id: str
    types: frozenset[str] = frozenset()
    pipeline_id: str | None = None
    job_id: str | None = None
    sort: str = "id"
    direction: int = 1
    start: int = 0
    limit: int = 1000


class _Listing(NamedTuple):
    conn: sa.Connection
    query: FileQuery
    sort: Sort
    now: int

    @property
    def name(self) -> tuple[object, ...]:
        query = self.query
        return (query.user_id, query.types, query.pipeline_id, query.job_id, self.sort.name)

    def chosen(self, columns: sa.FromClause) -> Iterator[sa.ColumnElement[bool]]:
        """The filters, but for time; they apply to files and to their journal alike."""
        query = self.query
        yield columns.c.user_id == query.user_id
        if query.types:
            yield columns.c.type.in_(sorted(query.types))
        if query.pipeline_id is not None:
            yield columns.c.pipeline_id == query.pipeline_id
        if query.job_id is not None:
            yield columns.c.job_id == query.job_id

    def visible(self) -> Iterator[sa.ColumnElement[bool]]:
        yield from self.chosen(files)
        yield sa.or_(files.c.expires_at.is_(None), files.c.expires_at > self.now)


def page(conn: sa.Connection, query: FileQuery, now: int) -> FilePage:
    """One page and the total, of the connection's snapshot at the moment `now`.

    Raises:
        ValueError: the sort key is unknown.
    """
    listing = _Listing(conn, query, sort_by(query.sort), now)
    memory = conn.get_execution_options().get("landmarks") or Landmarks()
    known = _known(listing, memory)
    start, end = _window(query, known.total)
    keys = _keys(listing, known, start, end) if start < end else []
    if keys:
        ends = ((start, keys[0]), (start + len(keys) - 1, keys[-1]))
        known = known.learned(Landmark(offset, rank(*key)) for offset, key in ends)
    memory.remember(listing.name, known)
    found = files_by_id(conn, query.user_id, [file_id for _, file_id in keys], now)
    ids = [file_id for _, file_id in keys][:: query.direction]
    return FilePage([found[file_id] for file_id in ids], known.total)


def _window(query: FileQuery, total: int) -> tuple[int, int]:
    """The page as offsets of ascending order, the second one exclusive."""
    first, last = query.start, min(query.start + query.limit, total)
    return (first, last) if query.direction == 1 else (total - last, total - first)


def _known(listing: _Listing, memory: Landmarks) -> Known:
    version = listing.conn.scalar(
        sa.select(users.c.files_version).where(users.c.id == listing.query.user_id)
    )
    known = memory.recall(listing.name)
    if known and known.holds(version or 0, listing.now):
        return known
    query = sa.select(sa.func.min(files.c.expires_at)).where(
        files.c.user_id == listing.query.user_id, files.c.expires_at > listing.now
    )
    until = listing.conn.scalar(query) or float("inf")
    changes = _changes(listing, known, version or 0) if known else None
    if known and changes is not None:
        return known.moved(version or 0, listing.now, until, changes)
    return Known(version or 0, listing.now, until, _count(listing))


def _count(listing: _Listing) -> int:
    # Two counts, since an index tells either without a look at each file's time.
    counted = sa.select(sa.func.count()).select_from(files).where(*listing.chosen(files))
    ended = counted.where(files.c.expires_at <= listing.now)
    return (listing.conn.scalar(counted) or 0) - (listing.conn.scalar(ended) or 0)


def _changes(listing: _Listing, known: Known, version: int) -> list[Change] | None:
    """What came and went since the listing was known; None if that cannot be told."""
    in_past = known.version > version or known.since > listing.now
    if in_past or listing.sort.name not in _JOURNALED:
        return None
    journal = sa.select(file_changes).where(
        file_changes.c.user_id == listing.query.user_id, file_changes.c.version > known.version
    )
    entries = sa.select(sa.func.count()).select_from(journal.subquery())
    if listing.conn.scalar(entries) != version - known.version:
        return None
    # Files that had expired by then were not counted, so their removal changes nothing.
    counted = journal.where(
        *listing.chosen(file_changes),
        sa.or_(file_changes.c.expires_at.is_(None), file_changes.c.expires_at > known.since),
    )
    expired = (
        sa.select(files, sa.literal(-1).label("sign"))
        .where(*listing.chosen(files))
        .where(files.c.expires_at > known.since, files.c.expires_at <= listing.now)
        .limit(_MOST_EXPIRED)
    )
    gone = listing.conn.execute(expired).mappings().all()
    if len(gone) == _MOST_EXPIRED:
        return None
    rows = [*listing.conn.execute(counted).mappings(), *gone]
    return [Change(rank(row[listing.sort.name], row["id"]), row["sign"]) for row in rows]


def _keys(listing: _Listing, known: Known, start: int, end: int) -> list[Key]:
    """Sort values and ids of the files at these offsets, in ascending order."""
    before, after = known.before(start), known.after(end)
    forward = start - (before.offset if before else 0)
    backward = (after.offset if after else known.total) - end
    if forward <= backward:
        stretches = _forward(listing.sort, before and before.rank)
        return _walk(listing, stretches, forward, end - start)
    stretches = _backward(listing.sort, after and after.rank)
    return _walk(listing, stretches, backward, end - start)[::-1]


class _Stretch(NamedTuple):
    """A range of the order that is a range of the index, too, and how to walk it."""

    conditions: list[sa.ColumnElement[bool]]
    order: Sequence[sa.ColumnElement[Any]]


def _forward(sort: Sort, place: Rank | None) -> list[_Stretch]:
    """From a place on, it included; from the start without one."""
    order = _order(sort)
    if not sort.nullable:
        return [_Stretch([_compare(sort, place, ">=")] if place else [], order)]
    absent, present = sort.value.is_(None), sort.value.is_not(None)
    if place is None:
        return [_Stretch([absent], order), _Stretch([present], order)]
    if place[0]:
        return [_Stretch([_compare(sort, place, ">=")], order)]
    return [_Stretch([absent, files.c.id >= place[2]], order), _Stretch([present], order)]


def _backward(sort: Sort, place: Rank | None) -> list[_Stretch]:
    """From a place back, it excluded; from the end without one."""
    order = [column.desc() for column in _order(sort)]
    if not sort.nullable:
        return [_Stretch([_compare(sort, place, "<")] if place else [], order)]
    absent, present = sort.value.is_(None), sort.value.is_not(None)
    if place is None:
        return [_Stretch([present], order), _Stretch([absent], order)]
    if place[0]:
        return [_Stretch([_compare(sort, place, "<")], order), _Stretch([absent], order)]
    return [_Stretch([absent, files.c.id < place[2]], order)]


def _order(sort: Sort) -> list[sa.ColumnElement[Any]]:
    return [files.c.id] if sort.name == "id" else [sort.value, files.c.id]


def _compare(sort: Sort, place: Rank, operator: str) -> sa.ColumnElement[bool]:
    file_id = sa.literal(place[2], files.c.id.type)
    if sort.name == "id":
        return files.c.id.bool_op(operator)(file_id)
    value = sa.literal(place[1], sort.value.type)
    return sa.tuple_(sort.value, files.c.id).bool_op(operator)(sa.tuple_(value, file_id))


def _walk(listing: _Listing, stretches: Iterable[_Stretch], skip: int, limit: int) -> list[Key]:
    keys: list[Key] = []
    for stretch in stretches:
        query = sa.select(listing.sort.value, files.c.id).where(
            *listing.visible(), *stretch.conditions
        )
        wanted = query.order_by(*stretch.order).limit(limit - len(keys)).offset(skip)
        found = [(value, file_id) for value, file_id in listing.conn.execute(wanted)]
        keys += found
        if len(keys) == limit:
            break
        # Rows found use up the skip; without any, all of this stretch lay before the page.
        skip = 0 if found else skip - _length(listing, query)
    return keys


def _length(listing: _Listing, query: sa.Select[Any]) -> int:
    return listing.conn.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
