"""A file behind HTTP: fetched by GET with ranges (RFC 9110, 14), sent by PUT."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
from yarl import URL

from countermark.errors import PlaceInvalidError, PlacePrivateError, PlaceRefusedError
from countermark.storage.place import Place
from countermark.work.places.source import PIECE_BYTES, Opened, pieces_of, size_of
from countermark.work.public_http import (
    RedirectError,
    check_host,
    getting,
    is_internal,
    new_session,
)

_OK, _PARTIAL, _GONE_ON, _TOO_MANY, _SERVER_ERROR = 200, 206, 416, 429, 500
_DONE = frozenset({200, 201, 204})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


class HttpsPlace:
    """An `Elsewhere` behind HTTPS, or plain HTTP within one's own network.

    Args:
        place: Its address.
        internal: Whether it may lie at an address that is not public.
        stall_seconds: How long the server may say nothing.

    Raises:
        PlaceInvalidError: It is plain HTTP, where others could read and change what passes.
    """

    def __init__(self, place: Place, *, internal: bool, stall_seconds: float) -> None:
        if place.scheme == "http" and not internal:
            raise PlaceInvalidError("use https: what goes over http can be read and changed")
        self._url = URL(place.uri)
        self._internal = internal
        self._times = aiohttp.ClientTimeout(
            total=None, sock_connect=stall_seconds, sock_read=stall_seconds
        )

    @asynccontextmanager
    async def read(self, offset: int, identity: str | None) -> AsyncIterator[Opened]:
        """See the port."""
        headers = {}
        if offset and identity:
            headers = {"Range": f"bytes={offset}-", "If-Range": identity}
        with _Translated():
            async with (
                new_session(self._times, internal=self._internal) as session,
                getting(session, self._url, internal=self._internal, headers=headers) as answer,
            ):
                yield _opened(answer, offset)

    async def write(self, path: Path, sent: Callable[[int], None]) -> None:
        """See the port."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size_of(path)),
        }
        with _Translated():
            check_host(self._url, internal=self._internal)
            async with (
                new_session(self._times, internal=self._internal) as session,
                session.put(
                    self._url, data=pieces_of(path, sent), headers=headers, allow_redirects=False
                ) as answer,
            ):
                _check_status(answer.status, _DONE)


class _Translated:
    """Turns what can't be helped by trying again into public errors."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            return
        if is_internal(error):
            raise PlacePrivateError from error
        if isinstance(error, RedirectError):
            raise PlaceRefusedError(str(error)) from error
        if isinstance(error, aiohttp.InvalidURL):
            raise PlaceInvalidError from error


def _opened(answer: aiohttp.ClientResponse, offset: int) -> Opened:
    _check_status(answer.status, {_OK, _PARTIAL, _GONE_ON})
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise PlaceRefusedError("its server sends it compressed")
    identity = _identity(answer)
    pieces = answer.content.iter_chunked(PIECE_BYTES)
    if answer.status == _OK:
        return Opened(0, answer.content_length, identity, pieces)
    # 206 of what was asked for, or 416 for a file that is at its end already or has shrunk.
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    if answer.status == _PARTIAL and found and int(found[1]) == offset:
        return Opened(offset, None if found[2] == "*" else int(found[2]), identity, pieces)
    raise OSError("the server's range is not what was asked for")


def _check_status(status: int, accepted: "set[int] | frozenset[int]") -> None:
    if status in accepted:
        return
    if status >= _SERVER_ERROR or status == _TOO_MANY:
        raise OSError(f"status {status}")
    raise PlaceRefusedError(f"its server answers {status}")


def _identity(answer: aiohttp.ClientResponse) -> str | None:
    etag = answer.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified")
