"""What a frame of a leak shows for the first time.

Where nothing moves, codecs repeat what they showed: their errors, and the mark of the segment
before. A cell's residue is then that of the frames before it and something new, an autoregressive
process, and only what is new tells about the mark of now. Its coefficients are fitted in the small
around each cell, as they change from block to block: 1 in all where a block was repeated, 0 where
it was coded anew. Whitening by prediction: T. Kailath, "An innovations approach to least-squares
estimation", 1968.

Cells that the leak repeats to the letter are left out of the fit as of all else: in a still scene
few blocks of a frame are coded anew, and among their neighbours' repeats they would pass for
repeats as well, with all that they tell.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from countermark.autograph.canvas import Grid

ORDER = 2
"""How many frames before one predict it."""

_AROUND = 5.0
# Mean square below which frames before tell nothing, and against frames that are alike.
_NOTHING, _DAMPING = 0.005, 0.002
# Mean square by which a cell differs from the frame before if half of it counts as new, squared
# luma steps; and how far around it is looked at.
_HARDLY, _NEAR = 0.0025, 1.0
_TINY = 1e-7


def renewed(shown: Grid, before: Grid | None) -> Grid:
    """How much of each cell a leak shows anew, 0 for what it repeats to 1.

    Args:
        shown: a frame of the leak on the grid.
        before: the frame before it; None if nothing is known of it.
    """
    if before is None:
        return np.ones_like(shown)
    change = cv2.GaussianBlur(np.square(shown - before), (0, 0), _NEAR)
    return np.asarray(change / (change + np.float32(_HARDLY)), np.float32)


def innovation(residue: Grid, before: Sequence[Grid], new: Grid) -> tuple[Grid, list[Grid]]:
    """Take out of a frame's residue what the frames before it let expect.

    Args:
        residue: of the frame, shape (rows, columns).
        before: the residues of frames before it, any number.
        new: how much of each cell is `renewed`.

    Returns:
        What is new, and how much of each of the frames before was expected; all of the residue's
        shape.
    """
    if not before:
        return residue, []
    count = len(before)
    normal = np.empty((*residue.shape, count, count), np.float32)
    for first in range(count):
        for second in range(first, count):
            product = _around(before[first] * before[second] * new)
            normal[..., first, second] = normal[..., second, first] = product
    diagonal = np.arange(count)
    normal[..., diagonal, diagonal] *= 1 + _DAMPING
    normal[..., diagonal, diagonal] += _NOTHING * _around(new)[..., None] + np.float32(_TINY)
    right = np.stack([_around(residue * one * new) for one in before], axis=2)[..., None]
    solved = np.linalg.solve(normal, right)[..., 0]
    weights = [np.ascontiguousarray(solved[..., number]) for number in range(count)]
    expected = sum(weight * one for weight, one in zip(weights, before, strict=True))
    return residue - expected, weights


def _around(values: Grid) -> Grid:
    return cv2.GaussianBlur(values, (0, 0), _AROUND).astype(np.float32, copy=False)
