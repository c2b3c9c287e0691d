"""Which bytes of a file somebody has got: a set of spans that grows. Pure.

The set is one sorted list of borders: bytes from each even border up to the odd one after it are
in. Two bisections find what a new span touches, whatever it overlaps.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

# A client that asks for every second byte must not make us remember each of them.
MOST_SPANS = 512


class Coverage:
    """A growing set of byte offsets.

    Args:
        borders: As `pack` gave them, unpacked; sorted, of even number.
    """

    __slots__ = ("_borders",)

    def __init__(self, borders: Iterable[int] = ()) -> None:
        self._borders = list(borders)

    def add(self, start: int, stop: int) -> None:
        """Add the bytes from `start` up to, not including, `stop`.

        Past `MOST_SPANS` the shortest span is forgotten: the set says too little, never too much.
        """
        if start >= stop:
            return
        borders = self._borders
        low, high = bisect_left(borders, start), bisect_right(borders, stop)
        # An even place lies outside of every span, so that a border is needed there.
        borders[low:high] = [start] * (low % 2 == 0) + [stop] * (high % 2 == 0)
        if len(borders) > 2 * MOST_SPANS:
            self._forget_shortest()

    def spans(self) -> Iterator[tuple[int, int]]:
        """The spans in order, none touching the next."""
        return zip(self._borders[::2], self._borders[1::2], strict=True)

    def is_whole(self, size: int) -> bool:
        """Tell whether the bytes from 0 up to `size` are all in."""
        return size == 0 or (self._borders[:1] == [0] and self._borders[1] >= size)

    def pack(self) -> bytes:
        """The set as bytes: its borders as 64-bit integers."""
        return array("q", self._borders).tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> "Coverage":
        """Make the set that `pack` was called on."""
        borders = array("q")
        borders.frombytes(packed)
        return cls(borders)

    def _forget_shortest(self) -> None:
        lengths = [stop - start for start, stop in self.spans()]
        place = 2 * lengths.index(min(lengths))
        del self._borders[place : place + 2]
