"""Writes small databases in MaxMind's DB format, version 2, for tests of what reads them."""

from ipaddress import ip_network
from typing import Any

MARKER = b"\xab\xcd\xefMaxMind.com"
_MAP, _STRING, _UINT32, _UINT64, _ARRAY, _BOOLEAN = 7, 2, 6, 9, 11, 14


def database(
    records: dict[str, dict[str, Any]], *, ip_version: int = 6, record_size: int = 28
) -> bytes:
    """A database that gives each network its record; in IPv6's tree, IPv4 lies at ::/96."""
    bits = 128 if ip_version == 6 else 32
    nodes: list[list[Any]] = [[None, None]]
    data = b""
    for text, record in records.items():
        network = ip_network(text)
        length = network.prefixlen + (bits - network.max_prefixlen)
        address = int(network.network_address)
        node = 0
        for depth in range(length - 1):
            side = address >> (bits - 1 - depth) & 1
            if nodes[node][side] is None:
                nodes.append([None, None])
                nodes[node][side] = len(nodes) - 1
            node = nodes[node][side]
        nodes[node][address >> (bits - length) & 1] = ("data", len(data))
        data += _encoded(record)
    tree = b"".join(_node(node, len(nodes), record_size) for node in nodes)
    metadata = {
        "binary_format_major_version": 2,
        "binary_format_minor_version": 0,
        "build_epoch": 1_700_000_000,
        "database_type": "GeoIP2-Anonymous-IP",
        "description": {"en": "for tests"},
        "ip_version": ip_version,
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": record_size,
    }
    return tree + bytes(16) + data + MARKER + _encoded(metadata)


def _node(sides: list[Any], count: int, record_size: int) -> bytes:
    left, right = (_pointer(side, count) for side in sides)
    if record_size == 28:
        middle = (left >> 24) << 4 | right >> 24
        low = (1 << 24) - 1
        return (left & low).to_bytes(3, "big") + bytes([middle]) + (right & low).to_bytes(3, "big")
    return left.to_bytes(record_size // 8, "big") + right.to_bytes(record_size // 8, "big")


def _pointer(side: Any, count: int) -> int:
    if side is None:
        return count
    return count + 16 + side[1] if isinstance(side, tuple) else int(side)


def _encoded(value: Any) -> bytes:
    if isinstance(value, dict):
        pairs = (_encoded(key) + _encoded(one) for key, one in value.items())
        return _control(_MAP, len(value)) + b"".join(pairs)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    if isinstance(value, bool):
        return _control(_BOOLEAN, int(value))
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return _control(_UINT32 if value < 1 << 32 else _UINT64, len(raw)) + raw
    raw = str(value).encode()
    return _control(_STRING, len(raw)) + raw


def _control(kind: int, size: int) -> bytes:
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])
