"""What leaves signed and comes back: a head that names version and key, a payload, and their MAC.

The head is the version of the payload's grammar (1 byte) and the id of the signing key (4 bytes,
big-endian). The MAC is HMAC-SHA256 over head, length of the payload (4 bytes), payload, context;
the context is text that travels beside the rest and is bound to it. An unknown version is refused
rather than half understood. As text, bytes are base64url without padding (RFC 4648 section 5).
"""

import base64
import binascii
import struct
from typing import NamedTuple

from countermark.links.keys import KeyRing, Purpose

HEAD_BYTES = 5
MAC_BYTES = 32
MAX_TEXT_CHARACTERS = 4096

_HEAD = struct.Struct(">BI")


class NotSealedError(ValueError):
    """Not ours: malformed, altered, or of an unknown version or key. Not for the public."""


class Sealed(NamedTuple):
    """A signed payload, in bytes."""

    head: bytes
    mac: bytes
    payload: bytes


def seal(ring: KeyRing, purpose: Purpose, version: int, payload: bytes, context: bytes) -> Sealed:
    """Sign a payload with the ring's current key."""
    head = _HEAD.pack(version, ring.current.id)
    return Sealed(head, ring.current.sign(purpose, _message(head, payload, context)), payload)


def check(sealed: Sealed, ring: KeyRing, purpose: Purpose, version: int, context: bytes) -> bytes:
    """Give the payload back, if it is exactly as it was sealed.

    Raises:
        NotSealedError: in every other case.
    """
    if len(sealed.head) != HEAD_BYTES or len(sealed.mac) != MAC_BYTES:
        raise NotSealedError("too short")
    found_version, key_id = _HEAD.unpack(sealed.head)
    key = ring.find(key_id)
    if found_version != version or key is None:
        raise NotSealedError("unknown version or key")
    if not key.verifies(purpose, _message(sealed.head, sealed.payload, context), sealed.mac):
        raise NotSealedError("the signature does not match")
    return sealed.payload


def _message(head: bytes, payload: bytes, context: bytes) -> bytes:
    # The length keeps payload and context from borrowing bytes of each other.
    return head + len(payload).to_bytes(4, "big") + payload + context


def to_text(raw: bytes) -> str:
    """Write bytes as text that fits a URL and a form field."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Read what `to_text` wrote, and nothing else.

    Raises:
        NotSealedError: it did not write this, or it is over 4,096 characters.
    """
    if len(text) > MAX_TEXT_CHARACTERS or not text.isascii():
        raise NotSealedError("too long or not ASCII")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise NotSealedError("not base64url") from error
    # The last character has spare bits: of the spellings of the same bytes only one is ours.
    if to_text(raw) != text:
        raise NotSealedError("not the canonical spelling")
    return raw
