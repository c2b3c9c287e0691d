"""GET and HEAD of a signed link."""

import time

import structlog
from aiohttp import web

from countermark.edge.client import address_of
from countermark.edge.conditions import Verdict
from countermark.edge.failures import answer_error
from countermark.edge.parts import PARTS, EdgeParts
from countermark.edge.plan import Piece, plan
from countermark.edge.ranges import UnsatisfiableError
from countermark.edge.sending import Body, corked, opened, send
from countermark.errors import LinkAddressError, RangeNotSatisfiableError, StorageError
from countermark.links.link import Link, read

log = structlog.get_logger(__name__)


async def download(request: web.Request) -> web.StreamResponse:
    """Serve the file that the link names; see docs/errors.md for what it may answer instead."""
    parts = request.app[PARTS]
    link = _checked_link(request, parts)
    async with opened(parts.store, link) as body:
        try:
            response, pieces = _begun(request, link)
        except UnsatisfiableError:
            return answer_error(
                request, RangeNotSatisfiableError(), {"Content-Range": f"bytes */{link.size}"}
            )
        with corked(request):
            await response.prepare(request)
            # They are sent, and a slow download would hold 3 kB of them to its end.
            response.headers.clear()
            if request.method != "HEAD":
                await _send_all(request, response, body, pieces)
        return response


def _checked_link(request: web.Request, parts: EdgeParts) -> Link:
    # The segments as they came: the signature covers the name, so no other spelling may slip in.
    token, name = request.rel_url.raw_path.split("/")[2:4]
    link = read(token, name, parts.ring(), time.time())
    if link.address is not None and link.address != address_of(request):
        raise LinkAddressError
    return link


def _begun(request: web.Request, link: Link) -> tuple[web.StreamResponse, tuple[Piece, ...]]:
    planned = plan(request.method, request.headers, link)
    response = web.StreamResponse(status=planned.status, headers=planned.headers)
    # 304 has the headers of what it does not send (RFC 9110 section 15.4.5), but not its length.
    if planned.status != Verdict.NOT_MODIFIED.value:
        response.content_length = planned.length
    return response, planned.pieces


async def _send_all(
    request: web.Request, response: web.StreamResponse, body: Body, pieces: tuple[Piece, ...]
) -> None:
    try:
        await send(request, response, body, pieces)
    except (OSError, RuntimeError, StorageError) as error:
        # The headers are out: only a broken connection tells the client that this is not all.
        if isinstance(error, StorageError):
            log.exception("a download broke off")
        if request.transport is not None:
            request.transport.abort()
