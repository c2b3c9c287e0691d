"""Every store passes the one suite."""

import asyncio
import os
import secrets
import signal
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.store_suite import MIB, StoreSuite
from countermark.errors import BlobNotFoundError, SettingsError, StorageError, StorageFullError
from countermark.storage.local import LocalStore
from countermark.storage.open import open_store
from countermark.storage.port import BlobStore, LocatesBlobs, ReadsSpans, Store
from support.memory_store import MemoryStore
from support.seaweed import ACCESS_KEY, BUCKET, SECRET_KEY, seaweed
from support.sources import source, whole


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Store:
        return MemoryStore()


class TestLocalStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "root")

    async def test_a_key_names_the_file_that_path_tells(self, store: LocalStore) -> None:
        await store.put("a/b", source(b"x"))
        assert isinstance(store, LocatesBlobs)
        assert store.path("a/b").read_bytes() == b"x"

    async def test_readers_of_a_replaced_blob_keep_it(self, store: LocalStore) -> None:
        old = b"o" * (3 * MIB)
        await store.put("k", source(old))
        reading = store.read("k")
        first = await anext(reading)
        await store.put("k", source(b"n" * (3 * MIB)))
        assert first + await whole(reading) == old

    async def test_emptied_folders_go(self, store: LocalStore) -> None:
        await store.put("deep/er/still", source(b"x"))
        await store.delete("deep/er/still")
        assert not store.path("deep").exists()

    async def test_a_failed_put_leaves_no_file_behind(self, store: LocalStore) -> None:
        await self.test_a_cancelled_put_leaves_nothing(store)
        await self.test_a_failing_source_leaves_nothing(store)
        assert await store.sweep(0) == 0

    async def test_a_full_disk_is_said_and_nothing_kept(
        self, store: LocalStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StorageFullError):
            await store.put("k", source(b"x"))
        assert [blob async for blob in store.list("")] == []
        assert await store.sweep(0) == 0

    async def test_a_sweep_takes_only_what_is_old_enough(self, store: LocalStore) -> None:
        left = store._partial / "left-behind"
        left.write_bytes(b"x")
        os.utime(left, (0, 0))
        (store._partial / "being-written").write_bytes(b"x")
        assert await store.sweep(3600) == 1
        assert await store.sweep(3600) == 0

    async def test_a_killed_writer_leaves_nothing_visible_and_a_sweep_clears_it(
        self, store: LocalStore
    ) -> None:
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ENDLESS_WRITER, str(store._root), stdout=asyncio.subprocess.PIPE
        )
        assert writer.stdout is not None
        assert await writer.stdout.readline() == b"writing\n"
        writer.send_signal(signal.SIGKILL)
        await writer.wait()
        assert [blob async for blob in store.list("")] == []
        assert await store.sweep(0) == 1
        await store.put("killed", source(b"again"))
        assert await whole(store.read("killed")) == b"again"


_ENDLESS_WRITER = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from countermark.storage.local import LocalStore

    async def endless():
        for number in range(100):
            if number == 5:
                print("writing", flush=True)
            yield b"x" * (1 << 20)
        await asyncio.Event().wait()

    asyncio.run(LocalStore(Path(sys.argv[1])).put("killed", endless()))
    """
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as url:
        yield url


class TestS3Store(StoreSuite):
    @pytest.fixture
    def store(self, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Store:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        prefix = secrets.token_hex(4)
        return open_store(f"s3://{BUCKET}/{prefix}?endpoint={endpoint}&region=us-east-1")

    async def test_its_bytes_are_not_files_of_this_machine(self, store: BlobStore) -> None:
        assert not isinstance(store, LocatesBlobs)

    async def test_many_spans_are_read_at_once_in_the_order_asked_for(self, store: Store) -> None:
        assert isinstance(store, ReadsSpans)
        data = os.urandom(300_000)
        await store.put("k", source(data))
        spans = [(200_000, 300_000), (0, 1), (1, 5), (100, 100_000), (50, 150)]
        found = await store.read_spans("k", spans)
        assert list(found) == [data[start:stop] for start, stop in spans]

    async def test_spans_beyond_the_end_or_of_no_blob_are_errors(self, store: Store) -> None:
        assert isinstance(store, ReadsSpans)
        await store.put("k", source(b"x" * 10))
        for spans in ([(5, 11)], [(0, 1), (20, 30)]):
            with pytest.raises(StorageError):
                await store.read_spans("k", spans)
        with pytest.raises(BlobNotFoundError):
            await store.read_spans("unknown", [(0, 1)])


@pytest.mark.parametrize(
    "url",
    ["file://relative/x", "file:", "s3:///x", "s3://b/p?color=red", "s3://b?region=a&region=b"],
)
def test_a_wrong_storage_url_stops_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match="COUNTERMARK_STORAGE_URL"):
        open_store(url)


def test_cancellation_in_the_last_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    async def race(delay: int) -> None:
        store = LocalStore(tmp_path / str(delay))
        putting = asyncio.create_task(store.put("k", source(b"x" * 1000)))
        for _ in range(delay):
            await asyncio.sleep(0)
        putting.cancel()
        await asyncio.wait([putting])
        blobs = [blob async for blob in store.list("")]
        assert [blob.size for blob in blobs] in ([], [1000])
        assert await store.sweep(0) == 0

    for delay in range(12):
        asyncio.run(race(delay))
