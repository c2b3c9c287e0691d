"""What is left of a leak's frame when everything that explains it without the mark is taken out.

In each neighbourhood of the grid the leak is fitted by the master's mean frame, its square
(gamma), a constant, the mean's slopes across and down (a frame laid a little off), its fine detail
(blur or sharpening) and its change in time (blended or slightly late frames); by least squares
with a moving window (a generalised guided filter; He, Sun and Tang 2010). The variants' deviations
go through the same fit, so that correlating both residues gives the least-squares estimate of the
mark (Frisch and Waugh 1933).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from countermark.autograph.canvas import Grid

# The cells of the mark are four of the grid wide: a smaller neighbourhood would explain much of the
# mark away with the seven that it is fitted by.
_REACH = 12
_STRIDE = 3
_DAMPING = 1e-3
# Against neighbourhoods too plain to tell a regressor's part: mean square that counts as nothing.
_NOTHING = 0.02
_DETAIL = 1.2


def explanations(mean: Grid, before: Grid, after: Grid) -> list[Grid]:
    """What may explain a leak's frame beside the mark.

    Args:
        mean: the master's frame, mean of the variants.
        before: the frame before it, or itself.
        after: the frame after it, or itself.
    """
    tone = (mean - np.float32(128)) / np.float32(30)
    return [
        np.ones_like(mean),
        tone,
        tone * tone / np.float32(4),  # gamma bends, which shows in a neighbourhood of high contrast
        cv2.Sobel(mean, cv2.CV_32F, 1, 0, scale=1 / 8).astype(np.float32, copy=False),
        cv2.Sobel(mean, cv2.CV_32F, 0, 1, scale=1 / 8).astype(np.float32, copy=False),
        mean - cv2.GaussianBlur(mean, (0, 0), _DETAIL),
        (after - before) / np.float32(2),
    ]


def residues(
    frames: Sequence[Grid], explained: Sequence[Grid], covered: Grid
) -> NDArray[np.float32]:
    """Take what is explained out of frames.

    Args:
        frames: the leak's and the deviations', shape (rows, columns) each.
        explained: from `explanations`; the first is the constant.
        covered: cells to look at.

    Returns:
        Shape (len(frames), rows, columns).
    """
    count = len(explained)
    normal = np.empty((*_mean(covered).shape, count, count), np.float32)
    for first in range(count):
        for second in range(first, count):
            product = _mean(explained[first] * explained[second] * covered)
            normal[..., first, second] = normal[..., second, first] = product
    diagonal = np.arange(count)
    normal[..., diagonal, diagonal] *= 1 + _DAMPING
    normal[..., diagonal[1:], diagonal[1:]] += _NOTHING / _WINDOW
    normal[..., 0, 0] += 1e-6
    sides = [[_mean(frame * part * covered) for frame in frames] for part in explained]
    right = np.moveaxis(np.array(sides), (0, 1), (2, 3))
    weights = np.linalg.solve(normal, right)
    return np.stack(
        [
            (frame - _explained(explained, weights[..., number])) * covered
            for number, frame in enumerate(frames)
        ]
    )


_WINDOW = (2 * _REACH + 1) ** 2


def _mean(values: Grid) -> Grid:
    """Means over the window around every third cell."""
    size = (2 * _REACH + 1, 2 * _REACH + 1)
    means = cv2.blur(values, size, borderType=cv2.BORDER_CONSTANT)
    return means[::_STRIDE, ::_STRIDE].astype(np.float32, copy=False)


def _explained(explained: Sequence[Grid], weights: NDArray[np.float32]) -> Grid:
    size = explained[0].shape[::-1]
    parts = (
        cv2.resize(np.ascontiguousarray(weights[..., number]), size) * part
        for number, part in enumerate(explained)
    )
    return np.asarray(sum(parts), np.float32)
