"""AutoGraph in the catalog: one key, every tag once, every copy, on both databases."""

import multiprocessing
import sqlite3

from countermark.catalog.database import Database
from countermark.catalog.readers import autograph as read
from countermark.catalog.records import IssuedCopy
from countermark.catalog.writers import autograph as write
from countermark.ids import new_id
from support.catalog import NOW, make_owner

MASTER = "0123456789abcdef01234567"


def copy(tag: str, file_id: str = MASTER, **changes: object) -> IssuedCopy:
    known = {
        "serial": new_id(),
        "file_id": file_id,
        "tag": tag,
        "user_id": "a" * 24,
        "application_id": "b" * 24,
        "asked_from": "192.0.2.1",
        "bound_to": None,
        "expires_at": NOW + 1,
        "created_at": NOW,
    }
    return IssuedCopy(**(known | changes))


def test_there_is_one_key_whoever_asks_first(database: Database) -> None:
    with database.write() as conn:
        first = write.ensure_key(conn, NOW)
        assert write.ensure_key(conn, NOW + 1) == first
    with database.read() as conn:
        assert read.keys(conn) == [first]
    assert len(first.secret) == 32


TAGS = [
    "\1",
    "\1\1",
    "\1\2",
    "\2",
    " ",
    "Zoë",
    "a" * 256,
    "\u00e9",
    "e\u0301",
    "🎬",
]


def test_every_tag_is_there_once_whatever_characters_it_has(database: Database) -> None:
    with database.write() as conn:
        write.issue(conn, [copy(tag) for tag in [*TAGS, *reversed(TAGS)]])
        write.issue(conn, [copy("Zoë"), copy("of another", new_id())])
        write.issue(conn, [])
    with database.read() as conn:
        assert list(read.tags(conn, MASTER)) == sorted(TAGS)
        assert read.count_tags(conn, MASTER) == len(TAGS)
        assert list(read.tags(conn, new_id())) == []


def test_who_was_given_a_copy_is_told_oldest_first(database: Database) -> None:
    given = [copy("a\1", created_at=NOW + at, bound_to="192.0.2.7") for at in (3, 1, 2)]
    with database.write() as conn:
        write.issue(conn, [*given, copy("b")])
    with database.read() as conn:
        assert read.copies(conn, MASTER, "a\1", 2) == [given[1], given[2]]


def test_masters_are_those_files_of_the_user_that_hold_variants(database: Database) -> None:
    with database.write() as conn:
        owner, other = make_owner(conn), make_owner(conn, "other")
        owner.add(conn, "plain.mp4", autograph=False)
        owner.add(conn, "unknown.mp4")
        owner.add(conn, "ended.mp4", autograph=True, expires_at=NOW)
        other.add(conn, "foreign.mp4", autograph=True)
        wanted = [owner.add(conn, name, autograph=True).id for name in ("b.mp4", "a.mp4")]
    with database.read() as conn:
        assert [one.id for one in read.masters(conn, owner.user.id, NOW)] == wanted
        assert len(read.masters(conn, None, NOW)) == 3


def test_masters_are_found_without_a_look_at_all_files(sqlite_database: Database) -> None:
    explained = "EXPLAIN QUERY PLAN " + str(read._OWN_MASTERS).replace(":now", "0")
    with sqlite3.connect(sqlite_database.url.removeprefix("sqlite:///")) as connection:
        plan = connection.execute(explained, {"user_id": "a" * 24}).fetchall()
    assert any("ix_files_user_masters" in row[3] for row in plan)


def _issue(url: str, start: int) -> None:
    database = Database(url)
    for at in range(start, start + 50):
        with database.write() as conn:
            write.issue(conn, [copy(f"tag {at % 40}"), copy(f"tag {(at + 7) % 40}")])
    database.close()


def test_several_processes_issue_the_same_tags_at_once(database: Database) -> None:
    spawn = multiprocessing.get_context("spawn")
    issuing = [spawn.Process(target=_issue, args=(database.url, at)) for at in (0, 10)]
    for process in issuing:
        process.start()
    for process in issuing:
        process.join(60)
    assert [process.exitcode for process in issuing] == [0, 0]
    with database.read() as conn:
        assert read.count_tags(conn, MASTER) == 40


def test_tags_of_a_large_master_are_read_in_pieces(database: Database) -> None:
    count = 25_000
    with database.write() as conn:
        write.issue(conn, [copy(f"{number:07}") for number in range(count)])
    with database.read() as conn:
        found = list(read.tags(conn, MASTER))
    assert found == [f"{number:07}" for number in range(count)]
