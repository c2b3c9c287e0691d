"""GET and HEAD of a signed link."""

import time

import structlog
from aiohttp import web

from countermark.edge.client import address_of
from countermark.edge.failures import answer_error
from countermark.edge.parts import PARTS, EdgeParts
from countermark.edge.plan import Plan, plan
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
            planned = plan(request.method, request.headers, link)
        except UnsatisfiableError:
            return answer_error(
                request, RangeNotSatisfiableError(), {"Content-Range": f"bytes */{link.size}"}
            )
        return await _answer(request, planned, body)


def _checked_link(request: web.Request, parts: EdgeParts) -> Link:
    # The segments as they came: the signature covers the name, so no other spelling may slip in.
    token, name = request.rel_url.raw_path.split("/")[2:4]
    link = read(token, name, parts.ring(), time.time())
    if link.address is not None and link.address != address_of(request):
        raise LinkAddressError
    return link


async def _answer(request: web.Request, planned: Plan, body: Body) -> web.StreamResponse:
    response = web.StreamResponse(status=planned.status, headers=planned.headers)
    if planned.status in {200, 206}:
        response.content_length = planned.length
    with corked(request):
        await response.prepare(request)
        if request.method != "HEAD":
            await _send_all(request, response, body, planned)
    return response


async def _send_all(
    request: web.Request, response: web.StreamResponse, body: Body, planned: Plan
) -> None:
    try:
        await send(request, response, body, planned.pieces)
    except (OSError, RuntimeError, StorageError) as error:
        # The headers are out: only a broken connection tells the client that this is not all.
        if isinstance(error, StorageError):
            log.exception("a download broke off")
        if request.transport is not None:
            request.transport.abort()
