"""The inside of a hub for tests of the worker: a catalog, a store, and uploads put there."""

import asyncio
import hashlib
import zlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from countermark.catalog.database import Database
from countermark.catalog.readers import uploads as read_uploads
from countermark.catalog.records import UploadRecord
from countermark.catalog.writers import uploads as write_uploads
from countermark.media.sandbox import ProbeLimits, Sandbox
from countermark.storage.layout import PartNote, new_nonce, part_key, part_note_key
from countermark.storage.local import LocalStore
from countermark.work.parts import WorkParts, now_ms
from support.catalog import Owner, make_owner
from support.sources import source


class Hub:
    """Everything that the worker touches, in one folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.blobs = folder / "blobs"
        self.store = LocalStore(self.blobs)
        self.sandbox = Sandbox(ProbeLimits())
        self.parts = WorkParts(database, self.store, self.sandbox, folder / "spool")
        with database.write() as connection:
            self.owner: Owner = make_owner(connection)

    def upload(
        self, object_key: str, chunks: Sequence[bytes], *, finish: bool = True, ends_at: int = 0
    ) -> UploadRecord:
        """Put chunks in, the last one first, and finish the upload."""
        now = now_ms()
        with self.database.write() as connection:
            upload = write_uploads.create_upload(
                connection,
                user_id=self.owner.user.id,
                application_id=self.owner.application.id,
                pipeline_id=self.owner.pipeline.id,
                object_key=object_key,
                file_expires_at=None,
                ends_at=ends_at or now + 60_000,
                now=now,
            )
        for number, data in reversed(list(enumerate(chunks))):
            asyncio.run(self._put_chunk(upload.id, number, data))
        if finish:
            with self.database.write() as connection:
                write_uploads.begin_completing(
                    connection, self.owner.user.id, upload.id, len(chunks), now
                )
        return self.state(upload)

    def state(self, upload: UploadRecord) -> UploadRecord:
        """The upload as it is now."""
        with self.database.read() as connection:
            found = read_uploads.upload_to_ingest(connection, upload.id)
        assert found is not None
        return found

    def blobs_on_disk(self) -> list[str]:
        """Every file under the store's root, relative to it."""
        found = (path for path in self.blobs.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.blobs)) for path in found)

    async def _put_chunk(self, upload_id: str, number: int, data: bytes) -> None:
        key = part_key(upload_id, number, new_nonce())
        await self.store.put(key, source(data))
        note = PartNote(
            blob_key=key,
            chunk=number,
            chunks=None,
            size=len(data),
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            header_crc=f"{zlib.crc32(data[:65536]):08x}",
        )
        await self.store.put(part_note_key(upload_id, number), source(msgspec.json.encode(note)))
