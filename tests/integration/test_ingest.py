"""From the parts in the store to a file in the catalog, step by step, and steps done twice."""

import asyncio
import hashlib
import random
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.catalog.database import Database
from countermark.catalog.readers import files as read_files
from countermark.catalog.records import FileRecord, UploadRecord
from countermark.catalog.writers import files as write_files
from countermark.errors import InvalidUploadInputError
from countermark.work import ingest
from countermark.work.assemble import Assembled, MissingPartError, assemble, clear
from countermark.work.parts import now_ms
from support.hub import Hub
from support.media import make_video
from support.sources import whole


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(database, tmp_path)
    yield hub
    hub.sandbox.close()


def _assemble(hub: Hub, upload: UploadRecord) -> Assembled:
    return asyncio.run(assemble(hub.store, upload.id, upload.file_id, upload.nb_chunks or 0))


def _ingest(hub: Hub, upload: UploadRecord) -> FileRecord:
    assembled = ingest._assemble(hub.parts, upload.id)
    outcome = ingest._describe(hub.parts, upload.id)
    ingest._register(hub.parts, upload.id, assembled, outcome)
    asyncio.run(clear(hub.store, upload.id))
    return _file(hub, upload)


def _file(hub: Hub, upload: UploadRecord) -> FileRecord:
    with hub.database.read() as connection:
        found = read_files.file(connection, upload.user_id, upload.file_id, now_ms())
    assert found is not None
    return found


@pytest.mark.parametrize("sizes", [[0], [1], [200_000], [10, 0, 70_000, 3], [65_536, 1]])
def test_parts_become_one_blob_with_its_checksums(hub: Hub, sizes: list[int]) -> None:
    chance = random.Random(7)  # noqa: S311 - repeatable bytes
    chunks = [chance.randbytes(size) for size in sizes]
    content = b"".join(chunks)
    upload = hub.upload("a/b.bin", chunks)
    for _ in range(2):  # a step that is cut off is done again
        made = _assemble(hub, upload)
        assert made.size == len(content)
        assert made.md5 == hashlib.md5(content).hexdigest()  # noqa: S324 - compared
        assert made.header_crc == f"{zlib.crc32(content[:65536]):08x}"
        assert asyncio.run(whole(hub.store.read(made.blob_key))) == content


def test_a_part_that_is_gone_is_told(hub: Hub) -> None:
    upload = hub.upload("a.bin", [b"one", b"two"])
    asyncio.run(clear(hub.store, upload.id))
    with pytest.raises(MissingPartError):
        _assemble(hub, upload)


def test_a_video_is_registered_with_all_that_is_known(hub: Hub, tmp_path: Path) -> None:
    video = make_video(tmp_path / "v.mp4", seconds=1.0)
    upload = hub.upload("films/first.mp4", [video.read_bytes()])
    file = _ingest(hub, upload)
    assert (file.name, file.title, file.subtype) == ("first.mp4", "first", "video")
    assert file.video_tracks
    assert file.video_tracks[0]["width"] == 320
    assert file.etag
    assert hub.state(upload).status == "COMPLETED"
    assert hub.blobs_on_disk() == [file.blob_key, f"{file.blob_key}.poster"]
    with hub.database.read() as connection:
        assert read_files.thumbnails(connection, [file.id])[file.id].mime_type == "image/jpeg"


def test_a_file_that_cannot_be_understood_is_a_plain_file_with_a_reason(hub: Hub) -> None:
    upload = hub.upload("broken.mp4", [b"\0\0\0\x18ftypmp42" + b"\xff" * 5000])
    file = _ingest(hub, upload)
    assert (file.subtype, file.video_tracks) == ("other", None)
    state = hub.state(upload)
    assert state.status == "COMPLETED"
    assert state.error_msg


def test_a_register_step_done_twice_does_not_bring_a_deleted_file_back(hub: Hub) -> None:
    upload = hub.upload("note.txt", [b"hello"])
    assembled = ingest._assemble(hub.parts, upload.id)
    outcome = ingest._describe(hub.parts, upload.id)
    ingest._register(hub.parts, upload.id, assembled, outcome)
    with hub.database.write() as connection:
        assert write_files.delete(connection, upload.user_id, upload.file_id, now_ms())
    ingest._register(hub.parts, upload.id, assembled, outcome)
    with hub.database.read() as connection:
        assert read_files.file(connection, upload.user_id, upload.file_id, now_ms()) is None


def test_a_key_that_has_become_a_folder_fails_the_upload_and_keeps_the_folder(hub: Hub) -> None:
    _ingest(hub, hub.upload("films/first.txt", [b"1"]))
    upload = hub.upload("films", [b"2"])
    assembled = ingest._assemble(hub.parts, upload.id)
    outcome = ingest._describe(hub.parts, upload.id)
    with pytest.raises(InvalidUploadInputError) as caught:
        ingest._register(hub.parts, upload.id, assembled, outcome)
    reason = ingest._public_reason(caught.value)
    ingest._fail(hub.parts, upload.id, reason)
    state = hub.state(upload)
    assert state.status == "FAILED"
    assert state.error_msg == caught.value.detail
    assert assembled.blob_key not in hub.blobs_on_disk()
