"""How much of each variant's mark a segment shows: three ways to ask the same frames.

`News` sums what is new in each frame (see `innovation`): right where a codec repeats pictures, its
errors and older marks with them. `Courses` does, too, but takes it that a mark is shown from the
moment on that it is there: right where noise or a picture laid a little off lasts. `Means` averages
a segment's frames and takes out what the neighbouring segments show there as well: right where
errors stay but the mark is coded at once, and where each frame has noise of its own. In all of
them, cells weigh by the inverse of the local mean square of what is looked at (a matched filter in
uneven noise, Van Trees 1968), and the noise of an amplitude is not assumed but estimated from how
the contributions of blocks of cells scatter (a sandwich estimate; White 1980): that holds whatever
a codec did to a block.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Grid
from countermark.autograph.evidence import Floats
from countermark.autograph.innovation import ORDER, innovation

Residues = NDArray[np.float32]
"""Of a frame: the leak's first, then the K deviations', shape (1 + K, rows, columns)."""

# Wide, lest the mark itself make a cell look restless.
_AROUND_NEWS, _AROUND_MEANS = 10.0, 15.0
_FLOOR_OF_NEWS, _FLOOR_OF_MEANS = 0.1, 0.03
# What a codec leaves of the mark has lost its finest detail.
_SOFTENED = 0.7
_BLOCK = 8
_TINY = 1e-9
_WIENER, _STILL = 4.0, 0.005


class Way(Protocol):
    """Gathers frames, and tells the amplitudes of a segment's variants."""

    def start(self) -> None:
        """The next frame does not follow the one before."""

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """Take a frame in that shows this segment, and how much of it is `renewed`."""

    def amplitudes(self, segment: int) -> tuple[Floats, float]:
        """Of each variant, 1 where it is whole, shape (K,), and their standard deviation."""


@dataclass
class _Products:
    """Sums over blocks of cells.

    Attributes:
        seen: of what is seen with each variant's mark, shape (K, blocks).
        marks: of two variants' marks, shape (K, K, blocks).
    """

    seen: Floats
    marks: Floats


class News:
    """By what is new in each frame, as far as a codec repeats what it showed."""

    def __init__(self) -> None:
        self._sums: dict[int, _Products] = {}
        self._before: deque[Grid] = deque(maxlen=ORDER)

    def start(self) -> None:
        """See `Way`."""
        self._before.clear()

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """See `Way`."""
        seen, parts = innovation(residues[0], self._before, new)
        self._before.append(residues[0])
        left = np.clip(1 - sum(parts, np.zeros_like(seen)), 0, 1)
        marks = np.stack([_softened(one) * left for one in residues[1:]])
        _gather(self._sums, segment, seen, marks, new)

    def amplitudes(self, segment: int) -> tuple[Floats, float]:
        """See `Way`."""
        return _amplitudes(self._sums[segment])


class Courses:
    """By what is new in each frame, as far as noise lasts.

    The marks of the frames before go through the same prediction as what was seen of them. So a
    segment's first frames, which no mark of its own precedes, tell most.
    """

    def __init__(self) -> None:
        self._sums: dict[int, _Products] = {}
        self._before: deque[tuple[int, Grid, Residues]] = deque(maxlen=ORDER)

    def start(self) -> None:
        """See `Way`."""
        self._before.clear()

    def add(self, segment: int, residues: Residues, new: Grid) -> None:
        """See `Way`."""
        marks = np.stack([_softened(one) for one in residues[1:]])
        seen, parts = innovation(residues[0], [before for _, before, _ in self._before], new)
        fresh = marks.copy()
        for part, (shown, _, earlier) in zip(parts, self._before, strict=True):
            if shown == segment:
                fresh -= part * earlier
        self._before.append((segment, residues[0], marks))
        _gather(self._sums, segment, seen, fresh, new)

    def amplitudes(self, segment: int) -> tuple[Floats, float]:
        """See `Way`."""
        return _amplitudes(self._sums[segment])


@dataclass
class _Sum:
    residues: Residues
    frames: int = 0


