"""The keys that sign links and upload forms.

Every signature names the key that made it, so that keys rotate while old links still hold: a new
key is added, all new links carry it, and the old one is dropped when its last link has expired.
One secret serves several purposes; each has its own key derived from it, so that a signature made
for one purpose never verifies for another (the extract-then-expand idea of RFC 5869 with the
secret already uniform).
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Purpose = Literal["link", "upload"]

MAX_KEY_ID = (1 << 32) - 1
# No link outlives the key that signed it by more than this.
LONGEST_LINK_SECONDS = 20 * 365 * 86_400
MIN_SECRET_BYTES = 32


@lru_cache(64)
def _derived(secret: bytes, purpose: Purpose) -> bytes:
    return hmac.digest(secret, b"countermark/" + purpose.encode() + b"/1", "sha256")


@dataclass(frozen=True)
class LinkKey:
    """A server key.

    Attributes:
        id: what signatures name it by, 0 to 2^32 - 1; a newer key has a larger one.
        secret: at least 32 random bytes.
    """

    id: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.id <= MAX_KEY_ID or len(self.secret) < MIN_SECRET_BYTES:
            raise ValueError("a link key needs an id of 32 bits and 32 bytes of secret")

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """HMAC-SHA256 of the message for this purpose, 32 bytes."""
        # "sha256" by name takes half the time that hashlib.sha256 does.
        return hmac.digest(_derived(self.secret, purpose), message, "sha256")

    def verifies(self, purpose: Purpose, message: bytes, signature: bytes) -> bool:
        """Tell in constant time whether the signature is this key's."""
        return hmac.compare_digest(self.sign(purpose, message), signature)


class KeyRing:
    """The keys in use. Immutable: a rotation makes another ring.

    Args:
        keys: all that verify.
        signing: id of the one that signs; None for the newest.
    """

    def __init__(self, keys: Iterable[LinkKey], signing: int | None = None) -> None:
        self._keys = {key.id: key for key in keys}
        if not self._keys:
            raise ValueError("a key ring needs a key")
        self.current = self._keys[max(self._keys) if signing is None else signing]

    def find(self, key_id: int) -> LinkKey | None:
        """The key of this id, or None if it was never here or has been dropped."""
        return self._keys.get(key_id)
