"""A recipient's copy of a master: which bytes of the master's blob it consists of. Pure.

The codeword is that of `code.Code`, computed here from the index's biases without NumPy, so that
an edge can splice; tests hold the two together. Symbols are computed only for the segments that a
range touches, and chunk by chunk as the spans are taken, so the first bytes of a film wait for
nothing.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from operator import getitem

from countermark.autograph.derivation import (
    CHUNK_SEGMENTS,
    CODEWORD,
    check_code,
    prefix,
    tag_bytes,
)
from countermark.autograph.index import SpliceIndex

_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


@dataclass(frozen=True)
class Copy:
    """One recipient's copy.

    Attributes:
        index: of the master.
        key: the autograph key that the index names, 32 bytes.
        tag: the recipient.

    Raises:
        TagError: the tag cannot be one.
        ValueError: the key has another length.
    """

    index: SpliceIndex
    key: bytes = field(repr=False)
    tag: str

    def __post_init__(self) -> None:
        check_code(self.key, self.index.variants)
        tag_bytes(self.tag)

    def spans(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """Where in the master's blob the copy's bytes from `start` up to `stop` are, in order.

        Neighbours that lie side by side in the blob are one span.

        Args:
            start: first byte of the copy, 0 or more.
            stop: first byte after the range, `index.size` at most.

        Yields:
            First byte and first byte after it, in the blob; never empty. Together as long as the
            range.
        """
        if start >= stop:
            return
        starts, size = self.index.starts, self.index.size
        first, last = bisect_right(starts, start) - 1, bisect_right(starts, stop - 1)
        symbols = self.symbols(max(first, 0), last)
        # What is shared, before the first segment, is taken from the first variant.
        variant = 0 if first < 0 else next(symbols)
        for symbol, begin in zip(symbols, starts[first + 1 : last], strict=True):
            if symbol != variant:
                yield start + variant * size, begin + variant * size
                start, variant = begin, symbol
        yield start + variant * size, stop + variant * size

    def symbols(self, first: int, last: int) -> Iterator[int]:
        """The variants of the segments from `first` up to, not including, `last`."""
        return chain.from_iterable(self._chunks(first, last))

    def _chunks(self, first: int, last: int) -> Iterator[Iterator[int]]:
        while first < last:
            chunk, place = divmod(first, CHUNK_SEGMENTS)
            count = min(last - first, CHUNK_SEGMENTS - place)
            yield map(getitem, self._tables(first, count), self._draws(chunk, place, count))
            first += count

    def _draws(self, chunk: int, place: int, count: int) -> bytes:
        """Numbers of 0 … 15, one a segment: the stream's half bytes, the high half first."""
        index = self.index
        head = prefix(self.key, index.master, index.variants, CODEWORD, chunk)
        stream = hashlib.shake_128(head + tag_bytes(self.tag))
        digits = stream.hexdigest((place + count + 1) // 2)[place : place + count]
        return digits.encode().translate(_NIBBLES)

    def _tables(self, first: int, count: int) -> Iterator[bytes]:
        """For each segment, the symbol of each draw."""
        variants, biases = self.index.variants, self.index.biases
        rows = range(first * variants, (first + count) * variants, variants)
        after = range(rows.start + variants, rows.stop + variants, variants)
        return map(_symbols_of_draws, map(biases.__getitem__, map(slice, rows, after)))


@lru_cache(maxsize=8192)  # there are 6,435 rows of eight biases, fewer of less
def _symbols_of_draws(biases: bytes) -> bytes:
    return b"".join(bytes([symbol]) * bias for symbol, bias in enumerate(biases))
