"""Which client a guarded link belongs to: the first. Pure."""

from countermark.links.ledger import Change, Revised


def bind(fingerprint: str, until_s: int) -> Change[str]:
    """Bind to this client unless it is bound already; the answer is whose it is now.

    Args:
        fingerprint: of `Client.fingerprint`, with the link's serial as salt.
        until_s: the link's expiry.
    """

    def change(value: bytes | None, _now: float) -> Revised[str]:
        kept = value or fingerprint.encode()
        return Revised(kept, until_s, kept.decode())

    return change
