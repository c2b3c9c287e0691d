"""The operator's address lists, and what they say of a client."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from countermark.links.netset.ranges import Ranges, plain, span_of


class ListKind(StrEnum):
    """Why an address is listed."""

    ANONYMIZER = "anonymizer"  # anonymizing proxies, VPN exits, Tor, data centres
    BLACKLIST = "blacklist"


class AddressList(NamedTuple):
    """One list."""

    name: str
    kind: ListKind
    ranges: Ranges


class AddressLists:
    """All lists. Immutable: a list renewed makes another."""

    def __init__(self, lists: Iterable[AddressList] = ()) -> None:
        self._lists = tuple(lists)

    def reason(self, address: str) -> ListKind | None:
        """Why a client from this address is refused a guarded link, or None if it is not.

        Args:
            address: IPv4 or IPv6, as text. What is no address counts as not listed.
        """
        kinds = {found.kind for found in self.found(address)}
        return ListKind.BLACKLIST if ListKind.BLACKLIST in kinds else next(iter(kinds), None)

    def found(self, address: str) -> list[AddressList]:
        """The lists that have this address."""
        try:
            wanted = plain(span_of(address))
        except ValueError:
            return []
        return [one for one in self._lists if one.ranges.contains(wanted)]
