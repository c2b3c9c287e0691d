"""What every store must do, as the port says (storage/port.py). Each adapter's tests inherit it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from countermark.errors import BlobNotFoundError
from countermark.storage.port import CHUNK_BYTES, Store
from support.sources import failing, source, whole

MIB = 1 << 20


class StoreSuite:
    async def test_a_put_blob_reads_back_and_is_described(self, store: Store) -> None:
        before = time.time() * 1000
        put = await store.put("a/b", source(b"hello ", b"", b"world"))
        assert (put.key, put.size) == ("a/b", 11)
        # S3 tells whole seconds.
        assert before - 2000 <= put.modified_at <= time.time() * 1000 + 2000
        assert (await store.stat("a/b")).size == 11
        assert await whole(store.read("a/b")) == b"hello world"

    async def test_an_empty_blob_is_a_blob(self, store: Store) -> None:
        assert (await store.put("empty", source())).size == 0
        assert await whole(store.read("empty")) == b""

    async def test_a_blob_of_many_parts_is_whole(self, store: Store) -> None:
        pieces = [bytes([number]) * (MIB + number) for number in range(40)]
        await store.put("big", source(*pieces))
        chunks = [chunk async for chunk in store.read("big")]
        assert b"".join(chunks) == b"".join(pieces)
        assert max(map(len, chunks)) <= CHUNK_BYTES

    @pytest.mark.parametrize(
        ("start", "length"), [(0, 0), (0, 1), (3, 4), (9, 1), (0, 10), (10, 0), (4, None)]
    )
    async def test_a_range_is_exactly_what_was_asked_for(
        self, store: Store, start: int, length: int | None
    ) -> None:
        data = b"0123456789"
        await store.put("r", source(data))
        stop = None if length is None else start + length
        assert await whole(store.read("r", start, length)) == data[start:stop]

    @pytest.mark.parametrize(("start", "length"), [(0, 11), (10, 1), (11, 0), (11, None), (-1, 2)])
    async def test_a_range_beyond_the_end_is_the_callers_error(
        self, store: Store, start: int, length: int | None
    ) -> None:
        await store.put("r", source(b"0123456789"))
        with pytest.raises(ValueError, match="beyond"):
            await whole(store.read("r", start, length))

    async def test_an_unknown_key_is_not_found(self, store: Store) -> None:
        with pytest.raises(BlobNotFoundError):
            await store.stat("no/such")
        with pytest.raises(BlobNotFoundError):
            await anext(store.read("no/such"))
        with pytest.raises(BlobNotFoundError):
            await store.move("no/such", "target")

    @pytest.mark.parametrize(
        "key",
        ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".partial/x", "é", "a b", "x" * 201],
    )
    async def test_a_key_outside_the_grammar_is_refused(self, store: Store, key: str) -> None:
        with pytest.raises(ValueError, match="key"):
            await store.put(key, source(b"x"))
        with pytest.raises(ValueError, match="key"):
            await store.stat(key)

    async def test_a_failing_source_leaves_nothing(self, store: Store) -> None:
        with pytest.raises(KeyError, match="mine"):
            await store.put("f", failing(KeyError("mine"), b"x" * 10))
        with pytest.raises(BlobNotFoundError):
            await store.stat("f")

    async def test_a_source_that_fails_late_leaves_the_old_blob(self, store: Store) -> None:
        await store.put("f", source(b"old"))
        with pytest.raises(KeyError, match="mine"):
            await store.put("f", failing(KeyError("mine"), *[b"x" * MIB] * 40))
        assert await whole(store.read("f")) == b"old"

    async def test_a_cancelled_put_leaves_nothing(self, store: Store) -> None:
        reached = asyncio.Event()

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * MIB
            reached.set()
            await asyncio.Event().wait()

        putting = asyncio.create_task(store.put("c", endless()))
        await asyncio.wait_for(reached.wait(), 30)
        putting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await putting
        with pytest.raises(BlobNotFoundError):
            await store.stat("c")

    async def test_putting_again_replaces_the_blob(self, store: Store) -> None:
        await store.put("k", source(b"one"))
        await store.put("k", source(b"three"))
        assert await whole(store.read("k")) == b"three"

    async def test_of_racing_puts_one_wins_whole(self, store: Store) -> None:
        blobs = [bytes([number]) * MIB for number in range(6)]
        await asyncio.gather(*(store.put("k", source(blob)) for blob in blobs))
        assert await whole(store.read("k")) in blobs

    async def test_deleting_may_be_repeated(self, store: Store) -> None:
        await store.put("d/e/f", source(b"x"))
        await store.delete("d/e/f")
        await store.delete("d/e/f")
        with pytest.raises(BlobNotFoundError):
            await store.stat("d/e/f")

    async def test_a_list_is_all_under_the_prefix_and_no_more(self, store: Store) -> None:
        for key in ("p/a", "p/b/c", "p/bb", "q/a", "pp"):
            await store.put(key, source(key.encode()))

        async def keys(prefix: str) -> list[str]:
            return sorted([blob.key async for blob in store.list(prefix)])

        assert await keys("p/") == ["p/a", "p/b/c", "p/bb"]
        assert await keys("p/b") == ["p/b/c", "p/bb"]
        assert await keys("p") == ["p/a", "p/b/c", "p/bb", "pp"]
        assert await keys("") == ["p/a", "p/b/c", "p/bb", "pp", "q/a"]
        assert await keys("nothing/here") == []

    async def test_a_move_is_a_new_key_for_the_same_bytes(self, store: Store) -> None:
        await store.put("from/a", source(b"bytes"))
        await store.put("to/a", source(b"older"))
        await store.move("from/a", "to/a")
        assert await whole(store.read("to/a")) == b"bytes"
        with pytest.raises(BlobNotFoundError):
            await store.stat("from/a")

    async def test_moving_again_after_success_succeeds(self, store: Store) -> None:
        await store.put("from/a", source(b"bytes"))
        await store.move("from/a", "to/a")
        await store.move("from/a", "to/a")
        assert await whole(store.read("to/a")) == b"bytes"

    async def test_a_folder_emptied_and_filled_at_once_loses_nothing(self, store: Store) -> None:
        async def come_and_go(number: int) -> None:
            for turn in range(10):
                await store.put(f"busy/{number}", source(bytes([turn])))
                await store.delete(f"busy/{number}")
            await store.put(f"busy/{number}", source(b"last"))

        await asyncio.gather(*map(come_and_go, range(4)))
        assert len([blob async for blob in store.list("busy/")]) == 4

    async def test_sweeping_spares_what_is_whole(self, store: Store) -> None:
        await store.put("s", source(b"kept"))
        assert await store.sweep(0) == 0
        assert await whole(store.read("s")) == b"kept"