class Means:
    """By the means of segments beside those of their neighbours.

    Args:
        neighbours: segments before and after that are looked at; without any, a mean is taken for
            what it is, which suits few marks among errors that are small.
    """

    def __init__(self, neighbours: int = 1) -> None:
        self._neighbours = neighbours
        self._sums: dict[int, _Sum] = {}
        self._known: dict[int, tuple[Floats, float]] = {}

    def start(self) -> None:
        """See `Way`."""

    def add(self, segment: int, residues: Residues, new: Grid) -> None:  # noqa: ARG002 - errors that stay are in the mean anyway
        """See `Way`."""
        found = self._sums.setdefault(segment, _Sum(np.zeros_like(residues)))
        found.residues += residues
        found.frames += 1
        for number in range(segment - self._neighbours, segment + self._neighbours + 1):
            self._known.pop(number, None)

    def amplitudes(self, segment: int) -> tuple[Floats, float]:
        """See `Way`; kept until a frame of the segment or of its neighbours is added."""
        if segment not in self._known:
            own = self._fresh(segment)
            found = self._sums[segment]
            marks = found.residues[1:] / np.float32(found.frames)
            weight = _weight(own, _AROUND_MEANS, _FLOOR_OF_MEANS, np.ones_like(own))
            self._known[segment] = _amplitudes(_products(own, marks, weight))
        return self._known[segment]

    def _fresh(self, segment: int) -> Grid:
        """A segment's mean residue without what its neighbours let expect.

        The neighbours' marks are independent of this one's, so the part of their mean that is seen
        here as well is noise (Wiener's estimate, in the small around each cell).
        """
        around = range(segment - self._neighbours, segment + self._neighbours + 1)
        beside = [self._mean(n) for n in around if n != segment and n in self._sums]
        own = self._mean(segment)
        if not beside:
            return own
        expected: Grid = np.asarray(np.mean(beside, axis=0), np.float32)
        power = cv2.GaussianBlur(expected * expected, (0, 0), _WIENER) + np.float32(_STILL)
        part = np.clip(cv2.GaussianBlur(own * expected, (0, 0), _WIENER) / power, 0, 1)
        return np.asarray(own - part * expected, np.float32)

    def _mean(self, segment: int) -> Grid:
        found = self._sums[segment]
        return np.asarray(found.residues[0] / np.float32(found.frames), np.float32)


def _gather(
    sums: dict[int, _Products], segment: int, seen: Grid, marks: Residues, new: Grid
) -> None:
    found = _products(seen, marks, _weight(seen, _AROUND_NEWS, _FLOOR_OF_NEWS, new))
    if segment in sums:
        sums[segment].seen += found.seen
        sums[segment].marks += found.marks
    else:
        sums[segment] = found


def _weight(seen: Grid, around: float, floor: float, new: Grid) -> Grid:
    power = cv2.GaussianBlur(seen * seen * new, (0, 0), around)
    share = cv2.GaussianBlur(new, (0, 0), around)
    return np.asarray(new / (power / (share + np.float32(_TINY)) + np.float32(floor)), np.float32)


def _softened(deviation: Grid) -> Grid:
    soft = cv2.GaussianBlur(deviation, (0, 0), _SOFTENED)
    return soft.astype(np.float32, copy=False)


def _products(seen: Grid, marks: Residues, weight: Grid) -> _Products:
    weighed = marks * weight
    return _Products(_blocks(weighed * seen), _blocks(weighed[:, None] * marks[None]))


def _amplitudes(found: _Products) -> tuple[Floats, float]:
    """Least-squares amplitudes of the marks, and their standard deviation."""
    energy = max(float(np.einsum("kkb->", found.marks)) / len(found.marks), _TINY)
    amplitudes = found.seen.sum(axis=1) / energy
    best = int(amplitudes.argmax())
    rest = found.seen - amplitudes[best] * found.marks[best]
    scatter = float(np.square(rest).sum(axis=1).mean())
    if not scatter > 0:  # no mark, or nothing beside it (a black screen): nothing was told
        return amplitudes, np.inf
    # What weights suppose, which is noise that no two cells share, is the least there can be.
    return amplitudes, float(np.sqrt(max(scatter, energy))) / energy


def _blocks(values: Residues) -> Floats:
    """Sums over blocks of cells, shape (…, rows, columns) to (…, blocks)."""
    *outer, rows, columns = values.shape
    across = np.add.reduceat(values, np.arange(0, columns, _BLOCK), axis=-1)
    both = np.add.reduceat(across, np.arange(0, rows, _BLOCK), axis=-2, dtype=np.float64)
    return np.asarray(both.reshape(*outer, -1), np.float64)
