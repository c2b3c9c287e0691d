"""Answers on their way out: bytes, headers, and the ASGI messages that carry them."""

from typing import NamedTuple

import msgspec
from litestar.types import Receive, Scope, Send
from msgspec import Struct

from countermark.api.negotiation import MEDIA_TYPES, Format
from countermark.api.resources import ErrorAnswer, Problem
from countermark.api.xml import to_xml
from countermark.errors import MethodNotAllowedError, PublicError

Headers = tuple[tuple[bytes, bytes], ...]

# Any origin may call: access hangs on the token, never on cookies.
CROSS_ORIGIN: Headers = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Location, Retry-After"),
)
_COMMON: Headers = (
    *CROSS_ORIGIN,
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept"),
    (b"x-content-type-options", b"nosniff"),
)
_HEADERS: dict[Format, Headers] = {
    name: ((b"content-type", kind.encode()), *_COMMON) for name, kind in MEDIA_TYPES.items()
}
_INDENT = 4

_encoder = msgspec.json.Encoder()


class Look(NamedTuple):
    """How the caller wants to see the answer."""

    format: Format = "json"
    human: bool = False


class Answer:
    """A whole response, callable as an ASGI application."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it; to HEAD without the body (RFC 9110, 9.3.2)."""
        headers = [*self.headers]
        if self.status != 204:  # noqa: PLR2004 - No Content has no length (RFC 9110, 8.6)
            headers.append((b"content-length", b"%d" % len(self.body)))
        head = scope.get("method") == "HEAD"
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        body = b"" if head else self.body
        await send({"type": "http.response.body", "body": body, "more_body": False})


def encode(answer: Struct, look: Look, status: int = 200, extra: Headers = ()) -> Answer:
    """Write an answer as JSON or XML."""
    if look.format == "xml":
        body = to_xml(msgspec.to_builtins(answer), human=look.human)
    else:
        body = _encoder.encode(answer)
        body = msgspec.json.format(body, indent=_INDENT) if look.human else body
    return Answer(status, _HEADERS[look.format] + extra, body)


def empty(status: int, extra: Headers = ()) -> Answer:
    """An answer without a body."""
    return Answer(status, _COMMON + extra)


def to_preflight(methods: list[str]) -> Answer:
    """The answer to OPTIONS, which is also what browsers ask first (Fetch standard, CORS)."""
    allowed = ", ".join(methods).encode()
    return empty(
        204,
        (
            (b"allow", allowed),
            (b"access-control-allow-methods", allowed),
            (b"access-control-allow-headers", b"Authorization, Content-Type, Accept"),
            (b"access-control-max-age", b"86400"),
        ),
    )


def not_allowed(methods: list[str], look: Look) -> Answer:
    """The answer to another method than these."""
    return of_error(MethodNotAllowedError(), look, ((b"allow", ", ".join(methods).encode()),))


def of_error(error: PublicError, look: Look, extra: Headers = ()) -> Answer:
    """What the caller sees of an error: code, message, detail; never its cause."""
    problem = Problem(error.code, error.message, error.detail)
    return encode(ErrorAnswer(problem), look, error.status, extra)


def page(body: bytes, media_type: str, *extra: tuple[bytes, bytes]) -> Answer:
    """A document that is neither JSON nor XML of ours."""
    return Answer(200, ((b"content-type", media_type.encode()), *_COMMON, *extra), body)
