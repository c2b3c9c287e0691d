"""HTTP connections whose refusal of what is no HTTP request looks like every other error.

What aiohttp's parser refuses (a line over the limit, as of an over-long link, too many headers,
nonsense) never gets to the app and its middleware. The connection itself answers, in plain text
and under aiohttp's own name. aiohttp has no setting for that; what is overridden here are the
methods by which it makes its server and its connections.
"""

from typing import Any

from aiohttp import web

from countermark.edge.failures import answer_malformed


class Connection(web.RequestHandler):
    """One client's connection."""

    __slots__ = ()

    def handle_error(self, request: web.BaseRequest, *details: Any, **named: Any) -> web.Response:
        """Answer what could not be read, or failed outside the app; the connection then ends."""
        refused = super().handle_error(request, *details, **named)
        answer = answer_malformed(request, refused.status)
        answer.force_close()
        return answer


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an app behind such connections."""

    __slots__ = ()

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            loop=made._loop,  # noqa: SLF001 - see above
            **made._kwargs,  # noqa: SLF001
        )
