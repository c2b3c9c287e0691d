"""Errors as the client wants to read them: JSON, XML, or a small page for a person's browser."""

import re
from collections.abc import Mapping
from html import escape
from typing import Final

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from countermark.edge.headers import CORS, SERVER
from countermark.edge.metrics import ERROR_CODE
from countermark.errors import (
    BodyTooLargeError,
    InternalError,
    InvalidRequestError,
    MethodNotAllowedError,
    NoSuchRouteError,
    PublicError,
)

log = structlog.get_logger(__name__)

JSON: Final = "application/json"
XML: Final = "application/xml"
HTML: Final = "text/html"

_OFFERED = {
    "application/json": JSON,
    "application/*": JSON,
    "*/*": JSON,
    "application/xml": XML,
    "text/xml": XML,
    "text/html": HTML,
    "application/xhtml+xml": HTML,
    "text/*": HTML,
}
_QUALITY = re.compile(r";\s*q=([01](?:\.[0-9]{0,3})?)\s*\Z")
_UNWRITABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FROM_AIOHTTP: dict[int, type[PublicError]] = {
    404: NoSuchRouteError,
    405: MethodNotAllowedError,
    413: BodyTooLargeError,
}
# As long as a slot of a dead download may stay taken.
_RETRY_SECONDS = "15"
_RETRIED = {429, 503}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{message}</title>
<style>
  body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto;
    padding: 1rem; color: CanvasText; background: Canvas }}
  :root {{ color-scheme: light dark }}
  h1 {{ font-size: 1.5rem; margin: 0 }}
  small {{ opacity: .6 }}
</style>
<h1>{message}</h1>
<p>{detail}</p>
<small>{status} · {code}</small>
</html>
"""


@web.middleware
async def as_public_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever goes wrong before the headers into an answer."""
    try:
        return await handler(request)
    except PublicError as error:
        return answer_error(request, error)
    except web.HTTPException as error:
        kind = _FROM_AIOHTTP.get(error.status, InvalidRequestError)
        allowed = error.headers.get("Allow")
        return answer_error(request, kind(), {"Allow": allowed} if allowed else {})
    except ConnectionError:
        # Nobody is there any more; aiohttp drops quietly what it cannot send.
        return web.Response()
    except Exception:
        # The path is a link's secret: only its first segment goes to the log.
        log.exception("request failed", method=request.method, route=request.path.split("/")[1])
        return answer_error(request, InternalError())


def answer_malformed(request: web.BaseRequest, status: int) -> web.Response:
    """The answer to what is no request, or to one that failed outside the app."""
    error: PublicError = InternalError()
    if status < 500:  # noqa: PLR2004 - the client's errors
        error = InvalidRequestError("not an HTTP/1.1 request, or its lines or headers are too long")
    answer = answer_error(request, error)
    answer.headers["Server"] = SERVER
    return answer


def answer_error(
    request: web.BaseRequest, error: PublicError, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Write an error in the type that the request prefers."""
    kind = preferred(request.headers.get("Accept", ""))
    response = web.Response(
        status=error.status,
        text=write(error, kind),
        content_type=kind,
        charset="utf-8",
        headers={
            **CORS,
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Vary": "Accept",
            **({"Retry-After": _RETRY_SECONDS} if error.status in _RETRIED else {}),
            **(headers or {}),
        },
    )
    response[ERROR_CODE] = error.code
    return response


def preferred(accept: str) -> str:
    """The one of our three types that comes first in an Accept header; JSON if it names none."""
    best, best_quality = JSON, 0.0
    for member in accept.split(","):
        kind = _OFFERED.get(member.partition(";")[0].strip().lower())
        quality = _QUALITY.search(member)
        weight = min(float(quality[1]), 1.0) if quality else 1.0
        if kind is not None and weight > best_quality:
            best, best_quality = kind, weight
    return best


def write(error: PublicError, kind: str) -> str:
    """The error's public side: never its cause."""
    if kind == JSON:
        return msgspec.json.encode({"error": _public(error)}).decode()
    if kind == XML:
        elements = "".join(
            f"<{name}>{_xml(text)}</{name}>" for name, text in _public(error).items()
        )
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<response><error>{elements}</error></response>\n"
        )
    return _PAGE.format(
        message=escape(error.message),
        detail=escape(error.detail or ""),
        status=error.status,
        code=error.code,
    )


def _public(error: PublicError) -> dict[str, str]:
    public = {"error_code": error.code, "error_message": error.message}
    return public | ({"error_detail": error.detail} if error.detail else {})


def _xml(text: str) -> str:
    return escape(_UNWRITABLE.sub("\ufffd", text), quote=False)
