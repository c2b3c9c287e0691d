"""A compiled address list answers like a plain set of networks, whatever is in it."""

import ipaddress
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from countermark.errors import AddressListError
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.ranges import Ranges
from countermark.links.netset.text import read_line, read_text

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NARROW = st.builds(
    lambda number, length: ipaddress.IPv4Network((number, length), strict=False),
    st.integers(0, (1 << 32) - 1),
    st.integers(1, 32),
)
# Few bits, so that networks lie in and beside each other.
NEAR = st.builds(
    lambda number, length: ipaddress.IPv4Network((number, length), strict=False),
    st.integers(0xC0000200, 0xC0000240),
    st.integers(24, 32),
)
WIDE = st.builds(
    lambda number, length: ipaddress.IPv6Network((number, length), strict=False),
    st.integers(0x20010DB8 << 96, (0x20010DB9 << 96) - 1),
    st.integers(16, 128),
)
NETWORKS = st.lists(NARROW | NEAR | WIDE, min_size=1, max_size=30)


def _read(networks: Iterable[Network]) -> Ranges:
    return read_text(f"{network}\n".encode() for network in networks)


def _has(ranges: Ranges, address: object) -> bool:
    lists = AddressLists([AddressList("a", ListKind.ANONYMIZER, ranges)])
    return lists.reason(str(address)) is ListKind.ANONYMIZER


@given(networks=NETWORKS, data=st.data())
def test_a_list_has_exactly_the_addresses_of_its_networks(
    networks: list[Network], data: st.DataObject
) -> None:
    ranges = _read(networks)
    edges = [
        type(network.network_address)(number)
        for network in networks
        for number in (
            int(network[0]),
            int(network[-1]),
            max(int(network[0]) - 1, 0),
            min(int(network[-1]) + 1, (1 << network.max_prefixlen) - 1),
        )
    ]
    strangers = data.draw(st.lists(st.ip_addresses(), max_size=5))
    for address in [*edges, *strangers]:
        plain = getattr(address, "ipv4_mapped", None) or address
        listed = any(plain in network for network in networks)
        assert _has(ranges, address) == listed, address


@given(networks=st.lists(NARROW | NEAR, min_size=1, max_size=20))
def test_an_ipv4_address_in_ipv6_s_clothes_is_the_same_address(
    networks: list[ipaddress.IPv4Network],
) -> None:
    plain = _read(networks)
    mapped = read_text(
        f"::ffff:{network.network_address}/{network.prefixlen + 96}\n".encode()
        for network in networks
    )
    assert mapped.dump() == plain.dump()
    for network in networks:
        assert _has(plain, f"::ffff:{network[0]}")


@given(networks=NETWORKS, chance=st.randoms())
def test_order_and_repetition_do_not_matter(networks: list[Network], chance: object) -> None:
    shuffled = [*networks, *networks]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert _read(shuffled).dump() == _read(networks).dump()


@given(networks=NETWORKS)
def test_a_compiled_list_comes_back_as_it_was(networks: list[Network]) -> None:
    ranges = _read(networks)
    again = Ranges.load(ranges.dump())
    assert list(again.spans()) == list(ranges.spans())
    assert len(again) == len(ranges)
    for network in networks:
        assert _has(again, network[0])
        assert _has(again, network[-1])


@given(networks=NETWORKS, at=st.integers(0), bit=st.integers(0, 7), cut=st.integers(1))
def test_a_damaged_compiled_list_is_never_loaded(
    networks: list[Network], at: int, bit: int, cut: int
) -> None:
    raw = bytearray(_read(networks).dump())
    for damaged in (raw[: -(cut % len(raw)) or -1], raw + b"\0", _flipped(raw, at, bit)):
        try:
            Ranges.load(bytes(damaged))
        except AddressListError:
            continue
        raise AssertionError("a damaged list was loaded")


def _flipped(raw: bytearray, at: int, bit: int) -> bytearray:
    flipped = bytearray(raw)
    at %= len(raw)
    # Two bytes of the head have no meaning yet.
    flipped[at if at not in {6, 7} else 0] ^= 1 << bit
    return flipped


@given(line=st.text(max_size=60) | st.text("0123456789abcdef.:/-# ;", max_size=60))
def test_any_line_is_read_or_refused(line: str) -> None:
    try:
        span = read_line(line)
    except ValueError:
        return
    assert span is None or 0 <= span.first <= span.last
