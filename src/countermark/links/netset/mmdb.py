"""Anonymous-IP databases in MaxMind's DB format (version 2 of its specification).

A binary tree over the bits of the address, whose leaves point at records. Only the records'
flags are of interest: an address is listed when any of those that MaxMind's Anonymous IP
databases have is true. The records are few and shared by many leaves, so each is read once, which
makes this walk far quicker than asking the library for every network.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path

import maxminddb
from maxminddb.decoder import Decoder
from maxminddb.errors import InvalidDatabaseError
from maxminddb.reader import Metadata

from countermark.errors import AddressListError
from countermark.links.netset.ranges import Ranges, Span, plain

MARKER = b"\xab\xcd\xefMaxMind.com"
MARKER_WITHIN = 128 << 10  # of the file's end

FLAGS = frozenset(
    {
        "is_anonymous",
        "is_anonymous_vpn",
        "is_hosting_provider",
        "is_public_proxy",
        "is_residential_proxy",
        "is_tor_exit_node",
    }
)

_SEPARATOR_BYTES = 16
# 2002::/16, ::ffff:0:0/96 and the like may point at the IPv4 tree again; more is a bomb.
_MOST_VISITS_PER_NODE = 8


def read_mmdb(path: Path) -> Ranges:
    """Compile the listed networks of a database.

    Raises:
        AddressListError: it is cut off or corrupt, or has no record with one of the flags.
    """
    try:
        with maxminddb.open_database(path, maxminddb.MODE_MMAP) as reader:
            metadata = reader.metadata()
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            tree = _Tree(raw, metadata)
            ranges = Ranges(plain(span) for span in tree.spans())
    # What a corrupt file makes of the library's decoder.
    except (InvalidDatabaseError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise AddressListError("the database is cut off or corrupt") from error
    if not tree.flagged:
        raise AddressListError("the database has no Anonymous-IP records")
    return ranges


class _Tree:
    """The search tree of an opened database.

    Attributes:
        flagged: whether a record with any of the flags, true or false, has been met.
    """

    def __init__(self, raw: mmap.mmap, metadata: Metadata) -> None:
        self._raw = raw
        self._nodes = metadata.node_count
        self._node_bytes = metadata.node_byte_size
        self._bits = 128 if metadata.ip_version == 6 else 32  # noqa: PLR2004 - IPv6
        self._data = metadata.search_tree_size
        self._decoder = Decoder(raw, self._data + _SEPARATOR_BYTES)
        self._listed: dict[int, bool] = {}
        self.flagged = False

    def spans(self) -> Iterator[Span]:
        """The listed networks.

        Raises:
            ValueError: the tree is deeper than an address, or visits its nodes too often.
        """
        visits = 0
        waiting = [(0, 0, 0)]  # node, its depth, the address's bits above it
        while waiting:
            node, depth, above = waiting.pop()
            if node < self._nodes:
                visits += 1
                if depth >= self._bits or visits > self._nodes * _MOST_VISITS_PER_NODE:
                    raise ValueError("not a tree")
                left, right = self._children(node)
                waiting.append((right, depth + 1, above << 1 | 1))
                waiting.append((left, depth + 1, above << 1))
            elif node > self._nodes and self._is_listed(node):
                yield self._span(depth, above)

    def _children(self, node: int) -> tuple[int, int]:
        at = node * self._node_bytes
        raw = self._raw[at : at + self._node_bytes]
        half = self._node_bytes // 2
        if self._node_bytes % 2 == 0:
            return int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        # Records of 28 bits: the byte in the middle has the highest bits of both.
        middle = raw[half]
        return (
            (middle >> 4) << 24 | int.from_bytes(raw[:half], "big"),
            (middle & 15) << 24 | int.from_bytes(raw[half + 1 :], "big"),
        )

    def _is_listed(self, pointer: int) -> bool:
        if pointer not in self._listed:
            record, _ = self._decoder.decode(self._data + pointer - self._nodes)
            flags = FLAGS & record.keys() if isinstance(record, dict) else frozenset()
            self.flagged = self.flagged or bool(flags)
            self._listed[pointer] = any(record[flag] is True for flag in flags)  # type: ignore[index,call-overload]  # flags are keys of a dict
        return self._listed[pointer]

    def _span(self, depth: int, above: int) -> Span:
        first = above << (self._bits - depth)
        last = first | ((1 << (self._bits - depth)) - 1)
        # In a tree of IPv6, IPv4 lies at ::/96.
        wide = self._bits == 128 and last >> 32 != 0  # noqa: PLR2004 - IPv6
        return Span(wide, first, last)
