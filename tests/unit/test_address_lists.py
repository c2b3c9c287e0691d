"""Formats of address lists, and what makes a list a broken one."""

from array import array
from pathlib import Path
from random import Random

import pytest

from countermark.errors import AddressListError
from countermark.links.netset import read
from countermark.links.netset.lists import AddressList, AddressLists, ListKind
from countermark.links.netset.ranges import Ranges, Span
from countermark.links.netset.read import read_list
from support.mmdb import database

NETSET = b"""\
#
# firehol_level1
#
# Entries: 3 subnets, 700 unique IPs
#
192.0.2.0/24
198.51.100.7
203.0.113.1-203.0.113.9
"""
TOR_EXITS = b"""\
ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E
Published 2026-11-20 20:11:02
LastStatus 2026-11-21 08:00:00
ExitAddress 192.0.2.71 2026-11-21 08:04:28
ExitAddress 2001:db8::71 2026-11-21 08:04:28
"""
VPN = {"is_anonymous": True, "is_anonymous_vpn": True}
HOSTING = {"is_hosting_provider": True}
PLAIN = {"is_anonymous": False}


def _read(tmp_path: Path, content: bytes) -> Ranges:
    path = tmp_path / "list"
    path.write_bytes(content)
    return read_list(path)


def _listed(ranges: Ranges, *addresses: str) -> list[str]:
    lists = AddressLists([AddressList("a", ListKind.ANONYMIZER, ranges)])
    return [address for address in addresses if lists.reason(address)]


def test_a_firehol_netset_is_read_with_its_comments(tmp_path: Path) -> None:
    ranges = _read(tmp_path, NETSET)
    inside = ["192.0.2.0", "192.0.2.255", "198.51.100.7", "203.0.113.9", "::ffff:192.0.2.3"]
    assert _listed(ranges, *inside, "198.51.100.6", "203.0.113.10", "::c000:203") == inside
    assert len(ranges) == 3


def test_both_of_tor_s_exit_lists_are_read(tmp_path: Path) -> None:
    assert len(_read(tmp_path, TOR_EXITS)) == 2
    bulk = _read(tmp_path, b"192.0.2.71\n2001:db8::71\n")
    assert bulk.dump() == _read(tmp_path, TOR_EXITS).dump()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf192.0.2.1\r\n",
        b"  192.0.2.1/32 ; SBL256894\n",
        b"192.0.2.1 - 192.0.2.1",
        b"192.0.2.1#x",
        b"::ffff:192.0.2.1",
        b"0:0:0:0:0:FFFF:C000:0201/128\n",
    ],
)
def test_spellings_of_one_address_are_one(tmp_path: Path, content: bytes) -> None:
    assert _read(tmp_path, content).dump() == _read(tmp_path, b"192.0.2.1\n").dump()


def test_a_network_with_host_bits_is_the_network_around_it(tmp_path: Path) -> None:
    assert _read(tmp_path, b"192.0.2.77/24").dump() == _read(tmp_path, b"192.0.2.0/24").dump()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no address"),
        (b"# nothing but a comment\n", "no address"),
        (b"<html><body>404</body></html>\n", "1 of 1 entries are unreadable"),
        (b"192.0.2.1\n" * 98 + b"nonsense\n" * 2, "2 of 100 entries are unreadable"),
        (b"192.0.2.1 192.0.2.2\n", "unreadable"),
        (b"192.0.2.1,192.0.2.2\n", "unreadable"),
        (b"192.0.2.0/33\n", "unreadable"),
        (b"192.0.2.0/\n", "unreadable"),
        (b"192.0.2.9-192.0.2.1\n", "unreadable"),
        (b"192.0.2.9-2001:db8::1\n", "unreadable"),
        (b"192.0.2.010\n", "unreadable"),
        (b"fe80::1%eth0\n", "unreadable"),
        (b"0.0.0.0/0\n", "unreadable"),
        (b"::/0\n", "unreadable"),
        (b"0.0.0.0/1\n192.0.0.0/2\n", "more than half"),
        (b"\xff\xfe1\x009\x002\x00\n", "unreadable"),
    ],
)
def test_a_broken_list_is_refused_with_the_reason(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(AddressListError, match=why):
        _read(tmp_path, content)


def test_one_slip_in_a_hundred_lines_is_forgiven_and_told_by_its_line(tmp_path: Path) -> None:
    lines = [f"192.0.2.{number}" for number in range(100)]
    lines[41] = "192.0.2.4l"
    assert len(_read(tmp_path, "\n".join(lines).encode())) == 2
    lines[7] = "oops"
    with pytest.raises(AddressListError, match="the first in line 8, 42"):
        _read(tmp_path, "\n".join(lines).encode())


def test_a_list_over_the_size_limit_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "MAX_BYTES", 1 << 20)
    with pytest.raises(AddressListError, match="larger than 1 MiB"):
        _read(tmp_path, b"192.0.2.1\n" * 200_000)


