"""Files come, are replaced, and go, on both databases."""

import multiprocessing

import pytest
import sqlalchemy as sa

from countermark.catalog.database import Database
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import trash as read_trash
from countermark.catalog.records import FileRecord, NewFile, Thumbnail
from countermark.catalog.tables import files as file_table
from countermark.catalog.writers import files
from countermark.errors import InvalidFileInputError, InvalidUploadInputError
from countermark.ids import new_id
from support.catalog import NOW, Owner, make_owner

TRACKS = [{"video_codec": "H.264 / AVC", "width": 1280, "framerate": 23.98, "orientation": None}]


def _by_key(conn: sa.Connection, owner: Owner, key: str, now: int = NOW) -> FileRecord | None:
    return read_files.file_by_key(conn, owner.user.id, owner.pipeline.id, key, now)


def test_a_registered_file_comes_back_whole(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        made = owner.add(
            conn,
            "Urlaub/Größe 1.tar.gz",
            video_tracks=TRACKS,
            autograph=True,
            size=2**53,
            expires_at=NOW + 5,
            created_at=NOW - 5,
            md5_checksum="0" * 32,
        )
    with database.read() as conn:
        assert read_files.file(conn, owner.user.id, made.id, NOW) == made
        assert _by_key(conn, owner, "Urlaub/Größe 1.tar.gz") == made
        assert read_files.files_by_id(conn, owner.user.id, [made.id, new_id()], NOW) == {
            made.id: made
        }
        assert read_files.files_by_id(conn, owner.user.id, [], NOW) == {}
    assert (made.name, made.title) == ("Größe 1.tar.gz", "Größe 1.tar")
    assert (made.type, made.version, made.autograph) == ("file", 1, True)
    assert (made.size, made.size_on_disk) == (2**53, 2**53)
    assert (made.video_tracks, made.audio_tracks) == (TRACKS, None)
    assert (made.created_at, made.finished_at, made.updated_at) == (NOW - 5, NOW, NOW)


def test_registering_makes_each_missing_folder_once(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        deep = owner.add(conn, "a/b.d/c.mp4")
        beside = owner.add(conn, "a/b.d/d.mp4")
        above = owner.add(conn, "e.mp4")
        a, b = _by_key(conn, owner, "a"), _by_key(conn, owner, "a/b.d")
        assert a is not None
        assert b is not None
        assert deep.parent_id == beside.parent_id == b.id
        assert (b.parent_id, a.parent_id) == (a.id, owner.pipeline.root_folder_id)
        assert (b.type, b.name, b.title) == ("folder", "b.d", "b.d")
        assert (deep.parent_is_root, a.parent_is_root, above.parent_is_root) == (False, True, True)
        assert read_files.has_children(conn, a.id)


def test_another_users_file_is_not_there(database: Database) -> None:
    with database.write() as conn:
        owner, stranger = make_owner(conn), make_owner(conn, "stranger")
        file = owner.add(conn, "a.mp4")
        user_id = stranger.user.id
        assert read_files.file(conn, user_id, file.id, NOW) is None
        assert read_files.files_by_id(conn, user_id, [file.id], NOW) == {}
        assert read_files.file_by_key(conn, user_id, owner.pipeline.id, "a.mp4", NOW) is None
        assert not files.delete(conn, user_id, file.id, NOW)
        assert read_files.file(conn, owner.user.id, file.id, NOW) == file


def test_a_file_of_the_same_key_replaces_the_earlier_one(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        first = owner.add(conn, "a.mp4", thumbnail=Thumbnail("image/jpeg", b"1"))
        second = owner.add(conn, "a.mp4")
        third = owner.add(conn, "a.mp4")
        assert [first.version, second.version, third.version] == [1, 2, 3]
        assert _by_key(conn, owner, "a.mp4") == third
        assert read_files.file(conn, owner.user.id, first.id, NOW) is None
        assert set(read_trash.trash(conn, 9)) == {first.blob_key, second.blob_key}
        assert read_files.thumbnails(conn, [first.id]) == {}


def test_registering_one_file_twice_changes_nothing(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        new = owner.new_file("a/b.mp4")
        first = files.register(conn, new, NOW)
        assert files.register(conn, new, NOW + 9) == first
        assert read_trash.trash(conn, 9) == []


@pytest.mark.parametrize("key", ["a", "a/b.mp4/c.mp4", "a/b.mp4/c/d.mp4"])
def test_a_key_cannot_be_a_folder_nor_go_through_a_file(database: Database, key: str) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        file = owner.add(conn, "a/b.mp4")
    with pytest.raises(InvalidUploadInputError) as caught, database.write() as conn:
        owner.add(conn, key)
    assert caught.value.detail is not None
    with database.read() as conn:
        assert _by_key(conn, owner, "a/b.mp4") == file


def test_an_expired_file_is_not_there_and_not_in_the_way(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        old = owner.add(conn, "a", expires_at=NOW + 1)
        assert _by_key(conn, owner, "a", NOW) == old
        assert _by_key(conn, owner, "a", NOW + 1) is None
        assert read_files.file(conn, owner.user.id, old.id, NOW + 1) is None
        assert not files.delete(conn, owner.user.id, old.id, NOW + 1)
        new = owner.add(conn, "a/b.mp4", now=NOW + 1)
        assert _by_key(conn, owner, "a/b.mp4") == new
        assert read_trash.trash(conn, 9) == [old.blob_key]


def test_a_deleted_files_blob_is_trash_until_it_is_emptied(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        kept, gone = owner.add(conn, "a.mp4"), owner.add(conn, "b.mp4")
        assert files.delete(conn, owner.user.id, gone.id, NOW)
        assert not files.delete(conn, owner.user.id, gone.id, NOW)
        assert read_trash.trash(conn, 9) == [gone.blob_key]
        named = {str(kept.blob_key), str(gone.blob_key)}
        assert read_trash.known_blob_keys(conn, [*named, "files/other"]) == named
        files.empty_trash(conn, [str(gone.blob_key)])
        assert read_trash.trash(conn, 9) == []


def test_a_folder_goes_only_when_it_is_empty_and_no_root(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        file = owner.add(conn, "a/b.mp4")
        with pytest.raises(InvalidFileInputError, match="not empty"):
            files.delete(conn, owner.user.id, str(file.parent_id), NOW)
        with pytest.raises(InvalidFileInputError, match="root"):
            files.delete(conn, owner.user.id, owner.pipeline.root_folder_id, NOW)
        files.delete(conn, owner.user.id, file.id, NOW)
        assert files.delete(conn, owner.user.id, str(file.parent_id), NOW)


def test_files_that_go_leave_their_archives(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        one, two, three = (owner.add(conn, f"{n}.mp4", expires_at=NOW + n) for n in (1, 2, 3))
        archive = owner.add_archive(conn, "all.zip", [one.id, two.id, three.id])
        assert (archive.type, archive.elements) == ("archive", [one.id, two.id, three.id])
        files.delete(conn, owner.user.id, two.id, NOW)
        files.expire(conn, NOW + 1, 9)
        left = read_files.file(conn, owner.user.id, archive.id, NOW)
        assert left is not None
        assert left.elements == [three.id]
        assert files.delete(conn, owner.user.id, archive.id, NOW)
        assert read_files.file(conn, owner.user.id, three.id, NOW) == three


def test_an_archive_replaces_and_is_replaced(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        owner.add(conn, "all.zip")
        archive = owner.add_archive(conn, "all.zip", [], title="All of it")
        assert (archive.version, archive.title, archive.elements) == (2, "All of it", [])
        assert owner.add(conn, "all.zip").version == 3


def test_what_expired_goes_soonest_first_up_to_the_limit(database: Database) -> None:
    with database.write() as conn:
        owners = [make_owner(conn, name) for name in ("a", "b")]
        for number in range(6):
            owners[number % 2].add(conn, f"{number}.mp4", expires_at=NOW + number)
        owners[0].add(conn, "kept.mp4")
        assert files.expire(conn, NOW + 4, 3) == 3
        assert files.expire(conn, NOW + 4, 3) == 2
        assert files.expire(conn, NOW + 4, 3) == 0
        assert len(read_trash.trash(conn, 9)) == 5
        left = conn.scalars(sa.select(file_table.c.name).where(file_table.c.type == "file"))
        assert set(left) == {"5.mp4", "kept.mp4"}


def test_a_thumbnail_is_replaced_and_goes_with_its_file(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
        file = owner.add(conn, "a.mp4")
        files.set_thumbnail(conn, file.id, "image/jpeg", b"one")
        files.set_thumbnail(conn, file.id, "image/png", b"two")
        assert read_files.thumbnails(conn, [file.id, new_id()]) == {
            file.id: Thumbnail("image/png", b"two")
        }
        files.delete(conn, owner.user.id, file.id, NOW)
        assert read_files.thumbnails(conn, [file.id]) == {}
        assert read_files.thumbnails(conn, []) == {}


def _register(url: str, new: NewFile) -> FileRecord:
    database = Database(url)
    try:
        with database.write() as conn:
            return files.register(conn, new, NOW)
    finally:
        database.close()


def test_processes_that_register_one_key_at_once_each_get_a_version(database: Database) -> None:
    with database.write() as conn:
        owner = make_owner(conn)
    new = [(database.url, owner.new_file("new/folder/a.mp4")) for _ in range(4)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        made = pool.starmap(_register, new, chunksize=1)
    assert sorted(file.version for file in made) == [1, 2, 3, 4]
    assert len({file.parent_id for file in made}) == 1
    with database.read() as conn:
        assert _by_key(conn, owner, "new/folder/a.mp4") in made
        assert len(read_trash.trash(conn, 9)) == 3


def test_processes_that_register_one_file_at_once_make_it_once(database: Database) -> None:
    with database.write() as conn:
        new = make_owner(conn).new_file("a/b.mp4")
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        made = pool.starmap(_register, [(database.url, new)] * 3, chunksize=1)
    assert made[0] == made[1] == made[2]
