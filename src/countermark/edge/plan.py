"""What to answer to a request for a file: status, headers, and the pieces of the body. Pure."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from countermark.edge.conditions import Verdict, evaluate, range_applies
from countermark.edge.headers import content_type, describe
from countermark.edge.ranges import Span, parse_range
from countermark.links.link import Link

# A piece is bytes that the edge makes, or a span of the blob.
Piece = bytes | Span


@dataclass(frozen=True)
class Plan:
    """An answer, before any of it is sent."""

    status: int
    headers: dict[str, str]
    pieces: tuple[Piece, ...] = ()

    @property
    def length(self) -> int:
        """Of the body, bytes."""
        return sum(piece.length if isinstance(piece, Span) else len(piece) for piece in self.pieces)


def plan(method: str, headers: Mapping[str, str], link: Link) -> Plan:
    """Decide on the answer to a GET or HEAD.

    Range counts for GET only (RFC 9110 section 14.2).

    Raises:
        UnsatisfiableError: the range asked for is not in the file.
    """
    described = describe(link)
    verdict = evaluate(headers, link.etag, link.modified_at // 1000)
    if verdict is not Verdict.SEND:
        return Plan(verdict.value, described)
    spans = _spans(method, headers, link)
    if spans is None:
        return _whole(link, described)
    if len(spans) == 1:
        described["Content-Type"] = content_type(link)
        described["Content-Range"] = spans[0].content_range(link.size)
        return Plan(206, described, (spans[0],))
    return _several(link, described, spans)


def _spans(method: str, headers: Mapping[str, str], link: Link) -> list[Span] | None:
    asked = headers.get("Range")
    if method != "GET" or asked is None:
        return None
    if not range_applies(headers.get("If-Range"), link.etag, link.modified_at // 1000):
        return None
    return parse_range(asked, link.size)


def _whole(link: Link, described: dict[str, str]) -> Plan:
    described["Content-Type"] = content_type(link)
    return Plan(200, described, (Span(0, link.size),) if link.size else ())


def _several(link: Link, described: dict[str, str], spans: list[Span]) -> Plan:
    """Parts of multipart/byteranges (RFC 9110 section 14.6)."""
    # Random, so that no file can be made to contain it.
    boundary = secrets.token_hex(16)
    pieces: list[Piece] = []
    for number, span in enumerate(spans):
        line_end = "\r\n" if number else ""
        pieces.append(
            f"{line_end}--{boundary}\r\nContent-Type: {content_type(link)}\r\n"
            f"Content-Range: {span.content_range(link.size)}\r\n\r\n".encode()
        )
        pieces.append(span)
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    described["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
    return Plan(206, described, tuple(pieces))
