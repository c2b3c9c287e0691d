"""Batches of edges become sums by day and counts of complete downloads, on both databases."""

import msgspec
import pytest

from countermark.catalog.database import Database
from countermark.catalog.readers import bandwidth as read_bandwidth
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import refusals as read_refusals
from countermark.catalog.readers import traffic as read_traffic
from countermark.catalog.readers.bandwidth import Period
from countermark.catalog.records import FileRecord
from countermark.catalog.writers import traffic as write_traffic
from countermark.ids import new_id
from countermark.links.coverage import Coverage
from countermark.links.traffic import Batch, Counted, Delivered, Refused, Sent, encode
from countermark.work.accounting import KNOWN_MS, REFUSED_MS, fold_traffic, forget_traffic
from support.catalog import NOW, Owner, make_owner

DAY = NOW - NOW % 86_400_000


@pytest.fixture
def owner(database: Database) -> Owner:
    with database.write() as conn:
        return make_owner(conn)


@pytest.fixture
def file(database: Database, owner: Owner) -> FileRecord:
    with database.write() as conn:
        return owner.add(conn, "movie.mp4", size=1000)


def counted(file: FileRecord, tag: str = "", day: int = DAY) -> Counted:
    return Counted(file.user_id, file.application_id, file.id, tag, day)


def append(database: Database, batch: Batch) -> None:
    with database.write() as conn:
        write_traffic.append(conn, batch.id, encode(batch), NOW)


def tell(database: Database, sent: int, *delivered: Delivered, of: Counted) -> None:
    append(database, Batch(new_id(), (Sent(of, sent, 0),), delivered))


def part(file: FileRecord, start: int, stop: int, client: str = "c" * 24) -> Delivered:
    return Delivered(client, counted(file), 1000, Coverage([start, stop]).pack())


def totals(database: Database, file: FileRecord, tag: str | None = None) -> tuple[int, int]:
    with database.read() as conn:
        found = read_bandwidth.total(conn, Period(file.user_id, 0, NOW, None), tag)
    return found.bytes, found.downloads


def download_count(database: Database, file: FileRecord) -> int | None:
    with database.read() as conn:
        found = read_files.file(conn, file.user_id, file.id, NOW)
    assert found is not None
    return found.download_count


def test_a_batch_counts_once_however_often_it_is_appended_and_folded(
    database: Database, file: FileRecord
) -> None:
    batch = Batch(new_id(), (Sent(counted(file), 700, 1),), ())
    append(database, batch)
    append(database, batch)
    assert fold_traffic(database, NOW) == 1
    append(database, batch)
    assert fold_traffic(database, NOW) == 0
    assert totals(database, file) == (700, 1)
    assert download_count(database, file) == 1


def test_ranges_from_several_edges_make_one_complete_download(
    database: Database, file: FileRecord
) -> None:
    tell(database, 600, part(file, 0, 600), of=counted(file))
    fold_traffic(database, NOW)
    assert download_count(database, file) in {None, 0}
    tell(database, 500, part(file, 500, 1000), of=counted(file))
    fold_traffic(database, NOW)
    assert download_count(database, file) == 1
    assert totals(database, file) == (1100, 1)


def test_downloading_all_of_it_again_counts_again_and_a_part_of_it_does_not(
    database: Database, file: FileRecord
) -> None:
    for start, stop in [(0, 900), (900, 1000), (0, 500), (500, 1000), (0, 999)]:
        tell(database, stop - start, part(file, start, stop), of=counted(file))
    assert fold_traffic(database, NOW) == 2
    assert download_count(database, file) == 2


def test_halves_that_two_clients_got_are_no_download(database: Database, file: FileRecord) -> None:
    tell(database, 500, part(file, 0, 500, "a" * 24), of=counted(file))
    tell(database, 500, part(file, 500, 1000, "b" * 24), of=counted(file))
    assert fold_traffic(database, NOW) == 0


def test_tags_are_ordered_by_bytes_and_what_has_none_is_not_among_them(
    database: Database, file: FileRecord
) -> None:
    for tag, sent in [("", 9000), ("small", 10), ("large", 500), ("small", 20)]:
        tell(database, sent, of=counted(file, tag))
    fold_traffic(database, NOW)
    with database.read() as conn:
        tags = read_bandwidth.top_tags(conn, Period(file.user_id, 0, NOW, None), 10)
    assert [(one.tag, one.bytes) for one in tags] == [("large", 500), ("small", 30)]
    assert totals(database, file, "small") == (30, 0)


def test_a_deleted_files_traffic_stays(database: Database, owner: Owner) -> None:
    gone = Counted(owner.user.id, owner.application.id, "e" * 24, "", DAY)
    append(database, Batch(new_id(), (Sent(gone, 10, 1),), ()))
    assert fold_traffic(database, NOW) == 1
    with database.read() as conn:
        total = read_bandwidth.total(conn, Period(owner.user.id, DAY, DAY, None))
    assert (total.bytes, total.downloads) == (10, 1)


def test_a_batch_that_cannot_be_read_holds_up_no_other(
    database: Database, file: FileRecord
) -> None:
    with database.write() as conn:
        write_traffic.append(conn, new_id(), b"\xff garbage", NOW)
    tell(database, 5, of=counted(file))
    fold_traffic(database, NOW)
    assert totals(database, file) == (5, 0)


def test_folded_batches_are_forgotten_after_an_hour_and_waiting_ones_are_kept(
    database: Database, file: FileRecord
) -> None:
    tell(database, 5, of=counted(file))
    forget_traffic(database, NOW + 10 * KNOWN_MS)
    with database.read() as conn:
        assert len(read_traffic.waiting(conn, 10)) == 1
    fold_traffic(database, NOW)
    forget_traffic(database, NOW + KNOWN_MS + 1)
    with database.read() as conn:
        assert not read_traffic.waiting(conn, 10)
    assert totals(database, file) == (5, 0)


def refused(file: FileRecord, times: int, at: int, address: str = "192.0.2.1") -> Refused:
    return Refused(counted(file, "anna"), "q8yA7wE1b2c", address, "0x0250007", times, at)


def refusals(database: Database, file: FileRecord) -> list[tuple[str, str, int, int]]:
    with database.read() as conn:
        found = read_refusals.latest(conn, Period(file.user_id, 0, NOW, None), 10, file.id)
    return [(one.address, one.tag, one.times, one.last_at) for one in found]


def test_refusals_of_several_edges_are_added_up_the_last_first_and_forgotten_at_last(
    database: Database, file: FileRecord
) -> None:
    append(database, Batch(new_id(), (), (), (refused(file, 2, NOW), refused(file, 1, NOW - 5))))
    append(database, Batch(new_id(), (), (), (refused(file, 4, NOW - 1, "192.0.2.2"),)))
    fold_traffic(database, NOW)
    append(database, Batch(new_id(), (), (), (refused(file, 1, NOW - 9),)))
    fold_traffic(database, NOW)
    assert refusals(database, file) == [
        ("192.0.2.1", "anna", 4, NOW),
        ("192.0.2.2", "anna", 4, NOW - 1),
    ]
    forget_traffic(database, NOW + REFUSED_MS)
    assert refusals(database, file) == [("192.0.2.1", "anna", 4, NOW)]


def test_a_batch_of_an_edge_that_knew_no_refusals_is_read(
    database: Database, file: FileRecord
) -> None:
    body = msgspec.msgpack.encode([new_id(), [Sent(counted(file), 5, 0)], []])
    with database.write() as conn:
        write_traffic.append(conn, new_id(), body, NOW)
    fold_traffic(database, NOW)
    assert totals(database, file) == (5, 0)
