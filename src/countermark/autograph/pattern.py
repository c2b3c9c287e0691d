"""The secret pattern that tells a segment's variants apart.

A segment's frame is divided into square cells, 15 to its shorter side, so that the pattern
outlives scaling to a quarter and the coarse quantizers that follow it. Each cell has a secret sign
and belongs to a secret one of K - 1 teams; in variant k it is raised or lowered as row k of a
Hadamard matrix says for its team. The rows without their constant first column form a simplex:
every two variants differ as much as any other two, and the variants' mean is the source. With two
variants they are opposites.

In chroma, of which codecs keep less detail, cells are twice as wide; each plane has its own signs.

Signs and teams come from SHAKE-128 with the secret key in front, like the code's symbols but for
another purpose, and differ from segment to segment: who lacks the key can neither predict a
pattern nor learn it by averaging segments.
"""

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]

CELLS_HIGH = 15
"""Cells to a frame's shorter side."""

_PURPOSE = b"countermark autograph pattern v1"
_CHROMA_PURPOSE = b"countermark autograph chroma pattern v1"


@dataclass(frozen=True)
class Pattern:
    """The patterns of one master.

    Attributes:
        key: the secret, 32 bytes.
        master: id of the master.
        variants: K: 2, 4 or 8.
        width: of a frame, pixels.
        height: of a frame, pixels.
    """

    key: bytes = field(repr=False)
    master: str
    variants: int
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells."""
        cell = max(2.0, min(self.width, self.height) / CELLS_HIGH)
        return max(1, round(self.height / cell)), max(1, round(self.width / cell))

    def of_segment(self, segment: int) -> Grid:
        """The direction of each cell in each variant.

        Args:
            segment: number from 0.

        Returns:
            -1 or 1, shape (K, rows, columns); the mean over the variants is 0.
        """
        return self._directions(_PURPOSE, segment, self.shape)

    @property
    def chroma_shape(self) -> tuple[int, int]:
        """Rows and columns of cells in each chroma plane."""
        rows, columns = self.shape
        return (rows + 1) // 2, (columns + 1) // 2

    def of_chroma(self, segment: int) -> Grid:
        """The direction of each cell of each chroma plane in each variant.

        Args:
            segment: number from 0.

        Returns:
            -1 or 1, shape (K, 2, rows, columns); the mean over the variants is 0.
        """
        return self._directions(_CHROMA_PURPOSE, segment, (2, *self.chroma_shape))

    def _directions(self, purpose: bytes, segment: int, shape: tuple[int, ...]) -> Grid:
        random = np.frombuffer(self._random(purpose, segment, math.prod(shape)), np.uint8)
        signs = np.where(random & 1, 1.0, -1.0).astype(np.float32)
        teams = (random >> 1) % (self.variants - 1)
        directions = simplex(self.variants)[:, teams] * signs
        return directions.reshape(self.variants, *shape)

    def _random(self, purpose: bytes, segment: int, length: int) -> bytes:
        master = hashlib.blake2b(self.master.encode(), digest_size=32).digest()
        return hashlib.shake_128(
            purpose + bytes([self.variants]) + segment.to_bytes(4) + self.key + master
        ).digest(length)


def simplex(variants: int) -> Grid:
    """Rows of a Hadamard matrix (Sylvester 1867) without their constant column.

    Returns:
        Shape (K, K - 1); columns sum to 0, any two rows have the inner product -1.
    """
    matrix = np.ones((1, 1), np.float32)
    while len(matrix) < variants:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[:, 1:]
