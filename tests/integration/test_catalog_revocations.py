"""Revocations, address lists and keys in the catalog, on both databases."""

import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.readers import address_lists as read_lists
from countermark.catalog.readers import keys as read_keys
from countermark.catalog.readers.revocations import revocations
from countermark.catalog.readers.trash import trash
from countermark.catalog.records import AddressListRecord
from countermark.catalog.writers import accounts, address_lists, files, keys
from countermark.catalog.writers.revocations import FILE_KEPT_MS, forget_revocations, revoke
from support.catalog import NOW, make_owner

LIST = AddressListRecord(
    name="tor",
    kind="anonymizer",
    source="https://lists.example/tor.txt",
    internal=False,
    every=3600,
    blob_key="lists/tor/1",
    ranges=7,
    problem=None,
    loaded_at=NOW,
    due_at=NOW + 3_600_000,
    created_at=NOW,
)


def _revoked(conn: sa.Connection) -> list[tuple[str, str]]:
    return [(kind, id_) for _, kind, id_ in revocations(conn)]


def test_deleting_a_file_ends_its_links_until_its_bytes_are_gone(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        file = owner.add(conn, "folder/a.mp4")
        assert file.parent_id is not None
        assert files.delete(conn, owner.user.id, file.id, NOW)
        assert files.delete(conn, owner.user.id, file.parent_id, NOW)
        assert _revoked(conn) == [("file", file.id)]
        assert forget_revocations(conn, NOW + FILE_KEPT_MS - 1) == 0
        assert forget_revocations(conn, NOW + FILE_KEPT_MS) == 1


def test_a_replaced_or_expired_file_s_downloads_may_end(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        owner.add(conn, "a.mp4")
        owner.add(conn, "a.mp4", expires_at=NOW + 1)
        assert files.expire(conn, NOW + 1, 10) == 1
        assert _revoked(conn) == []


def test_a_revoked_application_s_links_end_for_ever(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        assert accounts.revoke_application(conn, owner.application.id, NOW)
        assert not accounts.revoke_application(conn, owner.application.id, NOW)
        forget_revocations(conn, 1 << 60)
        assert _revoked(conn) == [("application", owner.application.id)]


def test_a_link_is_revoked_once_and_forgotten_after_its_time(database: Database) -> None:
    with database.write() as conn:
        assert revoke(conn, "link", "serial-1", NOW + 5, NOW)
        assert not revoke(conn, "link", "serial-1", NOW + 9, NOW + 1)
        assert revoke(conn, "link", "serial-2", NOW + 9, NOW)
        assert forget_revocations(conn, NOW + 5) == 1
        assert _revoked(conn) == [("link", "serial-2")]


def test_what_is_new_has_a_number_that_never_was(database: Database) -> None:
    with database.write() as conn:
        revoke(conn, "link", "one", NOW, NOW)
        [(first, _, _)] = revocations(conn)
        forget_revocations(conn, NOW)
    with database.write() as conn:
        revoke(conn, "link", "two", NOW, NOW)
        [(second, _, _)] = revocations(conn)
        assert second > first
        assert revocations(conn, first) == revocations(conn)
        assert revocations(conn, second) == []


def test_an_address_list_comes_changes_and_goes(database: Database) -> None:
    with database.write() as conn:
        assert address_lists.add_list(conn, LIST)
        assert not address_lists.add_list(conn, LIST)
        assert read_lists.address_lists(conn) == [LIST]
        assert address_lists.replace_list(conn, "tor", "lists/tor/2", 9, NOW + 10)
        changed = read_lists.address_list(conn, "tor")
        assert changed is not None
        assert (changed.blob_key, changed.ranges, changed.loaded_at) == ("lists/tor/2", 9, NOW + 10)
        assert changed.due_at == NOW + 10 + 3_600_000
        assert trash(conn, 10) == ["lists/tor/1"]
        assert address_lists.remove_list(conn, "tor", NOW + 20)
        assert not address_lists.remove_list(conn, "tor", NOW + 20)
        assert trash(conn, 10) == ["lists/tor/1", "lists/tor/2"]
        assert not address_lists.replace_list(conn, "tor", "lists/tor/3", 9, NOW + 30)


def test_a_due_list_is_one_worker_s(database: Database) -> None:
    due_at = LIST.due_at or 0
    with database.write() as conn:
        address_lists.add_list(conn, LIST)
        assert read_lists.due_lists(conn, due_at - 1) == []
        assert read_lists.due_lists(conn, due_at) == [LIST]
        assert address_lists.claim_list(conn, "tor", due_at, due_at + 600)
        assert not address_lists.claim_list(conn, "tor", due_at, due_at + 700)
        assert read_lists.due_lists(conn, due_at + 599) == []


def test_a_problem_is_kept_beside_the_good_list(database: Database) -> None:
    with database.write() as conn:
        address_lists.add_list(conn, LIST)
        address_lists.note_problem(conn, "tor", "it lists no address", None)
        found = read_lists.address_list(conn, "tor")
        assert found is not None
        assert (found.problem, found.due_at, found.blob_key) == (
            "it lists no address",
            None,
            LIST.blob_key,
        )


def test_every_key_but_the_newest_can_be_retired(database: Database) -> None:
    with database.write() as conn:
        for _ in range(3):
            keys.rotate_link_key(conn, NOW)
        assert not keys.retire_link_key(conn, 3)
        assert keys.retire_link_key(conn, 1)
        assert not keys.retire_link_key(conn, 1)
        assert [key.id for key in read_keys.link_keys(conn)] == [2, 3]
        assert keys.rotate_link_key(conn, NOW).id == 4
