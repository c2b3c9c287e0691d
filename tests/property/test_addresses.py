"""Addresses as the API names them, and as proxies pass them on."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countermark.links.addresses import client_address, parse_address

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))
INSIDE = st.ip_addresses(network="10.0.0.0/8").map(str)
OUTSIDE = st.ip_addresses(network="192.0.2.0/24").map(str)


@given(number=st.integers(0, (1 << 32) - 1))
def test_an_integer_is_the_address_in_network_order(number: int) -> None:
    address = ipaddress.IPv4Address(number)
    assert parse_address(str(number)) == str(address)
    assert parse_address(str(address)) == str(address)
    assert parse_address(f"::ffff:{address}") == str(address)


def test_the_example_of_the_reference() -> None:
    assert parse_address("3232236033") == "192.168.2.1"


@given(address=st.ip_addresses(v=6))
def test_every_spelling_of_an_ipv6_address_is_one_address(address: ipaddress.IPv6Address) -> None:
    plain = address.ipv4_mapped or address
    assert parse_address(address.exploded.upper()) == str(plain)
    assert parse_address(address.compressed) == str(plain)


@given(text=st.text(max_size=60))
def test_anything_else_is_a_value_error(text: str) -> None:
    try:
        found = parse_address(text)
    except ValueError:
        return
    assert parse_address(found) == found


@pytest.mark.parametrize(
    "text", ["", "-1", "4294967296", "1.2.3", "1.2.3.4.5", "01.2.3.4", "fe80::1%eth0", "٣", "1 "]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any text, the caller words it
        parse_address(text)


@given(peer=OUTSIDE, forwarded=st.text(max_size=50))
def test_a_stranger_cannot_forward_anything(peer: str, forwarded: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == peer


@given(client=OUTSIDE, forged=st.text(max_size=50), hops=st.lists(INSIDE, max_size=4))
def test_what_a_client_forges_stands_left_of_what_counts(
    client: str, forged: str, hops: list[str]
) -> None:
    forwarded = ", ".join([forged, client, *hops])
    assert client_address("10.0.0.1", forwarded, PROXIES) == client


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("", "10.0.0.1"),
        ("192.0.2.7:4711", "192.0.2.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7, unknown", "10.0.0.1"),
        ("192.0.2.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
    ],
)
def test_proxies_are_believed_one_by_one(forwarded: str, expected: str) -> None:
    assert client_address("10.0.0.1", forwarded, PROXIES) == expected


def test_a_mapped_peer_is_its_ipv4_address() -> None:
    assert client_address("::ffff:10.0.0.1", "192.0.2.7", PROXIES) == "192.0.2.7"
