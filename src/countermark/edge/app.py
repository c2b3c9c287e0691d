"""The edge's routes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from html import escape

from aiohttp import web

from countermark.edge.download import download
from countermark.edge.failures import as_public_errors
from countermark.edge.headers import SERVER, preflight
from countermark.edge.parts import PARTS, EdgeParts
from countermark.edge.revoking import ending_revoked
from countermark.edge.upload import upload
from countermark.errors import UnavailableError

__all__ = ["EdgeParts", "build_app"]

_DOWNLOAD = "/d/{token}/{name}"
_UPLOAD = "/uploads/{upload_id}"
_ABOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Countermark edge</title>
<p>This is an edge of <b>Countermark</b>. It serves signed links and receives uploads;
the API that gives them out is at <a href="{url}">{url}</a>.</p>
</html>
"""


def build_app(parts: EdgeParts) -> web.Application:
    """Put the edge together; `serve` runs it."""
    app = web.Application(middlewares=[as_public_errors])
    app[PARTS] = parts
    app.on_response_prepare.append(_name_server)
    app.cleanup_ctx.append(ending_revoked)
    app.on_response_prepare.append(parts.metrics.answered)
    app.cleanup_ctx.append(_metered)
    app.router.add_get(_DOWNLOAD, download)
    app.router.add_options(_DOWNLOAD, _download_preflight)
    app.router.add_post(_UPLOAD, upload)
    app.router.add_options(_UPLOAD, _upload_preflight)
    app.router.add_get("/health", _health)
    app.router.add_get("/ready", _ready)
    app.router.add_get("/", _about)
    return app


async def _name_server(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = SERVER


async def _download_preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers=preflight("GET, HEAD, OPTIONS"))


async def _upload_preflight(_request: web.Request) -> web.Response:
    return web.Response(status=204, headers=preflight("POST, OPTIONS"))


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def _ready(request: web.Request) -> web.Response:
    silent = await request.app[PARTS].ready()
    if silent:
        raise UnavailableError(f"not answering: {', '.join(silent)}")
    return web.json_response({"status": "ready"}, headers={"Cache-Control": "no-store"})


async def _metered(app: web.Application) -> AsyncIterator[None]:
    """Hand on what is sent while the edge runs, and the rest when its transfers have ended."""
    meter = app[PARTS].meter
    if meter is None:
        yield
        return
    running = asyncio.create_task(meter.run())
    yield
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    await meter.close()


async def _about(request: web.Request) -> web.Response:
    url = escape(request.app[PARTS].api_url)
    return web.Response(text=_ABOUT.format(url=url), content_type="text/html")
