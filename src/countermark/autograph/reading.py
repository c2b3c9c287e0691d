"""Reading a leak's symbols: correlations with the variants' deviations, and how noisy they are.

For each segment the residues of all its frames are averaged. Where the residue is restless, cells
weigh less: by the inverse of its local mean square (a matched filter in coloured noise, Van Trees
1968). What the neighbouring segments show there as well is taken out. The noise of a correlation
is not assumed but estimated from how the contributions of blocks
of cells scatter (a sandwich estimate; White 1980): that holds whatever a codec did to a block.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Grid
from countermark.autograph.code import Segments
from countermark.autograph.evidence import Evidence, Floats, from_correlations
from countermark.autograph.registration import Piece, Registration
from countermark.autograph.residue import explanations, residues

# Wide, lest the mark itself make a cell look restless.
_NEIGHBOURHOOD = 15.0
_FLOOR = 0.03
_BLOCK = 8
_TINY = 1e-9
_CLEAR = 3.0
_NEIGHBOURS = 3
_WIENER, _STILL = 4.0, 0.005
_LEAST_LIKENESS = 0.3
# A frame this much less alike than the piece's median is an insert or under an overlay.
_STRANGER = 0.35


@dataclass(frozen=True)
class Reading:
    """What was read, for `evidence.from_correlations`.

    Attributes:
        segments: their numbers, shape (n,).
        correlations: 1 at the variant seen if the mark is whole, shape (n, K).
        noise: standard deviation of a row's correlations, infinite if nothing was told, shape (n,).
        frames: how many frames of the leak showed each, shape (n,).
    """

    segments: Segments
    correlations: Floats
    noise: Floats
    frames: NDArray[np.int64]

    def evidence(self) -> Evidence:
        """The likelihoods."""
        return from_correlations(self.segments, self.correlations, self.noise)


@dataclass
class _Sum:
    residue: Grid
    deviations: NDArray[np.float32]
    frames: int = 0

    def mean(self) -> Grid:
        return self.residue / np.float32(self.frames)

    def deviation(self) -> NDArray[np.float32]:
        return self.deviations / np.float32(self.frames)


@dataclass
class Reader:
    """Gathers the residues of a leak's frames, segment by segment."""

    _sums: dict[int, _Sum] = field(default_factory=dict)

    def add(self, segment: int, residues: NDArray[np.float32]) -> None:
        """Take a frame in.

        Args:
            segment: which it shows.
            residues: the leak's first, then the K deviations', shape (1 + K, rows, columns).
        """
        if segment not in self._sums:
            self._sums[segment] = _Sum(np.zeros_like(residues[0]), np.zeros_like(residues[1:]))
        found = self._sums[segment]
        found.residue += residues[0]
        found.deviations += residues[1:]
        found.frames += 1

    def take(self, piece: Piece, found: Registration) -> None:
        """Take a registered piece of the leak in; frames that don't resemble the master are left.

        Args:
            piece: of the master.
            found: where the leak's frames lie in it.
        """
        least = max(_LEAST_LIKENESS, found.agreement - _STRANGER)
        last = len(piece.times) - 1
        for laid, frame, like in zip(found.laid, found.frames, found.likeness, strict=True):
            if like < least:
                continue
            beside = piece.means[max(frame - 1, 0)], piece.means[min(frame + 1, last)]
            explained = explanations(piece.means[frame], *beside)
            layers = [laid, *piece.deviations[frame]]
            self.add(int(piece.segments[frame]), residues(layers, explained, found.covered))

    def clear(self) -> int:
        """How many segments' symbols are beyond doubt."""
        found = self.reading()
        return int((np.abs(found.correlations).max(axis=1) > _CLEAR * found.noise).sum())

    def __len__(self) -> int:
        """How many segments were seen."""
        return len(self._sums)

    def reading(self) -> Reading:
        """What has been read so far, in the order of the segments' numbers."""
        numbers = sorted(self._sums)
        means = {number: self._sums[number].mean() for number in numbers}
        rows = [_correlate(self._fresh(n, means), self._sums[n].deviation()) for n in numbers]
        return Reading(
            np.array(numbers, np.int64),
            np.array([correlations for correlations, _ in rows]).reshape(len(rows), -1),
            np.array([noise for _, noise in rows]),
            np.array([self._sums[number].frames for number in numbers], np.int64),
        )

    def _fresh(self, number: int, means: dict[int, Grid]) -> Grid:
        """A segment's residue without what its neighbours let expect.

        Where nothing moves, a codec keeps its errors, and also the mark of the segment before. The
        neighbours' marks are independent of this one's, so the part of their mean that is seen
        here as well is noise (Wiener's estimate, in the small around each cell).
        """
        around = range(number - _NEIGHBOURS, number + _NEIGHBOURS + 1)
        beside = [means[other] for other in around if other != number and other in means]
        own = means[number]
        if not beside:
            return own
        expected: Grid = np.asarray(np.mean(beside, axis=0), np.float32)
        power = cv2.GaussianBlur(expected * expected, (0, 0), _WIENER) + np.float32(_STILL)
        part = np.clip(cv2.GaussianBlur(own * expected, (0, 0), _WIENER) / power, 0, 1)
        return np.asarray(own - part * expected, np.float32)


def _correlate(residue: Grid, deviations: NDArray[np.float32]) -> tuple[Floats, float]:
    """Least-squares amplitudes of the deviations, and their standard deviation."""
    restless = cv2.GaussianBlur(residue * residue, (0, 0), _NEIGHBOURHOOD)
    weight = 1 / (restless + np.float32(_FLOOR))
    energies = np.maximum((weight * deviations**2).sum(axis=(1, 2), dtype=np.float64), _TINY)
    energies[:] = energies.mean()
    correlations = (weight * residue * deviations).sum(axis=(1, 2), dtype=np.float64) / energies
    best = int(correlations.argmax())
    rest = weight * (residue - np.float32(correlations[best]) * deviations[best])
    scatter = [np.square(_blocks(rest * deviation)).sum() for deviation in deviations]
    noise = float(np.sqrt(np.mean(scatter)) / energies[0])
    # Without any mark, or without anything beside it (a black screen), nothing was told.
    return correlations, noise if noise > 0 else np.inf


def _blocks(values: Grid) -> Floats:
    """Sums over blocks of cells."""
    rows, columns = (max(1, size // _BLOCK) for size in values.shape)
    means = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means * (values.size / (rows * columns)), np.float64)
