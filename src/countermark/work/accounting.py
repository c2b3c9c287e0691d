"""Folding what edges tell into the catalog: bytes by day, complete downloads, and refusals.

A fold is one transaction, so a batch counts once, whenever the worker dies. A download is
complete when all bytes of the file have been delivered to one client of one link, over however
many ranges and edges; then its spans are forgotten, so that doing it all again counts again.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
import sqlalchemy as sa
import structlog

from countermark.catalog.database import Database, lock
from countermark.catalog.readers import traffic as read_traffic
from countermark.catalog.writers import traffic as write_traffic
from countermark.links.coverage import Coverage
from countermark.links.traffic import Batch, Counted, Delivered, Refused, decode, encode
from countermark.work.parts import now_ms

log = structlog.get_logger()

BATCHES = 100
KNOWN_MS = 3600 * 1000
GIVEN_UP_MS = 7 * 86_400 * 1000
REFUSED_MS = 90 * 86_400 * 1000


class CatalogTraffic:
    """The log of batches in the catalog, where all edges and workers meet.

    Args:
        database: The catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, batch: Batch) -> None:
        """See `TrafficLog`."""
        with self._database.write() as connection:
            write_traffic.append(connection, batch.id, encode(batch), now_ms())


def fold_traffic(database: Database, now: int) -> int:
    """Fold all batches that wait.

    Returns:
        How many downloads turned out to be complete.
    """
    complete = 0
    with database.read() as connection:
        if not read_traffic.waiting(connection, 1):
            return 0  # most often; writers need not wait for that
    while True:
        with database.write() as connection:
            lock(connection, write_traffic.FOLD_LOCK)
            waiting = read_traffic.waiting(connection, BATCHES)
            if waiting:
                complete += _fold(connection, _readable(waiting), now)
                write_traffic.mark_folded(connection, waiting, now)
        if len(waiting) < BATCHES:
            return complete


def forget_traffic(database: Database, now: int) -> None:
    """Drop what is not needed any more."""
    with database.write() as connection:
        write_traffic.forget(
            connection,
            folded_before=now - KNOWN_MS,
            idle_before=now - GIVEN_UP_MS,
            refused_before=now - REFUSED_MS,
        )


def _readable(bodies: Mapping[str, bytes]) -> list[Batch]:
    batches = []
    for id_, body in bodies.items():
        try:
            batches.append(decode(body))
        except msgspec.MsgspecError:
            # Such as one of a newer version: it must not hold up all others.
            log.exception("a batch of traffic cannot be read", batch=id_)
    return batches


def _fold(connection: sa.Connection, batches: list[Batch], now: int) -> int:
    sent: Counter[Counted] = Counter()
    downloads: Counter[Counted] = Counter()
    for batch in batches:
        for one in batch.sent:
            sent[one.counted] += one.bytes
            downloads[one.counted] += one.downloads
    deliveries = [one for batch in batches for one in batch.delivered]
    downloads.update(_merge(connection, deliveries, now))
    rows = [_row(counted, sent[counted], downloads[counted]) for counted in {**sent, **downloads}]
    write_traffic.add_bandwidth(connection, rows)
    refused = [_refusal(one) for batch in batches for one in batch.refused]
    write_traffic.add_refusals(connection, refused)
    by_file: Counter[str] = Counter()
    for counted, number in downloads.items():
        by_file[counted.file] += number
    write_traffic.count_downloads(connection, +by_file)
    return by_file.total()


def _merge(
    connection: sa.Connection, deliveries: Iterable[Delivered], now: int
) -> Counter[Counted]:
    """Add spans to what is known, and count those that have become whole."""
    deliveries = list(deliveries)
    known = read_traffic.spans(connection, {one.id for one in deliveries})
    complete: Counter[Counted] = Counter()
    for one in deliveries:
        coverage = Coverage.unpack(known.get(one.id, b""))
        for start, stop in Coverage.unpack(one.spans).spans():
            coverage.add(start, stop)
        if coverage.is_whole(one.size):
            complete[one.counted] += 1
            coverage = Coverage()
        known[one.id] = coverage.pack()
    write_traffic.keep_deliveries(connection, known, now)
    return complete


def _row(counted: Counted, sent: int, downloads: int) -> dict[str, str | int]:
    return {
        "user_id": counted.account,
        "day": counted.day,
        "application_id": counted.application,
        "tag": counted.tag,
        "file_id": counted.file,
        "bytes": sent,
        "downloads": downloads,
    }


def _refusal(refused: Refused) -> dict[str, str | int]:
    counted = refused.counted
    return {
        "serial": refused.serial,
        "day": counted.day,
        "address": refused.address,
        "error_code": refused.error_code,
        "user_id": counted.account,
        "application_id": counted.application,
        "file_id": counted.file,
        "tag": counted.tag,
        "times": refused.times,
        "last_at": refused.at,
    }
