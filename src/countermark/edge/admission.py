"""What a request for a file's bytes must pass, beyond the link's own signature and time.

`check` decides from the link, the client, and what this process knows; it is quick. `admitted`
asks the ledger, and only for links that need it. A HEAD, and an answer without bytes of the file,
pass `check` alone: they use up nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from countermark.edge.transfers import Transfer
from countermark.errors import (
    LinkAddressError,
    LinkAnonymizerError,
    LinkBlacklistError,
    LinkRevokedError,
    LinkTargetGoneError,
)
from countermark.links.client import Client
from countermark.links.link import Link
from countermark.links.netset.lists import ListKind
from countermark.links.revocations import Revoked

_LISTED = {
    ListKind.ANONYMIZER: LinkAnonymizerError,
    ListKind.BLACKLIST: LinkBlacklistError,
}


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The steps of admission.

    Attributes:
        revoked: tells what of a link was revoked, if anything.
        listed: tells on which kind of list an address is; asked for guarded links only.
    """

    revoked: Callable[[Link], Revoked | None] = lambda _link: None
    listed: Callable[[str], ListKind | None] = lambda _address: None

    def check(self, link: Link, client: Client) -> None:
        """Refuse what can be refused without the ledger.

        Raises:
            LinkRevokedError: the link no longer holds.
            LinkTargetGoneError: its file was deleted.
            LinkAddressError: it is for another address.
            LinkAnonymizerError: it is guarded, and the address is that of an anonymizer.
            LinkBlacklistError: it is guarded, and the address is blacklisted.
        """
        ended = self.revoked(link)
        if ended is not None:
            raise LinkTargetGoneError if ended is Revoked.FILE else LinkRevokedError
        if link.address is not None and link.address != client.address:
            raise LinkAddressError
        kind = self.listed(client.address) if link.guarded else None
        if kind is not None:
            raise _LISTED[kind]

    @asynccontextmanager
    async def admitted(self, transfer: Transfer) -> AsyncIterator[None]:
        """Let a transfer run for the time of the block."""
        # It may have been revoked while the ledger was asked, when it was in no registry yet.
        self.check(transfer.link, transfer.client)
        yield
