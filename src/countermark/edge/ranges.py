"""Byte ranges of RFC 9110 section 14: from the header to the spans to send. Pure.

What the RFC leaves open is decided so: a header that is not understood is ignored; ranges that
overlap or touch are merged, and then come in ascending order; more than 100 ranges are refused,
since many small ones are an attack that costs us more than the sender.
"""

import re
from typing import NamedTuple

MAX_RANGES = 100

_SPEC = re.compile(r"(?:([0-9]+)-([0-9]*)|-([0-9]+))\Z")
# Longer numbers are beyond every file, and not worth the arithmetic.
_MAX_DIGITS = 18


class Span(NamedTuple):
    """Bytes from `start` up to, not including, `stop`; never empty."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The value of Content-Range for this span of a blob of `size` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


class UnsatisfiableError(ValueError):
    """The header is right, but no range of it can be served (416)."""


def parse_range(header: str, size: int) -> list[Span] | None:
    """Read a Range header for a blob of `size` bytes.

    Returns:
        The spans to send, at least one; or None if the header must be ignored because its unit
        or its syntax is unknown, or because it asks for the end of an empty blob.

    Raises:
        UnsatisfiableError: no range lies within the blob, or there are more than 100.
    """
    unit, equals, ranges = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    specs = [_SPEC.match(spec.strip(" \t")) for spec in ranges.split(",") if spec.strip(" \t")]
    if not specs:
        return None
    spans = []
    for spec in specs:
        if spec is None or _is_backward(spec):
            return None
        span = _span(spec, size)
        if span is not None:
            spans.append(span)
    if size == 0 and any(_number(spec[3]) for spec in specs if spec):
        # A suffix of nothing is nothing, which 206 has no words for.
        return None
    if not spans or len(specs) > MAX_RANGES:
        raise UnsatisfiableError
    return _merged(spans)


def _number(digits: str | None) -> int:
    digits = (digits or "0").lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _is_backward(spec: re.Match[str]) -> bool:
    """A last position before the first makes the whole header invalid (section 14.1.1)."""
    return bool(spec[2]) and _number(spec[2]) < _number(spec[1])


def _span(spec: re.Match[str], size: int) -> Span | None:
    if spec[3] is not None:
        start, stop = max(0, size - _number(spec[3])), size
    else:
        start = _number(spec[1])
        stop = min(_number(spec[2]) + 1, size) if spec[2] else size
    return Span(start, stop) if start < stop else None


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].stop:
            merged[-1] = Span(merged[-1].start, max(merged[-1].stop, span.stop))
        else:
            merged.append(span)
    # The order asked for is kept where nothing was merged.
    return spans if len(merged) == len(spans) else merged
