"""Reads an upload's multipart/form-data (RFC 7578) as it arrives: text fields, then the content.

Nothing is kept but the fields; the content passes through in pieces as they come off the socket.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import TypeAlias

from aiohttp import StreamReader, web
from aiohttp.client_exceptions import ClientPayloadError
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from countermark.errors import (
    BodyTooLargeError,
    InvalidUploadInputError,
    UnsupportedMediaTypeError,
)

FILE = "file"
MAX_FIELDS = 32
MAX_FIELD_BYTES = 16_384
# All that a form may weigh beside its content.
MAX_FORM_BYTES = 65_536
# A client that sends nothing for so long is gone, or means harm.
STALL_SECONDS = 60.0

_MAX_BOUNDARY_CHARACTERS = 200

# A part's head, a piece of its body, or its end.
_Event: TypeAlias = MultipartSegment | bytes | None


class FormReader:
    """One form: call `fields` first, then read `content` to its end."""

    def __init__(self, body: StreamReader, boundary: str) -> None:
        self._body = body
        self._parser = PushMultipartParser(boundary, max_segment_count=MAX_FIELDS + 1)
        self._events = self._parse()

    async def fields(self) -> dict[str, str]:
        """Read the fields up to the content.

        Raises:
            InvalidUploadInputError: the form is malformed, cut short, or without content.
            BodyTooLargeError: too many fields, or too long ones.
        """
        fields: dict[str, str] = {}
        name, value, total = "", bytearray(), 0
        async for event in self._events:
            if isinstance(event, MultipartSegment):
                name, value = event.name or "", bytearray()
                if name == FILE:
                    return fields
                if name in fields:
                    raise InvalidUploadInputError("A field is given more than once.")
            elif event is None:
                fields[name] = _text(value)
            else:
                value += event
                total += len(event)
                if len(value) > MAX_FIELD_BYTES or total > MAX_FORM_BYTES:
                    raise BodyTooLargeError("The fields of the form are too long.")
        raise InvalidUploadInputError("The form has no part 'file'.")

    async def content(self) -> AsyncIterator[bytes]:
        """Yield the content in pieces; ends only if the whole form is well.

        Raises:
            InvalidUploadInputError: the form is malformed or cut short, or goes on after `file`.
        """
        async for event in self._events:
            if isinstance(event, MultipartSegment):
                raise InvalidUploadInputError("The part 'file' must be the last one.")
            if event is not None:
                yield event

    async def aclose(self) -> None:
        """Stop reading."""
        await self._events.aclose()

    async def _parse(self) -> AsyncGenerator[_Event, None]:
        try:
            while piece := await self._piece():
                for event in self._parser.parse(piece):
                    yield event
            self._parser.close()
        except ParserLimitReached as error:
            raise BodyTooLargeError("The form has too many or too long fields.") from error
        except MultipartError as error:
            raise InvalidUploadInputError("The form is malformed or cut short.") from error

    async def _piece(self) -> bytes:
        try:
            async with asyncio.timeout(STALL_SECONDS):
                # Not `readany`, which would copy what came meanwhile into one piece. An empty
                # piece is the end, unless it is that of a chunk (RFC 9112 section 7.1).
                piece, of_chunk = await self._body.readchunk()
                while of_chunk and not piece:
                    piece, of_chunk = await self._body.readchunk()
                return piece
        except TimeoutError as error:
            raise InvalidUploadInputError("The body stopped coming.") from error
        except (ClientPayloadError, ConnectionError, web.RequestPayloadError) as error:
            raise InvalidUploadInputError("The body was cut short.") from error


def boundary_of(headers: Mapping[str, str]) -> str:
    """Take the boundary from a request's headers.

    Raises:
        UnsupportedMediaTypeError: the body is not multipart/form-data, or is compressed.
        InvalidUploadInputError: the boundary is missing or impossible.
    """
    kind, options = parse_options_header(headers.get("Content-Type", ""))
    if kind != "multipart/form-data":
        raise UnsupportedMediaTypeError("Send multipart/form-data.")
    if headers.get("Content-Encoding", "").lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError("Send the body without Content-Encoding.")
    boundary: str = options.get("boundary", "")
    if not 1 <= len(boundary) <= _MAX_BOUNDARY_CHARACTERS or not boundary.isascii():
        raise InvalidUploadInputError("The boundary of the form is missing or malformed.")
    return boundary


def _text(value: bytearray) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise InvalidUploadInputError("A field is not UTF-8.") from error
