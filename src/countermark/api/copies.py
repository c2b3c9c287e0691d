"""What is particular of links to masters: each leads to one recipient's copy, and is kept.

Who was given a copy must be known before it can leak, so a link is given out only when its tag is
durable. Requests that come together share one transaction: its price is a flush of the disk.
"""

import asyncio
from collections.abc import Callable, Iterable
from hashlib import blake2b

import structlog

from countermark.api import scopes
from countermark.api.authorization import Caller, require
from countermark.api.catalog_calls import CatalogCalls
from countermark.autograph.derivation import VARIANTS, TagError, tag_bytes
from countermark.catalog.records import FileRecord, IssuedCopy
from countermark.catalog.writers import autograph as write_autograph
from countermark.errors import InternalError, InvalidFileInputError
from countermark.links.link import Link

log = structlog.get_logger(__name__)


class Issuing:
    """Keeps the copies that links are given out to.

    Args:
        catalog: where they are kept.
    """

    def __init__(self, catalog: CatalogCalls) -> None:
        self._catalog = catalog
        self._one = asyncio.Lock()
        self._next: _Batch | None = None

    async def keep(self, copies: Iterable[IssuedCopy]) -> None:
        """Return when they are durable; what else is asked meanwhile goes with the next.

        Raises:
            UnavailableError: the catalog could not keep them.
        """
        given = list(copies)
        if not given:
            return
        if self._next is None:
            self._next = _Batch()
            self._next.done = asyncio.create_task(self._write(self._next))
        batch = self._next
        batch.copies += given
        # Others wait for it, too.
        await asyncio.shield(batch.done)

    async def _write(self, batch: "_Batch") -> None:
        async with self._one:
            self._next = None
            await self._catalog.write(
                lambda connection: write_autograph.issue(connection, batch.copies)
            )


class _Batch:
    done: "asyncio.Task[None]"

    def __init__(self) -> None:
        self.copies: list[IssuedCopy] = []


def check_tag(caller: Caller, tag: str | None) -> None:
    """Refuse a tag that cannot be one, or that the caller may not use.

    Raises:
        AccessError: the caller lacks the scope.
        InvalidFileInputError: it is empty, or longer than 256 bytes.
    """
    if tag is None:
        return
    require(caller, scopes.AUTOGRAPH)
    try:
        tag_bytes(tag)
    except TagError as error:
        raise InvalidFileInputError(f"autograph_tag: {error}") from error


def check_taggable(tag: str | None, records: Iterable[FileRecord]) -> None:
    """Refuse a tag for files of which none is a master: nothing would carry it.

    Raises:
        InvalidFileInputError: so it is.
    """
    if tag is not None and not any(record.autograph for record in records):
        raise InvalidFileInputError("autograph_tag: the file is not an AutoGraph master")


def variants_of(record: FileRecord) -> int:
    """How many variants the file's blob holds; 1 if it is not a master.

    Raises:
        InternalError: it is a master whose sizes don't fit; it must not pass for a plain file.
    """
    if not record.autograph:
        return 1
    size, on_disk = record.size or 0, record.size_on_disk or 0
    variants = on_disk // size if size else 0
    if variants not in VARIANTS or variants * size != on_disk:
        log.error("a master's sizes do not fit", file=record.id)
        raise InternalError
    return variants


def copy_etag(etag: str, mark: str) -> str:
    """The entity tag of one recipient's copy, from the master's: no two copies share one."""
    return blake2b(f"{etag}\0{mark}".encode(), digest_size=16).hexdigest()


def issued(links: Iterable[Link], asked_from: Callable[[], str], now: int) -> list[IssuedCopy]:
    """What is to be kept of those links that lead to copies."""
    return [
        IssuedCopy(
            serial=link.serial,
            file_id=link.file,
            tag=link.mark,
            user_id=link.account,
            application_id=link.application,
            asked_from=asked_from(),
            bound_to=link.address,
            expires_at=link.expires_at * 1000,
            created_at=now,
        )
        for link in links
        if link.variants > 1
    ]
