"""GET and HEAD of a signed link."""

import asyncio
import time

import structlog
from aiohttp import web

from countermark.edge.client import client_of
from countermark.edge.conditions import Verdict
from countermark.edge.failures import answer_error
from countermark.edge.parts import PARTS
from countermark.edge.plan import Plan, plan
from countermark.edge.player import beside_the_stream
from countermark.edge.ranges import UnsatisfiableError
from countermark.edge.sending import Body, corked, opened, send
from countermark.edge.transfers import Transfer
from countermark.errors import (
    LinkAddressError,
    LinkAnonymizerError,
    LinkBlacklistError,
    LinkBoundError,
    RangeNotSatisfiableError,
    StorageError,
)
from countermark.links.client import Client
from countermark.links.link import Link, read

log = structlog.get_logger(__name__)
# Somebody has a link that is not for them: that is what its owner wants to know.
_NOT_THEIRS = (LinkAddressError, LinkAnonymizerError, LinkBlacklistError, LinkBoundError)


async def download(request: web.Request) -> web.StreamResponse:
    """Serve the file that the link names; see docs/errors.md for what it may answer instead."""
    link, client = _read(request), client_of(request)
    try:
        return await _admitted(request, link, client)
    except _NOT_THEIRS as error:
        if (meter := request.app[PARTS].meter) is not None:
            meter.refused(link, client, error.code)
        raise


async def _admitted(request: web.Request, link: Link, client: Client) -> web.StreamResponse:
    parts = request.app[PARTS]
    parts.gate.check(link, client)
    if (shown := await beside_the_stream(request, link, client)) is not None:
        return shown
    layout = await parts.copies.layout(link)
    async with opened(parts.store, link, layout) as body:
        try:
            planned = plan(request.method, request.headers, link)
        except UnsatisfiableError:
            return answer_error(
                request, RangeNotSatisfiableError(), {"Content-Range": f"bytes */{link.size}"}
            )
        if request.method == "HEAD" or not planned.pieces:
            return await _begun(request, planned)
        transfer = Transfer(link, client, _connection(request))
        async with parts.gate.admitted(transfer):
            with parts.transfers.running(transfer):
                return await _sent(request, transfer, body, planned)


def _read(request: web.Request) -> Link:
    # The segments as they came: the signature covers the name, so no other spelling may slip in.
    token, name = request.rel_url.raw_path.split("/")[2:4]
    return read(token, name, request.app[PARTS].ring(), time.time())


def _connection(request: web.Request) -> asyncio.Transport:
    if request.transport is None:
        raise ConnectionResetError
    return request.transport


async def _begun(request: web.Request, planned: Plan) -> web.StreamResponse:
    """Send the headers."""
    response = web.StreamResponse(status=planned.status, headers=planned.headers)
    # 304 has the headers of what it does not send (RFC 9110 section 15.4.5), but not its length.
    if planned.status != Verdict.NOT_MODIFIED.value:
        response.content_length = planned.length
    await response.prepare(request)
    # They are sent, and a slow download would hold 3 kB of them to its end.
    response.headers.clear()
    return response


async def _sent(
    request: web.Request, transfer: Transfer, body: Body, planned: Plan
) -> web.StreamResponse:
    with corked(request):
        response = await _begun(request, planned)
        try:
            await send(transfer, response, body, planned.pieces)
        except (OSError, RuntimeError, StorageError) as error:
            # The headers are out: only a broken connection tells the client that this is not all.
            if isinstance(error, StorageError):
                log.exception("a download broke off")
            transfer.connection.abort()
    return response