@pytest.mark.parametrize("record_size", [24, 28, 32])
def test_an_anonymous_ip_database_is_read(tmp_path: Path, record_size: int) -> None:
    records = {"192.0.2.0/24": VPN, "198.51.100.0/25": PLAIN, "2001:db8::/40": HOSTING}
    ranges = _read(tmp_path, database(records, record_size=record_size))
    inside = ["192.0.2.9", "2001:db8:ff::1"]
    assert _listed(ranges, *inside, "198.51.100.1", "2001:db9::1", "192.0.3.0") == inside
    assert len(ranges) == 2


def test_an_ipv4_only_database_is_read(tmp_path: Path) -> None:
    ranges = _read(tmp_path, database({"192.0.2.0/24": VPN}, ip_version=4, record_size=24))
    assert _listed(ranges, "192.0.2.9", "192.0.3.9", "::c000:209") == ["192.0.2.9"]


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddressListError, match="no Anonymous-IP records"):
        _read(tmp_path, database({"192.0.2.0/24": {"country": "NL"}}))


def test_a_database_that_lists_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AddressListError, match="no address"):
        _read(tmp_path, database({"192.0.2.0/24": PLAIN}))


def test_a_corrupt_or_cut_off_database_is_never_more_than_refused(tmp_path: Path) -> None:
    whole = database({"192.0.2.0/24": VPN, "2001:db8::/40": HOSTING})
    chance = Random(20261122)  # noqa: S311 - repeatable, nothing secret
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        path = tmp_path / "list"
        path.write_bytes(raw[chance.choice([0, 0, 0, chance.randrange(len(raw))]) :])
        try:
            read_list(path)
        except AddressListError:
            continue
    with pytest.raises(AddressListError):
        _read(tmp_path, whole[: len(whole) // 2])


def test_the_blacklist_wins_over_the_anonymizers(tmp_path: Path) -> None:
    ranges = _read(tmp_path, b"192.0.2.1")
    lists = [AddressList("a", kind, ranges) for kind in (ListKind.ANONYMIZER, ListKind.BLACKLIST)]
    for both in (lists, lists[::-1]):
        assert AddressLists(both).reason("192.0.2.1") is ListKind.BLACKLIST
    assert AddressLists(lists).reason("no address") is None
    assert AddressLists().reason("192.0.2.1") is None


def test_a_million_prefixes_are_matched() -> None:
    chance = Random(20261122)  # noqa: S311 - repeatable, nothing secret
    firsts = array("I", (chance.getrandbits(32) & ~15 for _ in range(1_000_000)))
    wide = (chance.getrandbits(64) << 64 for _ in range(100_000))
    spans = [Span(wide=False, first=first, last=first + 7) for first in firsts]
    spans += [Span(wide=True, first=first, last=first + (1 << 64) - 1) for first in wide]
    loaded = Ranges.load(Ranges(spans).dump())
    lists = AddressLists([AddressList("a", ListKind.ANONYMIZER, loaded)])
    asked = [f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in firsts[:20_000]]
    assert all(lists.reason(address) is ListKind.ANONYMIZER for address in asked)
