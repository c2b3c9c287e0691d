"""Download links: GET /files/downloads/."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from countermark.api import scopes
from countermark.api.answers import Answer, empty
from countermark.api.copies import check_tag, check_taggable, copy_etag, issued, variants_of
from countermark.api.operation import Call, Operation
from countermark.api.parameters import Presentation, ResourceId
from countermark.api.resources import UrlAnswer
from countermark.autograph.derivation import MAX_TAG_BYTES
from countermark.catalog.readers import files
from countermark.catalog.records import FileRecord, Sidecar
from countermark.errors import (
    AccessError,
    FileNotFoundPublicError,
    InvalidFileInputError,
    PublicError,
)
from countermark.links.addresses import parse_address
from countermark.links.keys import LONGEST_LINK_SECONDS
from countermark.links.link import Link, download_url, mint
from countermark.storage.layout import POSTER_NAME, is_subtitles

_UNKNOWN_TYPE = "application/octet-stream"


class DownloadQuery(Presentation, frozen=True, kw_only=True):
    """Which file, and what the link allows."""

    object_key: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=4096,
                description="Key of the file, relative to the pipeline's root folder.",
            ),
        ]
        | None
    ) = None
    pipeline_id: (
        Annotated[ResourceId, Meta(description="The pipeline that object_key belongs to.")] | None
    ) = None
    file_id: Annotated[ResourceId, Meta(description="The file or archive.")] | None = None
    autograph_tag: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=MAX_TAG_BYTES,
                description="Who this copy is for, up to 256 bytes of UTF-8: each recipient's copy "
                "of an AutoGraph master is marked invisibly. Needs the scope autograph. A master's "
                "copy without it carries a tag of the application.",
            ),
        ]
        | None
    ) = None
    redirect: Annotated[
        bool, Meta(description="Answer 302 with the link in Location; not for archives.")
    ] = False
    expiry_time: (
        Annotated[
            int,
            Meta(
                ge=0,
                description="When the link ends, seconds since the epoch; in the future, at most "
                "20 years. Of a signed URL, also the time until which that is valid.",
            ),
        ]
        | None
    ) = None
    anti_fraud: Annotated[
        bool,
        Meta(
            description="Bind the link to the first client that uses it, and refuse it to "
            "anonymizing networks and blacklisted addresses."
        ),
    ] = False
    max_parallel_downloads: (
        Annotated[
            int,
            Meta(
                ge=0,
                le=100,
                description="How many other downloads of the same person may run when one begins.",
            ),
        ]
        | None
    ) = None
    streaming: Annotated[
        bool, Meta(description="Let browsers play the file in place of saving it.")
    ] = False
    ip: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=45,
                description="Only this client may use the link: a 32-bit integer in network "
                "order, or an IPv4 or IPv6 address as text.",
            ),
        ]
        | None
    ) = None


async def get_download(call: Call[DownloadQuery]) -> UrlAnswer | Answer:
    """Get a link to download a file with.

    Name the file by `file_id`, or by `pipeline_id` and `object_key`. For an archive the answer is
    a list of links, one per element.
    """
    query = call.query
    check_tag(call.caller, query.autograph_tag)
    address = address_of(query.ip)
    expires_at = _expiry(call)
    catalog = call.services.catalog
    record, sidecars = await catalog.read_point(lambda connection: _find(connection, call))
    records = [record]
    if record.type == "archive":
        if query.redirect:
            raise InvalidFileInputError("redirect: an archive has several links")
        records, sidecars = await catalog.read(
            lambda connection: _elements(connection, call, record)
        )
    check_taggable(query.autograph_tag, records)
    links = [_link(call, one, expires_at, address, sidecars.get(one.id, ())) for one in records]
    await call.services.issuing.keep(issued(links, lambda: call.address, call.now))
    urls = await _minted(call, links)
    await _spend(call)
    if record.type == "archive":
        return UrlAnswer(urls=urls)
    (url,) = urls
    return empty(302, ((b"location", url.encode()),)) if query.redirect else UrlAnswer(url=url)


def address_of(ip: str | None, error: type[PublicError] = InvalidFileInputError) -> str | None:
    """The address that the parameter `ip` names, in canonical text."""
    if ip is None:
        return None
    try:
        return parse_address(ip)
    except ValueError as cause:
        raise error(
            f"ip: {ip!r} is not accepted; accepted: an integer below 2^32, an IPv4 or IPv6 address"
        ) from cause


def _expiry(call: Call[DownloadQuery]) -> int:
    now = call.now // 1000
    asked = call.query.expiry_time
    if asked is None:
        return now + call.services.parts.settings.link_lifetime
    if asked <= now:
        raise InvalidFileInputError("expiry_time: lies in the past")
    if asked > now + LONGEST_LINK_SECONDS:
        raise InvalidFileInputError("expiry_time: more than 20 years ahead; it is in seconds")
    return asked


def _find(
    connection: Connection, call: Call[DownloadQuery]
) -> tuple[FileRecord, dict[str, list[Sidecar]]]:
    record = _named(connection, call)
    if record is None:
        raise FileNotFoundPublicError
    if record.type == "folder":
        raise InvalidFileInputError("a folder cannot be downloaded")
    return record, _sidecars(connection, call, [record])


def _elements(
    connection: Connection, call: Call[DownloadQuery], archive: FileRecord
) -> tuple[list[FileRecord], dict[str, list[Sidecar]]]:
    ids = archive.elements or []
    found = files.files_by_id(connection, archive.user_id, ids, call.now)
    return [found[one] for one in ids if one in found], _sidecars(connection, call, found.values())


def _named(connection: Connection, call: Call[DownloadQuery]) -> FileRecord | None:
    query, user_id = call.query, call.caller.user_id
    by_key = query.pipeline_id is not None or query.object_key is not None
    if query.file_id is not None and not by_key:
        return files.file(connection, user_id, query.file_id, call.now)
    if query.file_id is None and query.pipeline_id is not None and query.object_key is not None:
        return files.file_by_key(connection, user_id, query.pipeline_id, query.object_key, call.now)
    raise InvalidFileInputError("give either file_id, or pipeline_id and object_key")


def _sidecars(
    connection: Connection, call: Call[DownloadQuery], records: Iterable[FileRecord]
) -> dict[str, list[Sidecar]]:
    """What the player of a streaming link shows beside the file."""
    ids = [record.id for record in records if record.type == "file"] if call.query.streaming else []
    return files.sidecars(connection, ids)


def _link(
    call: Call[DownloadQuery],
    record: FileRecord,
    expires_at: int,
    address: str | None,
    beside: Sequence[Sidecar],
) -> Link:
    if record.blob_key is None or record.size is None:
        raise FileNotFoundPublicError
    query, signed = call.query, call.caller.signed
    link = Link(
        blob_key=record.blob_key,
        name=record.name,
        size=record.size,
        mime_type=record.mime_type or _UNKNOWN_TYPE,
        etag=record.etag or f"{record.id}-{record.version}",
        modified_at=record.finished_at or record.updated_at,
        expires_at=expires_at,
        inline=query.streaming,
        address=address,
        account=record.user_id,
        application=call.caller.application_id,
        file=record.id,
        serial=secrets.token_urlsafe(9),
        parallel=query.max_parallel_downloads,
        once=signed is not None and not signed.multi_use,
        guarded=query.anti_fraud,
        tag=query.autograph_tag or "",
        poster=any(one.name == POSTER_NAME for one in beside),
        subtitles=tuple(one.language or "" for one in beside if is_subtitles(one.name)),
        variants=variants_of(record),
    )
    if link.variants == 1:
        return link
    return msgspec.structs.replace(link, etag=copy_etag(link.etag, link.mark))


async def _minted(call: Call[DownloadQuery], links: Sequence[Link]) -> list[str]:
    parts = call.services.parts
    edge_url, ring = parts.settings.edge_url, parts.ring()

    def mint_all() -> list[str]:
        return [download_url(edge_url, mint(link, ring)) for link in links]

    # A thread costs more than signing one.
    return mint_all() if len(links) == 1 else await call.services.catalog.apart(mint_all)


async def _spend(call: Call[DownloadQuery]) -> None:
    """Last of all, so that a request that fails for another reason does not use up the URL."""
    signed = call.caller.signed
    if signed is None or signed.multi_use:
        return
    if not await call.services.parts.ledger.spend(signed.spend_key, signed.expiry_time):
        raise AccessError("this signed URL was used before")


GET = Operation(
    method="GET",
    path="/v1/files/downloads/",
    handler=get_download,
    query=DownloadQuery,
    answer=UrlAnswer,
    scopes=scopes.DOWNLOAD,
    signable=True,
    invalid=InvalidFileInputError,
    errors=(FileNotFoundPublicError,),
    redirects=True,
)
OPERATIONS: tuple[Operation[Any], ...] = (GET,)
