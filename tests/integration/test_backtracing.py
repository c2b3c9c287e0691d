"""A leak traced among masters of a store without files, and among damaged ones."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from countermark.autograph.index import FRAMES_SIDECAR, SIDECAR
from countermark.catalog.database import Database
from countermark.catalog.records import FileRecord, IssuedCopy
from countermark.catalog.writers import autograph
from countermark.ids import new_id
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.storage.layout import file_key, sidecar_key
from countermark.storage.local import LocalStore
from countermark.storage.port import Store
from countermark.work.backtracing import trace_leak
from countermark.work.master_request import Master
from countermark.work.parts import WorkParts
from support.catalog import NOW, make_owner
from support.films import leaked, textured, write_film
from support.masters import KEY, MASTER, made_master
from support.memory_store import MemoryStore
from support.sources import source

SIZE, RATE, SECONDS = (320, 180), 20, 14


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Master:
    folder = tmp_path_factory.mktemp("made")
    film = write_film(folder / "film.mp4", textured(1, SECONDS, SIZE, RATE), RATE)
    return made_master(folder / "master", film, segment_seconds=0.25, strength="strong")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(ProbeLimits())
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("kind", ["files", "memory"])
def test_a_leak_is_traced_whatever_the_store(
    kind: str, master: Master, sqlite_database: Database, sandbox: Sandbox, tmp_path: Path
) -> None:
    store: Store = LocalStore(tmp_path / "blobs") if kind == "files" else MemoryStore()
    parts = WorkParts(sqlite_database, store, sandbox, tmp_path / "spool")
    masters = [_damaged(parts), _kept(parts, master), _without_bytes(parts)]
    leak = leaked(tmp_path / "leak.mp4", master, "anna", RATE)
    folder = tmp_path / "work"
    folder.mkdir()
    told: list[float] = []
    document = trace_leak(parts, leak, "leak.mp4", masters, folder, told.append)
    assert [one.tag for one in document.report.accused] == ["anna"]
    assert document.report.master == MASTER
    assert document.master_name == "film.mp4"
    assert [copy.tag for copy in document.copies] == ["anna"]
    assert told == sorted(told)


def _kept(parts: WorkParts, master: Master) -> FileRecord:
    """A master with the key that the tests' masters are made with, and 20 copies of it."""
    key = file_key(MASTER)
    _put(parts.store, key, Path(master.blob).read_bytes())
    _put(parts.store, sidecar_key(key, SIDECAR), Path(master.index).read_bytes())
    _put(parts.store, sidecar_key(key, FRAMES_SIDECAR), Path(master.fingerprint).read_bytes())
    with parts.database.write() as conn:
        conn.exec_driver_sql("DELETE FROM autograph_keys")
        conn.exec_driver_sql("INSERT INTO autograph_keys VALUES (1, ?, 0)", (KEY,))
        tags = ["anna", *(f"guest {number}" for number in range(19))]
        autograph.issue(conn, [_copy(tag) for tag in tags])
        owner = make_owner(conn, "kept")
        return owner.add(conn, "film.mp4", id=MASTER, blob_key=key, autograph=True)


def _damaged(parts: WorkParts) -> FileRecord:
    file_id = new_id()
    key = file_key(file_id)
    for one in (key, sidecar_key(key, SIDECAR), sidecar_key(key, FRAMES_SIDECAR)):
        _put(parts.store, one, b"damaged")
    with parts.database.write() as conn:
        owner = make_owner(conn, "damaged")
        return owner.add(conn, "damaged.mp4", id=file_id, blob_key=key, autograph=True)


def _without_bytes(parts: WorkParts) -> FileRecord:
    with parts.database.write() as conn:
        return make_owner(conn, "empty").add(conn, "gone.mp4", autograph=True)


def _copy(tag: str) -> IssuedCopy:
    return IssuedCopy(
        serial=new_id(),
        file_id=MASTER,
        tag=tag,
        user_id="a" * 24,
        application_id="b" * 24,
        asked_from="192.0.2.1",
        bound_to=None,
        expires_at=NOW,
        created_at=NOW,
    )


def _put(store: Store, key: str, data: bytes) -> None:
    asyncio.run(store.put(key, source(data)))
