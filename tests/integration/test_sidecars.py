"""What a player page shows beside the picture is kept with the file, and goes with it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.catalog.database import Database
from countermark.catalog.readers import files as read_files
from countermark.catalog.readers import trash as read_trash
from countermark.catalog.records import Sidecar, UploadRecord
from countermark.catalog.writers import files as write_files
from countermark.work import ingest
from countermark.work.parts import now_ms
from support.hub import Hub
from support.media import make_video
from support.sources import whole


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(database, tmp_path)
    yield hub
    hub.sandbox.close()


def take_in(hub: Hub, path: Path) -> UploadRecord:
    upload = hub.upload(path.name, [path.read_bytes()])
    assembled = ingest._assemble(hub.parts, upload.id)
    for _ in range(2):  # a step that is cut off is done again
        outcome = ingest._describe(hub.parts, upload.id)
    ingest._register(hub.parts, upload.id, assembled, outcome)
    return upload


def sidecars(hub: Hub, file_id: str) -> list[Sidecar]:
    with hub.database.read() as connection:
        return read_files.sidecars(connection, [file_id]).get(file_id, [])


def test_a_video_has_its_poster_and_its_subtitles_beside_it(hub: Hub, tmp_path: Path) -> None:
    upload = take_in(hub, make_video(tmp_path / "a.mkv", subtitles=True, language="ger"))
    poster, subtitles = sidecars(hub, upload.file_id)
    assert (poster.name, poster.language) == ("poster", None)
    assert (subtitles.name, subtitles.language) == ("subtitles-00", "ger")
    assert asyncio.run(whole(hub.store.read(poster.blob_key))).startswith(b"\xff\xd8")
    assert b"Hello" in asyncio.run(whole(hub.store.read(subtitles.blob_key)))
    with hub.database.read() as connection:
        keys = [poster.blob_key, subtitles.blob_key]
        assert read_trash.known_blob_keys(connection, keys) == set(keys)


def test_what_is_not_played_has_none(hub: Hub, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    assert sidecars(hub, take_in(hub, path).file_id) == []


def test_they_go_with_the_file(hub: Hub, tmp_path: Path) -> None:
    upload = take_in(hub, make_video(tmp_path / "a.mkv", subtitles=True))
    keys = {one.blob_key for one in sidecars(hub, upload.file_id)}
    with hub.database.write() as connection:
        write_files.delete(connection, upload.user_id, upload.file_id, now_ms())
    with hub.database.read() as connection:
        assert keys < set(read_trash.trash(connection, 10))
    assert sidecars(hub, upload.file_id) == []
