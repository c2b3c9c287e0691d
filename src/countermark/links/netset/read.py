"""Reads an address list of any format that is known, told by its content."""

from pathlib import Path

from countermark.errors import AddressListError
from countermark.links.netset.mmdb import MARKER, MARKER_WITHIN, read_mmdb
from countermark.links.netset.ranges import Ranges
from countermark.links.netset.text import read_text

MAX_BYTES = 128 << 20
# A list of half the Internet is a mistake, however well it is written.
MAX_IPV4_SHARE = 0.5


def read_list(path: Path) -> Ranges:
    """Compile the list in a file.

    Raises:
        AddressListError: it is broken: unreadable, cut off, empty, too large, or lists half of
            all addresses.
    """
    if path.stat().st_size > MAX_BYTES:
        raise AddressListError(f"it is larger than {MAX_BYTES >> 20} MiB")
    ranges = read_mmdb(path) if _is_mmdb(path) else _read_lines(path)
    if not len(ranges):
        raise AddressListError("it lists no address")
    if ranges.ipv4_share() > MAX_IPV4_SHARE:
        raise AddressListError("it lists more than half of all IPv4 addresses")
    return ranges


def _is_mmdb(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MARKER_WITHIN))
        return MARKER in file.read()


def _read_lines(path: Path) -> Ranges:
    with path.open("rb") as file:
        return read_text(file)
