"""The fingerprinting code: which variant each recipient gets in each segment.

A bias-based code of the Tardos family. Each segment of a master has a secret bias vector
p = (p_1 … p_K); each recipient's symbol there is drawn from p, independently of all others. The
draws come from a keyed pseudo-random function of master, tag and segment, so nothing is stored
for a recipient but the tag, and the symbols of any few segments can be computed alone.

Sources: G. Tardos, "Optimal probabilistic fingerprint codes", STOC 2003 (biases, cutoff);
B. Škorić, S. Katzenbeisser, M. Celik, "Symmetric Tardos fingerprinting codes for arbitrary
alphabet sizes", 2008 (Dirichlet biases for K symbols); N. Johnson, S. Kotz, "Urn models and their
application", 1977 (Pólya's urn, whose counts are Dirichlet-multinomial).

The pseudo-random function is SHAKE-128 over a fixed-length, key-carrying prefix and the tag: a
keyed sponge, as in NIST SP 800-185 (KMAC). Without the key its output cannot be told from
chance at any input not yet seen (Bertoni et al., "On the security of the keyed sponge
construction", 2011), however many codewords of own tags a colluder knows. Both the tag and the
chunk number are inputs, so a colluder who learns symbols learns nothing about other recipients'
symbols and, about the biases, only what those symbols show.

Changing anything here orphans every issued copy; tests hold golden values.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.derivation import (
    BIASES,
    CHUNK_SEGMENTS,
    CODEWORD,
    UNITS,
    check_code,
    prefix,
    tag_bytes,
)

Segments = NDArray[np.int64]
Symbols = NDArray[np.uint8]

# Twice the Dirichlet parameter, by the number of variants. With two variants one segment says at
# most a bit, so biases keep near a half and a minute suffices for one leaker; with more there is
# room for the spread that helps against colluders (docs/autograph.md).
_TWICE_CONCENTRATION = {2: 6, 4: 2, 8: 1}


@dataclass(frozen=True)
class Code:
    """The code of one master.

    Attributes:
        key: the secret, 32 bytes. Whoever holds it can compute every codeword.
        master: id of the master; codewords of one tag in two masters are independent.
        variants: K, the number of symbols: 2, 4 or 8.
    """

    key: bytes = field(repr=False)
    master: str
    variants: int

    def __post_init__(self) -> None:
        check_code(self.key, self.variants)

    def biases(self, segments: Segments) -> Symbols:
        """How likely each symbol is in each segment.

        Pólya's urn with K colours and 16 - K balls, over a floor of one sixteenth each: integers
        only, so every machine agrees.

        Args:
            segments: segment numbers from 0, shape (n,), in any order.

        Returns:
            Sixteenths, shape (n, K); each row sums to 16.
        """
        return _by_chunk(segments, partial(_biases_of_chunk, self))

    def codeword(self, tag: str, segments: Segments) -> Symbols:
        """The variant that each segment has in this recipient's copy.

        Args:
            tag: the recipient.
            segments: segment numbers from 0, shape (n,), in any order.

        Returns:
            Symbols 0 … K - 1, shape (n,).

        Raises:
            TagError: the tag cannot be one.
        """
        word = tag_bytes(tag)

        def draws(chunk: int) -> Symbols:
            packed = self.stream([word], chunk, CHUNK_SEGMENTS // 2)[0]
            return np.stack((packed >> 4, packed & 15), axis=1).reshape(-1)

        return symbols_of_draws(self.biases(segments), _by_chunk(segments, draws))

    def stream(self, tags: Sequence[bytes], chunk: int, length: int) -> Symbols:
        """The recipients' draws in one chunk, two segments to a byte, the earlier in the high half.

        Args:
            tags: the tags' bytes, T of them.
            chunk: which stretch of `CHUNK_SEGMENTS` segments.
            length: how many bytes from the chunk's start.

        Returns:
            Shape (T, length), uniform for whoever lacks the key.
        """
        prefix, shake = self.prefix(CODEWORD, chunk), hashlib.shake_128
        joined = b"".join([shake(prefix + tag).digest(length) for tag in tags])
        return np.frombuffer(joined, np.uint8).reshape(len(tags), length)

    def prefix(self, purpose: bytes, chunk: int) -> bytes:
        """The key's part of a stream's input; see `derivation.prefix`."""
        return prefix(self.key, self.master, self.variants, purpose, chunk)


@lru_cache(maxsize=256)
def _biases_of_chunk(code: Code, chunk: int) -> Symbols:
    """Biases of a whole chunk; kept, as one master is downloaded many times."""
    balls, step = UNITS - code.variants, 2
    size = CHUNK_SEGMENTS * balls * 2
    random = hashlib.shake_128(code.prefix(BIASES, chunk)).digest(size)
    chances = np.frombuffer(random, "<u2").reshape(CHUNK_SEGMENTS, balls).astype(np.int64)
    start = _TWICE_CONCENTRATION[code.variants]
    weights = np.full((CHUNK_SEGMENTS, code.variants), start, np.int64)
    for ball in range(balls):
        levels = weights.cumsum(axis=1)
        # The remainder favours low values by less than 2 ** -10 of a ball; any law of the biases
        # would do, as the tracer knows them.
        drawn = chances[:, ball] % levels[:, -1]
        colour = (drawn[:, None] >= levels).sum(axis=1)
        weights[np.arange(CHUNK_SEGMENTS), colour] += step
    return ((weights - start) // step + 1).astype(np.uint8)


def symbols_of_draws(biases: Symbols, draws: Symbols) -> Symbols:
    """Symbols from uniform draws of 0 … 15: each symbol owns as many values as its bias.

    Args:
        biases: sixteenths, shape (n, K).
        draws: shape (n,) or (n, d).

    Returns:
        Symbols of the shape of `draws`.
    """
    levels = biases.cumsum(axis=1, dtype=np.uint8)[:, :-1]
    widened = draws.reshape(*draws.shape, 1)
    edges = levels.reshape(len(levels), *([1] * (draws.ndim - 1)), levels.shape[1])
    symbols: Symbols = (widened >= edges).sum(axis=-1, dtype=np.uint8)
    return symbols


def _by_chunk(segments: Segments, rows: Callable[[int], Symbols]) -> Symbols:
    """Gather rows for segments from those of their chunks, each chunk computed once."""
    wanted = np.asarray(segments, np.int64)
    if wanted.ndim != 1 or (wanted.size and not 0 <= wanted.min() <= wanted.max() < 1 << 32):
        raise ValueError("Segments are a row of numbers from 0 to 2 ** 32 - 1")
    chunks, which = np.unique(wanted // CHUNK_SEGMENTS, return_inverse=True)
    if not chunks.size:
        return rows(0)[:0]
    table = np.stack([rows(int(chunk)) for chunk in chunks])
    return table[which, wanted % CHUNK_SEGMENTS]
