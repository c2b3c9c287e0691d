"""The part of the mark that lies in colour, where little moves.

An encoder that makes a leak small repeats a block of a still scene until its change is worth
coding. In luma that is a change of four steps or so, which no invisible mark makes: each of its
coefficients stands for four by four pixels, and single small ones are dropped. But a block's chroma
has one more transform, of its means (H.264, 8.5.11), and none of those is dropped: one and a half
steps are enough, and the eye sees colour less, all the more so where it is busy. So where luma
tells least, a few cells are tinted by a step or two, and these tell it all the while.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from countermark.autograph.laying import lay
from countermark.autograph.pattern import Grid

Plane = NDArray[np.uint8]

_MIDDLE = 128


class ChromaMark:
    """The tints of one segment.

    Args:
        directions: of each cell in each variant, shape (K, 2, rows, columns).
        tints: largest change of each cell, chroma steps before rounding, shape (rows, columns).
        shape: of a chroma plane, rows and columns.

    Attributes:
        energy: mean square of a plane's change, squared steps.
    """

    def __init__(self, directions: Grid, tints: Grid, shape: tuple[int, int]) -> None:
        self._tints = directions * tints
        grey = [np.full(shape, _MIDDLE, np.uint8) for _ in range(2)]
        self.lay(0, 1.0, grey)
        self.energy = float(np.mean(np.square(np.stack(grey).astype(np.float32) - _MIDDLE)))

    def lay(self, variant: int, level: float, planes: Sequence[Plane]) -> None:
        """Tint a frame.

        Args:
            variant: which.
            level: how far the mark is faded in, 0 to 1.
            planes: both of its chroma; changed in place.
        """
        for plane, tints in zip(planes, self._tints[variant], strict=True):
            lay(plane, tints * np.float32(level), plane)
