"""What a request for a file's bytes must pass, beyond the link's own signature and time.

`check` decides from the link, the client, and what this process knows; it is quick. `admitted`
asks the ledger, and only for links that need it. A HEAD, and an answer without bytes of the file,
pass `check` alone: they use up nothing.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from countermark.edge.one_time import OneTime
from countermark.edge.parallel import Slots
from countermark.edge.transfers import Transfer
from countermark.errors import (
    LinkAddressError,
    LinkAnonymizerError,
    LinkBlacklistError,
    LinkBoundError,
    LinkRevokedError,
    LinkTargetGoneError,
    NotForPreviewsError,
    UnavailableError,
)
from countermark.links.binding import bind
from countermark.links.client import Client, same_client
from countermark.links.ledger import Ledger
from countermark.links.link import Link
from countermark.links.netset.lists import ListKind
from countermark.links.revocations import Revoked

log = structlog.get_logger(__name__)

_LISTED = {
    ListKind.ANONYMIZER: LinkAnonymizerError,
    ListKind.BLACKLIST: LinkBlacklistError,
}


Step: TypeAlias = Callable[[Transfer], AbstractAsyncContextManager[None]]


class Policies:
    """What links ask for that needs the ledger.

    Args:
        ledger: shared by all edges.
        resume_window_s: for how long a one-time download that stopped may be resumed.
    """

    def __init__(self, ledger: Ledger, resume_window_s: float) -> None:
        self._ledger = ledger
        self.slots = Slots(ledger)
        self.one_time = OneTime(ledger, resume_window_s)

    @asynccontextmanager
    async def bound(self, transfer: Transfer) -> AsyncIterator[None]:
        """Let the first client pass, and no other.

        Raises:
            LinkBoundError: it is another one.
            UnavailableError: the ledger does not answer.
        """
        link = transfer.link
        fingerprint = transfer.client.fingerprint(link.serial)
        owner = await self._ledger.revise(
            f"bound/{link.serial}", bind(fingerprint, link.expires_at)
        )
        if not same_client(owner, fingerprint):
            log.warning(
                "a second client was refused",
                file=link.file,
                application=link.application,
                tag=link.tag,
                address=transfer.client.address,
            )
            raise LinkBoundError
        yield


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The steps of admission.

    Attributes:
        revoked: tells what of a link was revoked, if anything.
        listed: tells on which kind of list an address is; asked for guarded links only.
        policies: what needs the ledger; without them, links that need it are refused.
        lenient: whether links that need the ledger pass while it is down.
    """

    revoked: Callable[[Link], Revoked | None] = lambda _link: None
    listed: Callable[[str], ListKind | None] = lambda _address: None
    policies: Policies | None = None
    lenient: bool = False

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
        """Let a transfer run for the time of the block.

        Raises:
            NotForPreviewsError: a preview of a link that it would use up.
            LinkBoundError: it is guarded, and another client's.
            TooManyDownloadsError: too many other downloads of this person run.
            LinkSpentError: it was good for one download, and that is done.
            UnavailableError: the ledger is down, and the policy is to refuse then.
        """
        async with AsyncExitStack() as stack:
            for step in self._steps(transfer):
                try:
                    await stack.enter_async_context(step(transfer))
                except UnavailableError:
                    if not self.lenient:
                        raise
                    log.warning("the ledger is down; a link passed unchecked", exc_info=True)
            # It may have been revoked since, when the transfer was in no registry yet.
            self.check(transfer.link, transfer.client)
            yield

    def _steps(self, transfer: Transfer) -> list[Step]:
        """What this link asks for; what is spent comes last."""
        link, policies = transfer.link, self.policies
        if not link.needs_ledger:
            return []
        if transfer.client.is_preview and (link.once or link.guarded):
            raise NotForPreviewsError
        if policies is None:
            raise UnavailableError
        steps: list[tuple[bool, Step]] = [
            (link.guarded, policies.bound),
            (link.parallel is not None, policies.slots.held),
            (link.once, policies.one_time.used),
        ]
        return [step for wanted, step in steps if wanted]
