"""What every symbol comes from: the code's constants, tags, and its pseudo-random streams.

Apart from `code`, because an edge must derive codewords and does so without NumPy. What the
streams are, and why, stands there.

Changing anything here orphans every issued copy; tests hold golden values.
"""

import hashlib
from typing import Final

from countermark.errors import CountermarkError

UNITS: Final = 16
"""Biases are whole sixteenths: a symbol then costs half a byte of the pseudo-random stream, and
an innocent's chances are exact. The least bias, 1/16, is also the cutoff: against up to five
leakers a coarse one serves better than a fine one (docs/autograph.md)."""

CHUNK_SEGMENTS: Final = 1344
"""Segments in one stretch of the stream: 672 bytes, four blocks of SHAKE-128. Longer ones waste
work on short leaks, shorter ones waste it on starting."""

VARIANTS: Final = (2, 4, 8)
"""How many variants a master can have."""

KEY_BYTES: Final = 32
MAX_TAG_BYTES: Final = 256

BIASES: Final = b"b"
"""Purpose of the stream that a master's biases come from."""

CODEWORD: Final = b"w"
"""Purpose of the stream that a recipient's draws come from."""

_VERSION = b"countermark autograph v1"


class TagError(CountermarkError, ValueError):
    """The tag is empty, longer than 256 bytes of UTF-8, or not Unicode text."""


def tag_bytes(tag: str) -> bytes:
    """The bytes that stand for a tag: its UTF-8, not normalised.

    Tracing scores tags as they were issued, so two spellings that look alike are two recipients,
    and no later Unicode version can change what was issued.

    Raises:
        TagError: the tag is empty, over 256 bytes, or holds lone surrogates.
    """
    try:
        encoded = tag.encode()
    except UnicodeEncodeError as error:
        raise TagError("The tag is not Unicode text") from error
    if not 1 <= len(encoded) <= MAX_TAG_BYTES:
        raise TagError(f"A tag has 1 to {MAX_TAG_BYTES} bytes of UTF-8; this has {len(encoded)}")
    return encoded


def check_code(key: bytes, variants: int) -> None:
    """Refuse what no code can have.

    Raises:
        ValueError: the key has another length than 32 bytes, or the variants are not 2, 4 or 8.
    """
    if len(key) != KEY_BYTES:
        raise ValueError(f"The code's key has {KEY_BYTES} bytes; this has {len(key)}")
    if variants not in VARIANTS:
        raise ValueError(f"A master has 2, 4 or 8 variants, not {variants}")


def prefix(key: bytes, master: str, variants: int, purpose: bytes, chunk: int) -> bytes:
    """The key's part of a stream's input: 94 bytes, so that no tag passes for a part of it.

    Args:
        key: the code's, 32 bytes.
        master: id of the master.
        variants: K.
        purpose: `BIASES` or `CODEWORD`.
        chunk: which stretch of `CHUNK_SEGMENTS` segments.
    """
    hashed = hashlib.blake2b(master.encode(), digest_size=32).digest()
    return _VERSION + purpose + bytes([variants]) + chunk.to_bytes(4, "big") + key + hashed
