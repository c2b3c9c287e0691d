"""Address lists as text: CIDR files, FireHOL netsets and ipsets, Tor's exit lists.

One address, network ("192.0.2.0/24") or range ("192.0.2.1-192.0.2.9") a line; "#" and ";" begin a
comment. A network whose host bits are set is the network around it. Of Tor's exit-address format
("ExitAddress 192.0.2.1 2026-01-01 00:00:00") the other lines are skipped.
"""

from collections.abc import Iterable, Iterator

from countermark.errors import AddressListError
from countermark.links.netset.ranges import Ranges, Span, plain, span_of

# One unreadable line in a hundred is somebody's slip; more is another kind of file.
MAX_GARBAGE_SHARE = 0.01

_TOR_ADDRESS = "ExitAddress"
_TOR_REST = {"ExitNode", "Published", "LastStatus"}
_SHOWN_LINES = 5


def read_text(lines: Iterable[bytes]) -> Ranges:
    """Compile a list from its lines.

    Raises:
        AddressListError: more than one line in a hundred is unreadable, or there are too many.
    """
    reader = _Reader()
    ranges = Ranges(reader.spans(lines))
    if reader.garbage > MAX_GARBAGE_SHARE * (reader.entries + reader.garbage):
        where = ", ".join(map(str, reader.garbage_lines))
        raise AddressListError(
            f"{reader.garbage} of {reader.entries + reader.garbage} entries are unreadable,"
            f" the first in line {where}"
        )
    return ranges


def read_line(text: str) -> Span | None:
    """The addresses that a line names; None if it is empty, a comment, or says something else.

    Raises:
        ValueError: it is unreadable, or names every address there is.
    """
    words = text.partition("#")[0].partition(";")[0].split()
    if not words or words[0] in _TOR_REST:
        return None
    if words[0] == _TOR_ADDRESS:
        words = words[1:2]
    if len(words) == 1:
        return plain(_range(words[0]) if "-" in words[0] else _network(words[0]))
    if len(words) == 3 and words[1] == "-":  # noqa: PLR2004 - first, dash, last
        return plain(_range("".join(words)))
    raise ValueError("not one address")


def _network(text: str) -> Span:
    host, slash, length = text.partition("/")
    found = span_of(host)
    if not slash:
        return found
    bits = 128 if found.wide else 32
    # A prefix of no length would be everybody: nobody lists that on purpose.
    if not (length.isascii() and length.isdigit() and 0 < int(length) <= bits):
        raise ValueError("not a prefix length")
    rest = (1 << (bits - int(length))) - 1
    return Span(found.wide, found.first & ~rest, found.first | rest)


def _range(text: str) -> Span:
    first, last = (span_of(part) for part in text.split("-"))
    if first.wide != last.wide or first.first > last.first:
        raise ValueError("not a range")
    return Span(first.wide, first.first, last.first)


class _Reader:
    """Gives the spans of lines, and counts what it could not read."""

    def __init__(self) -> None:
        self.entries = 0
        self.garbage = 0
        self.garbage_lines: list[int] = []

    def spans(self, lines: Iterable[bytes]) -> Iterator[Span]:
        for number, line in enumerate(lines, 1):
            try:
                span = read_line(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except ValueError:
                self.garbage += 1
                if len(self.garbage_lines) < _SHOWN_LINES:
                    self.garbage_lines.append(number)
                continue
            if span is not None:
                self.entries += 1
                yield span
