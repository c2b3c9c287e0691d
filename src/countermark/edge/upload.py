"""POST of an upload's content: the second of the three steps.

The signed policy among the fields is the permission. The bytes are stored first, then the note
that makes them count (storage/layout.py), so that a cut at any moment leaves nothing visible. If
the note fails, the bytes are left for the worker: the note may have become visible all the same.
"""

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

import msgspec
from aiohttp import web

from countermark.edge.client import address_of
from countermark.edge.form import MAX_FORM_BYTES, FormReader, boundary_of
from countermark.edge.headers import CORS
from countermark.edge.parts import PARTS
from countermark.edge.received import Received
from countermark.errors import BodyTooLargeError, InvalidUploadInputError, UploadRefusedError
from countermark.links.policy import UploadPolicy, read_form
from countermark.storage.layout import MAX_CHUNK, PartNote, new_nonce, part_key, part_note_key
from countermark.storage.port import Store

_NUMBER = re.compile(r"[0-9]{1,7}\Z")
# What S3 takes, too.
_SUCCESS_STATUS = {"200": 200, "201": 201, "204": 204}


async def upload(request: web.Request) -> web.Response:
    """Receive one chunk of an upload; see docs/errors.md for what it may answer instead."""
    parts = request.app[PARTS]
    if (request.content_length or 0) > parts.max_upload_bytes + MAX_FORM_BYTES:
        raise BodyTooLargeError("The content is larger than any upload may be.")
    async with aclosing(FormReader(request.content, boundary_of(request.headers))) as form:
        fields = await form.fields()
        policy = _checked_policy(request, fields)
        status = _success_status(fields)
        chunk, chunks = _position({**request.query, **fields})
        received = Received(form.content(), min(policy.max_bytes, parts.max_upload_bytes))
        note = await _keep(parts.store, policy.upload_id, received, chunk, chunks)
    return web.Response(status=status, headers={**CORS, "ETag": f'"{note.md5}"'})


def _checked_policy(request: web.Request, fields: Mapping[str, str]) -> UploadPolicy:
    policy = read_form(fields, request.app[PARTS].ring(), time.time())
    if policy.upload_id != request.match_info["upload_id"]:
        raise UploadRefusedError("The policy is that of another upload.")
    if policy.address is not None and policy.address != address_of(request):
        raise UploadRefusedError("The policy is for another client address.")
    return policy


def _success_status(fields: Mapping[str, str]) -> int:
    status = _SUCCESS_STATUS.get(fields.get("success_action_status", "201"))
    if status is None:
        raise InvalidUploadInputError("success_action_status must be 200, 201 or 204.")
    return status


def _position(given: Mapping[str, str]) -> tuple[int, int | None]:
    """Which chunk it is, and of how many if the client says."""
    chunk = _number(given.get("chunk", "0"), "chunk", 0, MAX_CHUNK)
    if "chunks" not in given:
        return chunk, None
    chunks = _number(given["chunks"], "chunks", 1, MAX_CHUNK + 1)
    if chunk >= chunks:
        raise InvalidUploadInputError("chunk must be less than chunks.")
    return chunk, chunks


def _number(text: str, name: str, least: int, most: int) -> int:
    if not _NUMBER.match(text) or not least <= int(text) <= most:
        raise InvalidUploadInputError(f"{name} must be a number from {least} to {most}.")
    return int(text)


async def _keep(
    store: Store, upload_id: str, received: Received, chunk: int, chunks: int | None
) -> PartNote:
    key = part_key(upload_id, chunk, new_nonce())
    await store.put(key, received.pieces())
    note = received.note(key, chunk, chunks)
    await store.put(part_note_key(upload_id, chunk), _once(msgspec.json.encode(note)))
    return note


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
