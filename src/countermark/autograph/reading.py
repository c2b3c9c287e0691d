"""Reading a leak's symbols: correlations with the variants' deviations, and how noisy they are.

Each frame tells by what is new in it (see `innovation`). Where that is restless, cells weigh less:
by the inverse of its local mean square (a matched filter in uneven noise, Van Trees 1968), so a
frame that was coded well counts for more. The noise of a correlation is not assumed but estimated
from how the contributions of blocks of cells scatter (a sandwich estimate; White 1980): that holds
whatever a codec did to a block.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Grid
from countermark.autograph.code import Segments
from countermark.autograph.evidence import Evidence, Floats, from_correlations
from countermark.autograph.innovation import ORDER, innovation
from countermark.autograph.registration import Piece, Registration
from countermark.autograph.residue import explanations, residues

# Wide, lest the mark itself make a cell look restless.
_NEIGHBOURHOOD = 10.0
_FLOOR = 0.1
# What a codec leaves of the mark has lost its finest detail.
_SOFTENED = 0.7
_BLOCK = 8
_TINY = 1e-9
_CLEAR = 3.0
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
    """Sums over a segment's frames: products of what is new with what each variant would add.

    Attributes:
        products: in each block of cells, shape (K, blocks).
        energies: products of two variants' parts, shape (K, K, blocks).
        frames: how many.
    """

    products: Floats
    energies: Floats
    frames: int = 0


class Reader:
    """Gathers what a leak's frames tell, segment by segment."""

    def __init__(self) -> None:
        self._sums: dict[int, _Sum] = {}
        self._before: deque[Grid] = deque(maxlen=ORDER)

    def add(self, segment: int, residues: NDArray[np.float32]) -> None:
        """Take a frame in; it follows the one taken before.

        Args:
            segment: which it shows.
            residues: the leak's first, then the K deviations', shape (1 + K, rows, columns).
        """
        new, left = innovation(residues[0], self._before)
        self._before.append(residues[0])
        restless = cv2.GaussianBlur(new * new, (0, 0), _NEIGHBOURHOOD)
        weight = np.sqrt(1 / (restless + np.float32(_FLOOR)))
        marks = np.stack([_softened(one) * left * weight for one in residues[1:]])
        products = _blocks(marks * (new * weight))
        energies = _blocks(marks[:, None] * marks[None])
        if segment not in self._sums:
            self._sums[segment] = _Sum(np.zeros_like(products), np.zeros_like(energies))
        found = self._sums[segment]
        found.products += products
        found.energies += energies
        found.frames += 1

    def take(self, piece: Piece, found: Registration) -> None:
        """Take a registered piece of the leak in; frames that don't resemble the master are left.

        Args:
            piece: of the master.
            found: where the leak's frames lie in it.
        """
        self._before.clear()
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
        rows = [_correlate(self._sums[number]) for number in numbers]
        return Reading(
            np.array(numbers, np.int64),
            np.array([correlations for correlations, _ in rows]).reshape(len(rows), -1),
            np.array([noise for _, noise in rows]),
            np.array([self._sums[number].frames for number in numbers], np.int64),
        )


def _correlate(found: _Sum) -> tuple[Floats, float]:
    """Least-squares amplitudes of the deviations, and their standard deviation."""
    energy = max(float(np.einsum("kkb->", found.energies)) / len(found.energies), _TINY)
    correlations = found.products.sum(axis=1) / energy
    best = int(correlations.argmax())
    rest = found.products - correlations[best] * found.energies[best]
    scatter = float(np.square(rest).sum(axis=1).mean())
    if not scatter > 0:  # no mark, or nothing beside it (a black screen): nothing was told
        return correlations, np.inf
    # What weights suppose, which is noise that no two cells share, is the least there can be.
    return correlations, float(np.sqrt(max(scatter, energy))) / energy


def _softened(deviation: Grid) -> Grid:
    soft = cv2.GaussianBlur(deviation, (0, 0), _SOFTENED)
    return soft.astype(np.float32, copy=False)


def _blocks(values: NDArray[np.float32]) -> Floats:
    """Sums over blocks of cells, shape (…, rows, columns) to (…, blocks)."""
    *outer, rows, columns = values.shape
    across = np.add.reduceat(values, np.arange(0, columns, _BLOCK), axis=-1)
    both = np.add.reduceat(across, np.arange(0, rows, _BLOCK), axis=-2, dtype=np.float64)
    return np.asarray(both.reshape(*outer, -1), np.float64)
